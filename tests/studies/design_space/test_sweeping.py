"""Sweeps: the numbers of every design are those of its profile, whatever its structure and however large they are."""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import archscope
from archscope.core.arithmetic import is_many
from archscope.core.errors import ArchscopeError, Problem, ShapeError, UsageError
from archscope.core.records import Setting
from archscope.ops.add import Add
from archscope.studies.design_space import ranges
from archscope.studies.design_space.answers import answer
from archscope.studies.design_space.designs import KNOBS
from archscope.studies.design_space.partings import Partings
from archscope.studies.design_space.sweeping import Question

COLUMNS = (
    "params",
    "macs",
    "activations",
    "weight_layers",
    "inference_peak_bytes",
    "train_peak_bytes",
    "receptive_field",
)

SPACES: dict[str, dict[str, Any]] = {
    "lenet5": {"batch": "1:9:1", "channels": "1:3:1", "input": "8:64:4"},
    "alexnet": {"width": "1/8:2:1/24", "input": "35:300:5", "head_width": "1/64,1,2", "batch": "1,2,64"},
    "vgg16": {"width": "1/8:2:1/8", "input": "16:512:31", "batch": "1:64:9", "bn": "none,conv+fc", "dense": "yes,no"},
    "googlenet": {"width": "1/50:2:3/50", "input": "40:500:20", "aux": "yes,no", "classes": "1,10,1000"},
    "resnet18": {"width": "1/64:1:1/64", "input": "1:300:13", "batch": "1,3", "conv_bias": "yes,no"},
    "resnet20": {"width": "1/16:2:1/48", "input": "1:64:3", "channels": "1,3"},
    "mobilenet_v2": {"width": "1/64:1:3/64", "input": "1:300:23", "classes": "10,1000"},
    "densenet121": {"width": "1/16:2:1/16", "input": "30:300:10"},
    "se_resnet50": {"width": "1/32:2:1/32", "input": "32,224"},
    "squeezenet1_0": {"width": "1/9:2:1/9", "input": "20:260:8", "head": "fc"},
    "inception_v3": {"width": "1/9:1:1/9", "input": "70:330:20", "adaptive_pool": "yes,no"},
}


def changes_of(columns: dict[str, Any], row: int) -> tuple[int, dict[str, Any]]:
    """The batch and the changes of a row of a sweep."""
    changes: dict[str, Any] = {}
    for name, knob in KNOBS.items():
        if name in columns:
            value = columns[name][row]
            changes[knob.option] = dict(knob.words)[value] if knob.words else value
    if "input" in columns:
        changes["input_size"] = (int(columns["input"][row]),) * 2
    for name in ("width", "head_width"):
        if name in changes:
            changes[name] = Fraction(changes[name]).limit_denominator(1000)
    batch = int(changes.pop("batch", 1))
    return batch, {name: int(value) if isinstance(value, np.integer) else value for name, value in changes.items()}


@pytest.mark.parametrize("name", SPACES)
def test_the_numbers_of_every_design_are_those_of_its_profile(name: str):
    mode = "train" if len(name) % 2 else "eval"
    found = archscope.sweep(name, vary=SPACES[name], columns=COLUMNS, mode=mode)
    source = random.Random(name)  # noqa: S311  a sample, no secret
    assert len(found["params"]) + sum(reason.points for reason in found.unusable) == found.points
    for row in source.sample(range(len(found["params"])), k=8):
        batch, changes = changes_of(found, row)
        profile = archscope.profile(name, batch, columns=COLUMNS, mode=mode, **changes)
        assert {column: found[column][row] for column in COLUMNS} == {
            column: profile.totals[column].value for column in COLUMNS
        }, (batch, changes)


def test_designs_of_other_structures_are_worked_out_apart():
    # At a small width more blocks of MobileNetV2 have the same channels at both ends, and with them a skip.
    found = archscope.sweep("mobilenet_v2", vary={"width": "1/64:1:1/64"}, columns=["params", "activations"])
    skips = set()
    for row in range(0, 64, 3):
        graph = archscope.lower("mobilenet_v2", width=f"{row + 1}/64")
        skips.add(sum(isinstance(node.op, Add) for node in graph.nodes))
        totals = archscope.profile(graph).totals
        assert found["params"][row] == totals["params"].value
        assert found["activations"][row] == totals["activations"].value
    assert len(skips) > 1


def test_what_cannot_be_built_is_counted_with_the_reason_and_its_first_design():
    found = archscope.sweep("vgg16", "googlenet", vary={"input": "8:224:8", "batch": "1,2"})
    assert found.points == 2 * 28 * 2
    vgg, googlenet = found.unusable
    assert (vgg.points, vgg.example, vgg.place) == (2 * 3, "vgg16 input=8 batch=1", "tables/vgg.toml:30")
    assert vgg.why == "a pool of 2 is larger than its padded input 1"
    assert googlenet.example == "googlenet input=8 batch=1"
    for name in ("vgg16", "googlenet"):
        usable = sorted(set(found["input"][found["network"] == name].tolist()))
        with pytest.raises(ArchscopeError):
            archscope.lower(name, input_size=(usable[0] - 8,) * 2)
        archscope.lower(name, input_size=(usable[0],) * 2)


def test_a_change_that_a_network_cannot_make_is_a_reason_too():
    found = archscope.sweep("vgg11", "resnet20", vary={"head": "fc,gap"})
    assert found["head"].tolist() == ["fc", "gap", "fc"]
    assert [reason.example for reason in found.unusable] == ["resnet20 head=gap"]
    assert found.unusable[0].why == "resnet20 has no hidden FC layers that a pool could replace"


def test_where_nothing_can_be_built_the_reason_is_the_error():
    with pytest.raises(
        ArchscopeError, match="none of these 2 designs can be built; lenet5 width=1: the connection table"
    ):
        archscope.sweep("lenet5", vary={"width": "1,2"})


def test_numbers_beyond_what_an_int64_holds_are_exact():
    vary = {"batch": "1,100000", "input": "224,99968", "width": "1,1000"}
    found = archscope.sweep("vgg16", vary=vary, where="macs > 1T", sort=["-macs"], pareto=["-macs", "params"])
    largest = archscope.profile("vgg16", 100_000, input_size=(99_968, 99_968), width=1000).totals
    assert found["macs"].tolist()[0] == largest["macs"].value > 2**64
    assert found["params"].tolist()[0] == largest["params"].value
    everything = archscope.sweep("vgg16", vary=vary)
    assert everything["macs"].max() == largest["macs"].value
    small = archscope.profile("vgg16").totals
    assert everything["macs"].tolist()[0] == small["macs"].value


def test_a_condition_a_front_and_an_order_are_those_of_all_designs():
    vary = {"width": "1/8:2:1/8", "input": "64:512:32", "batch": "1,8,32"}
    whole = archscope.sweep("vgg16", vary=vary, columns=["params", "macs", "train_peak_bytes"])
    mask = (whole["params"] < 50_000_000) & (whole["train_peak_bytes"] < 2**31)
    found = archscope.sweep(
        "vgg16", vary=vary, where="params < 50M and train_peak_bytes < 2GiB", sort=["-macs", "params"], top=7
    )
    assert found.fitting == mask.sum() > 7
    order = np.lexsort([whole["params"][mask], -whole["macs"][mask]])[:7]
    for name in ("width", "input", "batch", "params", "macs"):
        assert found[name].tolist() == whole[name][mask][order].tolist()
    front = archscope.sweep("vgg16", vary=vary, pareto=["params", "-macs"], sort=["params"])
    best = -1
    for params in sorted(set(whole["params"].tolist())):
        most = whole["macs"][whole["params"] == params].max()
        if most > best:
            best = most
            assert (params, most) in set(zip(front["params"].tolist(), front["macs"].tolist(), strict=True))
    assert len(set(front["params"].tolist())) == len(front["params"])


def test_networks_of_python_and_graphs_are_swept_too():
    cells = archscope.load(["conv3-16", "relu", "maxpool", "FC-10"], input=(3, 32, 32), name="mine")
    found = archscope.sweep(cells, vary={"width": "1,2", "input": "16,32"})
    assert found["network"].tolist() == ["mine"] * 4
    for row in range(4):
        batch, changes = changes_of(found, row)
        assert found["params"][row] == archscope.profile(cells, batch, **changes).totals["params"].value
    graph = archscope.lower("vgg11")
    found = archscope.sweep(graph, vary={"batch": "1,4", "input": "64,224", "channels": "1,3"})
    for row in range(8):
        batch, changes = changes_of(found, row)
        assert found["macs"][row] == archscope.profile("vgg11", batch, **changes).totals["macs"].value


CELLS: dict[str, dict[str, Any]] = {
    "googlenet": {"inception (4a).#3×3": "64:256:32", "inception (4a).pool proj": [16, 64], "width": "1/2,1"},
    "vgg16": {"conv3_2": "conv3-{64:512:64}", "fc6": "FC-{512:4096:512}", "conv1_1": "conv3-64,conv7-32,"},
    "mobilenet_v2": {"row 3.c": "8:24:4", "row 3.t": "1,6", "width": "1/4,1"},
    "resnet18": {"conv3_x.18-layer": ["[3×3, 128; 3×3, 128] ×2", "[3×3, 96; 3×3, 128] ×3"], "width": "1/2,1"},
    "resnet50": {"blocks": "3,4,6,3;1,1,1,1", "width": "1/4,1"},
    "resnext50_32x4d": {"width": "1/16:1:1/16"},
}


@pytest.mark.parametrize("name", CELLS)
def test_any_cell_can_be_varied_and_how_often_blocks_are_repeated(name: str):
    from archscope.spec.stages import blocks_from

    vary = CELLS[name]
    found = archscope.sweep(name, vary=vary)
    assert not found.unusable
    for row in range(0, found.points, max(1, found.points // 12)):
        cells = {cell: str(found[cell][row]) for cell in vary if cell not in KNOBS}
        if name == "vgg16":
            cells |= {"conv3_2": f"conv3-{cells['conv3_2']}", "fc6": f"FC-{cells['fc6']}"}
        blocks = blocks_from(found["blocks"][row]) if "blocks" in vary else None
        changes: dict[str, Any] = {"set": cells or None, "blocks": blocks}
        changes |= {"width": str(Fraction(found["width"][row]))} if "width" in vary else {}
        totals = archscope.profile(name, **changes).totals
        assert [found[column][row] for column in totals if column != "output_shape"] == [
            total.value for column, total in totals.items() if column != "output_shape"
        ], changes


def test_numbers_in_cells_that_are_channels_are_looked_at_in_one_pass(monkeypatch: pytest.MonkeyPatch):
    from archscope.graph import lowering

    passes: list[Any] = []
    real = lowering.lower
    monkeypatch.setattr(lowering, "lower", lambda spec, batch=1: (passes.append(spec), real(spec, batch))[1])
    vary = {"conv3_2": "conv3-{64:512:64}", "fc6": "FC-{512:4096:512}"}
    assert archscope.sweep("vgg16", vary=vary).points == 64
    vary = {"inception (4a).#3×3": "64:256:32", "inception (4a).#5×5 reduce": "8:64:8"}
    assert archscope.sweep("googlenet", vary=vary).points == 56
    assert len(passes) == 2


def test_cells_that_break_a_network_are_reasons():
    found = archscope.sweep("googlenet", vary={"inception (4a).#3×3": "0:64:32", "inception (4a).#1×1": ["192", "0x"]})
    assert found["inception (4a).#3×3"].tolist() == [32, 64]
    assert {reason.why for reason in found.unusable} == {
        "out_channels of 'conv3-0' is 0", "cannot read 'conv1-0x'"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        ("inception (4f).#3×3", "unknown-row: 'inception (4f).#3×3': no row is called 'inception (4f)'"),
        ("inception (4a).#7×7", "unknown-column: 'inception (4a).#7×7': no column is called '#7×7'"),
        ("maxpool9", "unknown-cell: no cell is called 'maxpool9'"),
        ("wdth", "unknown-knob: nothing that can be varied is called 'wdth'"),
    ],
)
def test_a_name_that_is_neither_a_knob_nor_a_cell_is_refused(cell: str, problem: str):
    with pytest.raises(UsageError) as caught:
        archscope.sweep("googlenet", vary={cell: "1,2"})
    assert str(caught.value).startswith(problem)
    with pytest.raises(UsageError, match=r"varied is called|no network of a table, and has no cell"):
        archscope.sweep(archscope.load(["conv3-8"], input=(3, 8, 8)), vary={cell: "1,2"})


def test_changes_hold_for_all_designs():
    found = archscope.sweep("vgg11", vary={"batch": [2]}, bn="conv", width="1/4", num_classes=10)
    totals = archscope.profile("vgg11", 2, bn="conv", width="1/4", num_classes=10).totals
    assert (found["params"][0], found["macs"][0]) == (totals["params"].value, totals["macs"].value)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"vary": {"width": "2000"}}, "bad-value: width is '2000'"),
        ({"vary": {"width": "0:1:1/2"}}, "bad-value: width is '0'"),
        ({"vary": {"classes": "0,1"}}, "bad-value: num_classes is 0"),
        ({"vary": {"batch": "0,1"}}, "bad-value: batch is 0"),
        ({"vary": {"width": "1"}, "width": "1/2"}, "bad-value: width is varied, and set to one value as well"),
        ({"vary": {"batch": "1"}, "batch": 2}, "bad-value: batch is varied, and set to one value as well"),
        ({"vary": {"width": "1"}, "columns": ["parms"]}, "unknown-column: no column is called 'parms'"),
        ({"vary": {"width": "1"}, "columns": ["output_shape"]}, "unknown-column: no column is called 'output_shape'"),
        ({"vary": {"width": "1"}, "where": "parms < 5"}, "unknown-column: no column is called 'parms'"),
        ({"vary": {"width": "1"}, "where": "params < 5GiB"}, "mixed-units: 'params < 5GiB' mixes units"),
        ({"vary": {"width": "1"}, "sort": ["network"]}, "unknown-column: no column to order by is called 'network'"),
        ({"vary": {"width": "1"}, "pareto": ["-parms"]}, "unknown-column: no column to order by is called 'parms'"),
        ({"vary": {"width": "1"}, "top": 0}, "bad-value: top is 0"),
        ({"vary": {"width": "1"}, "output": "points.xls"}, "bad-value: the name 'points.xls' does not say a format"),
        (
            {"vary": {"classes": "1:10000000:1", "batch": "1:200:1"}},
            "too-many-points: these are 2,000,000,000 designs, more than 1,000,000,000",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_worked_out(arguments: dict[str, Any], problem: str):
    with pytest.raises(UsageError) as caught:
        archscope.sweep("vgg16", **arguments)
    assert str(caught.value).startswith(problem)


def test_networks_are_named_once_and_at_least_one():
    with pytest.raises(UsageError, match="vgg16 is named twice"):
        archscope.sweep("vgg16", "vgg16", vary={"width": "1"})
    with pytest.raises(UsageError, match="nothing to sweep"):
        archscope.sweep(vary={"width": "1"})


def test_of_a_graph_only_the_input_can_be_varied():
    with pytest.raises(ArchscopeError, match="vgg11 is a graph, and width cannot be changed in it"):
        archscope.sweep(archscope.lower("vgg11"), vary={"width": "1"})


def test_who_wants_to_hears_of_each_chunk():
    events: list[Any] = []
    archscope.sweep("vgg11", "vgg13", vary={"width": "1/8:1:1/8"}, where="width > 1/2", tell=events.append)
    assert [(event.points, event.of, event.fitting) for event in events] == [(8, 16, 4), (16, 16, 8)]
    assert [len(event.outcome.kept) for event in events] == [4, 4]


def test_columns_become_a_data_frame():
    pytest.importorskip("pandas")
    found = archscope.sweep("vgg11", vary={"width": "1/4,1/3", "bn": "none"})
    frame = found.to_pandas()
    assert list(frame) == ["network", "bn", "width", "params", "macs", "activations"]
    assert frame["width"].tolist() == [1 / 4, 1 / 3]
    assert frame["params"].sum() == found["params"].sum()


def test_receptive_fields_are_one_number_or_none():
    vary = {"width": "1/2,1", "input": "224,320"}
    found = archscope.sweep("vgg16", "resnet18", "googlenet", vary=vary, columns=["receptive_field"])
    assert found["receptive_field"].tolist() == [212] * 4 + [435] * 4 + [715, 907] * 2
    # At 320 GoogLeNet's 7×7 pool slides, and adds to the field of the maps before it.
    sliding = archscope.profile("googlenet", columns=["receptive_field"], input_size=(320, 320))
    assert sliding.totals["receptive_field"].value == 907
    assert archscope.sweep("vgg16", vary={"conv1_1": ["conv3-64", "conv7-64"]}, columns=["receptive_field"])[
        "receptive_field"
    ].tolist() == [212, 216]
    wide = archscope.load(["conv1×7-8", "conv3-8", "FC-3"], input=(3, 32, 32), name="wide")
    with pytest.raises(ArchscopeError, match=r"receptive_field is 3 × 9 \(height × width\): designs are held by"):
        archscope.sweep(wide, vary=vary, columns=["receptive_field"])


def test_a_design_with_an_op_that_has_no_rule_makes_its_column_a_lower_bound():
    from archscope.ops.relu import ReLU

    class Unknown(ReLU):
        notation = "mystery"

        def macs(self, *inputs: Any) -> None:  # noqa: ARG002  a rule's signature
            return None

    cells = archscope.load(["conv3-8", "mystery", "FC-10"], ops=[Unknown], input=(3, 8, 8), name="odd")
    assert archscope.sweep(cells, vary={"width": "1,2"}).missing == {"macs": ("Unknown",)}


def test_a_column_without_a_total_is_an_error_and_no_number():
    vectors = archscope.load(["FC-8", "relu", "FC-3"], input=(16,), name="vectors")
    assert archscope.sweep(vectors, vary={"head_width": "1,2"})["params"].tolist() == [163, 323]
    with pytest.raises(ArchscopeError, match="receptive_field has no total here that designs could be held by"):
        archscope.sweep(vectors, vary={"head_width": "1,2"}, columns=["receptive_field"])


def test_a_captured_module_has_the_sizes_of_one_run_and_is_not_swept():
    torch = pytest.importorskip("torch")
    graph = archscope.capture(torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3)), (3, 16, 16))
    with pytest.raises(ArchscopeError, match="Sequential was captured, and its sizes are those of one run"):
        archscope.sweep(graph, vary={"batch": "1,2"})
    with pytest.raises(ArchscopeError, match="captured: Sequential is a module"):
        archscope.sweep(torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3)), vary={"batch": "1,2"})


def test_a_design_that_fails_among_others_only_is_a_mistake_that_is_said():
    class Fickle:
        def graph(self, changes: Any) -> Any:
            if is_many(changes["batch"]):
                raise ShapeError(Problem("impossible-shape", "not among others"))
            return archscope.lower("vgg11", changes["batch"])

    space = ranges.space(["odd"], {"batch": "1:4:1"})
    question = Question({"odd": Fickle()}, space, Setting(), ("params",), Partings())
    with pytest.raises(ArchscopeError, match="odd batch=1 cannot be built among other designs, and can be alone"):
        answer(question)


@pytest.mark.parametrize("values", ["", ";", []])
def test_blocks_need_a_list(values: Any):
    with pytest.raises(UsageError, match="empty-range: blocks is given no value"):
        archscope.sweep("resnet18", vary={"blocks": values})


def test_blocks_of_python_are_lists():
    found = archscope.sweep("resnet18", vary={"blocks": [[2, 2, 2, 2], (3, 4, 6, 3)]})
    assert found["blocks"].tolist() == ["2,2,2,2", "3,4,6,3"]
    assert found["params"].tolist()[1] == archscope.profile("resnet34").totals["params"].value
    found = archscope.sweep("vgg11", vary={"blocks": [((1, 64), (1, 128)), [1, 1, 1, 1, 1]]})
    assert found["blocks"].tolist() == ["1x64,1x128", "1,1,1,1,1"]


@pytest.mark.parametrize(
    ("template", "cells"),
    [("conv{1,3}-64", ["conv1-64", "conv3-64"]), ("conv3-64/{1,2}", ["conv3-64/1", "conv3-64/2"])],
)
def test_the_side_of_a_kernel_and_a_stride_can_be_varied_as_channels_can(template: str, cells: list[str]):
    found = archscope.sweep("vgg11", vary={"conv1_1": template}, columns=["macs"])
    changed = [archscope.profile("vgg11", set={"conv1_1": cell}).totals["macs"].value for cell in cells]
    assert (list(found["conv1_1"]), list(found["macs"])) == (cells, changed)

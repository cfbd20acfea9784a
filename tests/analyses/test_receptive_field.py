"""Receptive fields against published ones, and against which input pixels have a gradient in the built module."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import archscope
from archscope.analyses.receptive_field import Field, Reach, features, fields, union
from archscope.core.arithmetic import Shape
from archscope.core.counts import Counts
from archscope.core.errors import UsageError
from archscope.core.records import Call, Setting, Tensor
from archscope.graph.resizing import resized
from archscope.ops import Op
from archscope.spec.network import Block, Spec
from archscope.studies import profiling

torch = pytest.importorskip("torch")

COLUMNS = ("receptive_field", "jump", "start", "receptive_field_status")

PUBLISHED = {
    "alexnet_owt": (195, 32),
    "vgg16": (212, 32),
    "bn_inception": (699, 32),
    "inception_v3_torchvision": (1311, 32),
    "inception_v4": (2071, 32),
    "inception_resnet_v2_released": (3039, 32),
    "mobilenet_v1": (315, 32),
    "resnet50": (483, 32),
    "resnet101": (1027, 32),
    "resnet152": (1507, 32),
}
"""Size and effective stride, of the table in the README of google-research/receptive_field (Distill 2019)."""

PADDINGS = {"vgg16": 90, "inception_v3_torchvision": 618, "inception_v4": 998, "inception_resnet_v2_released": 1482}
"""The effective padding there, of networks that TF-slim pads as torch does."""


def totals(network: Any, **changes: Any) -> dict[str, Any]:
    profile = archscope.profile(network, columns=COLUMNS, **changes)
    return {name: total.value for name, total in profile.totals.items()}


def of_layer(network: Any, name: str, **changes: Any) -> tuple[Any, ...]:
    rows = archscope.profile(network, columns=COLUMNS, **changes).rows
    (row,) = (row for row in rows if row.name == name)
    return tuple(row.values.values())


@pytest.mark.parametrize("network", PUBLISHED)
def test_networks_have_their_published_fields(network: str) -> None:
    found = totals(network)
    assert (found["receptive_field"], found["jump"]) == PUBLISHED[network]
    assert found["start"] == -PADDINGS.get(network, -found["start"])
    assert found["receptive_field_status"] == "exact"


def test_vgg16_resnet18_and_googlenet() -> None:
    assert of_layer("vgg16", "pool5") == (212, 32, -90, "exact")
    assert of_layer("vgg16", "conv5_3") == (196, 16, -90, "exact")
    assert of_layer("resnet18", "layer4.1.relu2")[:2] == (435, 32)
    assert of_layer("googlenet", "inception5b.concat")[:2] == (715, 32)
    assert totals("resnet18")["receptive_field"] == 435
    assert totals("googlenet")["receptive_field"] == 715


def test_two_3x3_convolutions_see_what_one_5x5_sees() -> None:
    two = of_layer(archscope.load(["a: conv3-8", "b: conv3-8"], input=(1, 32, 32)), "b")
    assert two == of_layer(archscope.load(["b: conv5-8"], input=(1, 32, 32)), "b") == (5, 1, -2, "exact")


@pytest.mark.parametrize("name", ["flatten", "fc6", "drop7", "fc8"])
def test_fc_layers_see_the_whole_input(name: str) -> None:
    assert of_layer("vgg16", name) == (224, 0, 0, "exact")
    assert of_layer("vgg16", name, input_size=(320, 256))[0] == (320, 256)


def test_fc_layers_as_convolutions_have_a_field_of_their_own() -> None:
    assert of_layer("vgg16", "fc6", dense=True) == (404, 32, -90, "exact")
    assert totals("vgg16", dense=True)["receptive_field"] == 404


def test_a_pool_that_leaves_out_pixels_does_not_see_them() -> None:
    spec = archscope.load(["conv3-2/2 valid", "maxpool", "gap: adaptiveavgpool1"], input=(1, 12, 12))
    assert of_layer(spec, "gap") == (9, 0, 0, "exact")  # 5 convolved, 4 of them pooled: pixels 0 to 8 of 12


def test_an_average_pool_over_a_whole_map_is_a_global_one() -> None:
    assert of_layer("googlenet", "avgpool") == (224, 0, 0, "exact")
    assert of_layer("googlenet", "avgpool", input_size=(256, 256)) == (907, 32, -327, "exact")
    assert of_layer("googlenet", "avgpool", input_size=(224, 256))[:2] == ((224, 907), (0, 32))


def test_a_gate_shows_every_position_the_whole_input() -> None:
    assert of_layer("resnet50", "layer1.0.add")[0] == 19
    assert totals("se_resnet50") == {
        "receptive_field": 224, "jump": 0, "start": 0, "receptive_field_status": "exact",
    }  # fmt: skip


class Gated(torch.nn.Module):  # type: ignore[name-defined,misc]  # torch may be missing
    """A gate whose scale comes first, as torchvision writes it."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.gate = torch.nn.Conv2d(3, 4, 3, padding=1), torch.nn.Conv2d(4, 4, 1)
        self.last = torch.nn.Conv2d(4, 4, (3, 5), padding="same")

    def forward(self, x: Any) -> Any:
        x = self.first(x)
        x = torch.sigmoid(self.gate(x.mean((2, 3), keepdim=True))) * x
        return self.last(x)


def test_modules_have_fields_as_far_as_their_ops_say_what_they_see() -> None:
    profile = archscope.profile(Gated(), input=(3, 16, 20), columns=COLUMNS)
    assert {row.name: row.values["receptive_field"] for row in profile.rows}["first"] == 3
    assert profile.totals["receptive_field"].value == (16, 20)
    tokens = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 4, 4), torch.nn.Flatten(2), torch.nn.Linear(16, 5))
    profile = archscope.profile(tokens, input=(3, 16, 16), columns=COLUMNS)
    assert [row.values["receptive_field"] for row in profile.rows] == [4, None, None]
    assert profile.totals["receptive_field"].status == "unavailable"


@pytest.mark.parametrize(("cell", "size"), [("groupnorm2", 16), ("batchnorm", 3), ("LRN", 3), ("prelu4", 3)])
def test_a_norm_of_whole_maps_sees_them_whole(cell: str, size: int) -> None:
    spec = archscope.load(["conv3-4", f"norm: {cell}"], input=(1, 16, 16))
    assert of_layer(spec, "norm")[0] == size


def test_a_soft_max_over_positions_is_not_known() -> None:
    spec = archscope.load(["conv3-4", "x: soft-max dim=2"], input=(1, 16, 16))
    assert of_layer(spec, "x", softmax=True) == (None,) * 4


def test_axes_that_differ_are_shown_apart() -> None:
    spec = archscope.load(["conv1×7-4", "x: conv3×1-4/2"], input=(1, 32, 32))
    assert of_layer(spec, "x") == ((3, 7), 2, (-1, -3), "exact")


def test_a_folded_block_has_the_field_of_its_output() -> None:
    rows = archscope.profile("googlenet", columns=COLUMNS).at_depth(0)
    assert {row.name: row.values["receptive_field"] for row in rows}["inception3a"] == 59


@dataclass(frozen=True, slots=True)
class Riddle(Op):
    """An op that does not say what it sees."""

    notation: ClassVar[str | None] = "riddle"

    def out_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def torch(self, *inputs: Shape) -> Call:  # noqa: ARG002  the contract's signature
        return Call("nn.Identity")


def test_what_is_not_known_is_not_guessed() -> None:
    spec = archscope.load(["a: conv3-8", "riddle", "b: conv3-8"], input=(1, 32, 32), ops=[Riddle])
    assert of_layer(spec, "a")[0] == 3
    assert of_layer(spec, "b") == (None,) * 4
    assert archscope.profile(spec, columns=COLUMNS).totals["receptive_field"].status == "unavailable"
    assert set(totals(spec).values()) == {None}


def test_the_column_can_be_sorted_by_and_its_status_cannot(archscope: Any) -> None:
    lines = archscope("summary vgg16 --columns receptive_field --sort receptive_field --input 224x320").out.split("\n")
    assert [line.split()[0] for line in lines[4:6]] == ["flatten", "fc6"]
    outcome = archscope("summary vgg16 --columns receptive_field_status --sort receptive_field_status")
    assert (outcome.code, "'receptive_field_status', and texts have no order" in outcome.err) == (
        UsageError.exit_code,
        True,
    )


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Small convolutions wait for one another's threads longer than they take."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


# --- brute force ----------------------------------------------------------------------------------------------------


def module_of(network: Any) -> Any:
    """The module with every weight positive, and no pool or norm that would hide an input: gradients cannot vanish."""
    model = archscope.build(network).double().eval()
    for path, module in list(model.named_modules()):
        parent, _, name = path.rpartition(".")
        if isinstance(module, torch.nn.MaxPool2d):
            pool = torch.nn.AvgPool2d(module.kernel_size, module.stride, module.padding, module.ceil_mode)
            setattr(model.get_submodule(parent), name, pool)
        elif isinstance(module, torch.nn.LocalResponseNorm):
            setattr(model.get_submodule(parent), name, torch.nn.Identity())
    with torch.no_grad():
        for name, tensor in model.named_parameters():
            tensor.fill_(0 if name.endswith("bias") else 1 / tensor[0].numel())
    return model


def supports(model: Any, shape: tuple[int, ...], units: list[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """Per unit of the output (a vector is one), the first and last input row and column that have a gradient."""
    image = torch.full((1, *shape), 1e-9, dtype=torch.float64, requires_grad=True)
    output = model(image)
    found = []
    for row, column in units:
        values = output[0, :, row, column] if output.dim() == 4 else output[0]
        (gradient,) = torch.autograd.grad(values.sum(), image, retain_graph=True)
        seen = gradient[0].abs().amax(0) > 0
        found.append([_ends(seen.any(1)), _ends(seen.any(0))])
    return found


def _ends(mask: Any) -> tuple[int, int]:
    at = mask.nonzero().flatten()
    return int(at[0]), int(at[-1])


def unit_inside(reach: Reach) -> int:
    """The first output whose field begins inside the input."""
    return -(int(reach.start) // int(reach.jump))


def pixels(reach: Reach, unit: int) -> tuple[int, int]:
    first = reach.start + unit * reach.jump
    return first, first + reach.size - 1


def room(reach: Reach) -> int:
    """Pixels of an input in which two neighbouring outputs have their whole field, far from the end."""
    pixel = int(pixels(reach, unit_inside(reach) + 1)[1])
    return pixel + 4 * reach.jump + 32 - pixel % 32  # a multiple of 32, which branches of stride 2 may need


def without_head(spec: Spec, field: Field) -> Spec:
    """The network up to the map with the field that its total speaks of."""
    graph = archscope.lower(spec)
    found = fields(graph)
    last = [node for node in graph.nodes if (found[node.outputs[0]] or Field(())).axes == field.axes][-1]
    return replace(spec, root=cut(spec.root, last.path.split(".")))


def cut(block: Block, path: list[str]) -> Block:
    """A chain up to an item on the path; sections are cut as well, other blocks stay whole."""
    at = [item.module for item in block.items].index(path[0])
    last = block.items[at]
    if isinstance(last, Block) and last.section:
        last = cut(last, path[1:])
    return block._replace(items=(*block.items[:at], last))


SHIPPED = [
    "lenet5", "alexnet", "nin_cifar10", "vgg16_c", "googlenet", "bn_inception", "inception_v3_torchvision",
    "inception_v4", "squeezenet1_1", "resnet18", "resnet20", "mobilenet_v2",
]  # fmt: skip


SIDE = 96
"""Pixels of the side that is not looked at: enough for what is not padded."""

WIDTHS: dict[str, Any] = {
    "lenet5": {}, "nin_cifar10": {}, "resnet20": {}, "alexnet": {"width": "1/16"},
}  # fmt: skip
"""The others are made as narrow as this, which changes no field."""


@pytest.mark.parametrize(("network", "axis"), [*((name, 0) for name in SHIPPED), ("inception_v4", 1)])
def test_a_networks_field_is_where_its_output_has_gradients(network: str, axis: int) -> None:
    spec = archscope.load(network, aux=False, **WIDTHS.get(network, {"width": "1/64"}))
    field = features(archscope.lower(spec))
    assert field is not None
    sides = [SIDE, SIDE]
    sides[axis] = room(field.axes[axis])
    image = (spec.input_shape[0], *sides)
    features_only = replace(without_head(spec, field), input_shape=image)
    graph = archscope.lower(features_only)
    out = graph.tensors[graph.outputs[0].tensor].shape[2:]
    first = unit_inside(field.axes[axis])
    assert first + 1 < out[axis]
    units = [(first + n, out[1] // 2) if axis == 0 else (out[0] // 2, first + n) for n in (0, 1)]
    found = supports(module_of(features_only), image, units)
    assert [ends[axis] for ends in found] == [pixels(field.axes[axis], first + n) for n in (0, 1)]


KEEPING = ["conv1-2", "conv3-2", "conv1×5-2", "conv7×3-2", "conv3-2 dilation=3 padding=3", "maxpool3/1 same", "LRN"]
SMALLER = ["conv2-2 padding=0", "conv4-2 padding=1", "conv3-2 dilation=2 padding=1×1"]
HALVING = ["conv1-2/2", "conv3-2/2", "conv5-2/2", "conv7×1-2/2", "maxpool3/2 same", "avgpool5/2 same"]
CHAIN = [*KEEPING, *SMALLER, *HALVING, "relu", "conv5-2/3 valid", "maxpool", "maxpool3/2 ceil", "conv3-2/2×1 padding=2"]


@st.composite
def blocks(draw: st.DrawFn) -> Any:
    """A cell, or branches that end in maps of one size."""
    if draw(st.booleans()):
        return draw(st.sampled_from(CHAIN))
    last = draw(st.sampled_from([["conv1-2"], SMALLER, HALVING]))
    before = st.lists(st.sampled_from(KEEPING), max_size=2)
    branch = st.builds(lambda cells, end: [*cells, end, "conv1-2"], before, st.sampled_from(last))
    join = draw(st.sampled_from(["concat", "add"]))
    return {"join": join, "branches": draw(st.lists(branch, min_size=2, max_size=3))}


@settings(max_examples=30)
@given(st.lists(blocks(), min_size=1, max_size=4))
def test_a_made_up_networks_field_is_where_its_output_has_gradients(cells: list[Any]) -> None:
    try:
        field = features(archscope.lower(archscope.load(cells, input=(2, 400, 400))))
    except archscope.ArchscopeError:
        assume(False)
    assert field is not None
    assert all(reach.exact for reach in field.axes)
    sides = [room(reach) for reach in field.axes]
    assume(max(sides) < 200)
    spec = archscope.load(cells, input=(2, *sides))
    first = [unit_inside(reach) for reach in field.axes]
    units = [(first[0], first[1]), (first[0] + 1, first[1] + 1)]
    found = supports(module_of(spec), (2, *sides), units)
    assert found == [[pixels(reach, unit[axis]) for axis, reach in enumerate(field.axes)] for unit in units]


GATE = {"join": "mul", "branches": [["conv3-2/2"], ["conv1-2", "adaptiveavgpool1", "conv1-2", "sigmoid"]]}
ODD = [
    "adaptiveavgpool3", "adaptiveavgpool5×2", "adaptiveavgpool1", "avgpool4", GATE,
    {"join": "concat", "branches": [["conv1-2", "adaptiveavgpool4"], ["conv3-2/2", "adaptiveavgpool4"]]},
    {"join": "add", "branches": [["conv3-2", "adaptiveavgpool4×4"], ["adaptiveavgpool4", "conv3-2"]]},
]  # fmt: skip


@settings(max_examples=30)
@given(
    st.lists(st.sampled_from([*KEEPING, *HALVING]), max_size=3),
    st.sampled_from(ODD),
    st.lists(st.sampled_from([*KEEPING, "FC-2"]), max_size=2),
    st.tuples(st.integers(8, 30), st.integers(8, 30)),
)
def test_no_output_sees_more_than_its_field(
    before: list[Any], odd: Any, after: list[Any], sides: tuple[int, int]
) -> None:
    try:
        spec = archscope.load([*before, odd, *after], input=(2, *sides))
        graph = archscope.lower(spec)
    except archscope.ArchscopeError:
        assume(False)
    tensor = graph.outputs[0].tensor
    field, shape = fields(graph)[tensor], graph.tensors[tensor].shape
    assert field is not None
    units = [(row, column) for row in range(shape[2]) for column in range(shape[3])] if len(shape) == 4 else [(0, 0)]
    for unit, ends in zip(units, supports(module_of(spec), (2, *sides), units), strict=True):
        for axis, reach in enumerate(field.axes):
            first, last = pixels(reach, unit[axis])
            seen = (max(0, first), min(sides[axis] - 1, last))
            assert seen[0] <= ends[axis][0]
            assert ends[axis][1] <= seen[1]
            assert not (reach.exact and reach.jump == 0) or ends[axis] == seen


def test_branches_of_different_strides_have_a_bound() -> None:
    branches = [["conv5-2/4 padding=2"], ["conv7-2 valid"]]
    spec = archscope.load([{"join": "concat", "branches": branches}, "end: relu"], input=(1, 8, 8))
    size, jump, _, status = of_layer(spec, "end")
    assert (size, jump, status) == (10, 4, "bound")  # 2 below the first output to 7 above it
    assert union(Reach(5, 4, -2, 8), Reach(7, 1, 0, 8), 2) == Reach(10, 4, -3, 8, exact=False)


def test_a_total_that_is_a_bound_is_printed_as_at_most(archscope: Any, here: Any) -> None:
    table = "title = 'Net'\ninput = [1, 10, 10]\ngrid = '''\n| A |\n|---|\n| adaptiveavgpool4 |\n| conv3-4 |\n'''\n"
    (here / "net.toml").write_text(table)
    lines = archscope("summary ./net.toml --columns receptive_field,receptive_field_status").out.split("\n")
    (line,) = (each for each in lines if each.startswith("total"))
    assert line.split() == ["total", "≤", "8", "bound"]


def test_a_slice_of_joined_branches_has_a_bound() -> None:
    cells = [{"join": "concat", "branches": [["conv1-2"], ["conv5-2"]]}, "part: slice0:2", "next: conv3-2"]
    spec = archscope.load(cells, input=(1, 16, 16))
    assert of_layer(spec, "part") == (5, 1, -2, "bound")
    assert of_layer(spec, "next") == (7, 1, -3, "bound")
    assert of_layer(archscope.load(["conv3-4", "part: slice0:2"], input=(1, 16, 16)), "part")[3] == "exact"


@pytest.mark.parametrize("wider", [0, 32])
@pytest.mark.parametrize("network", ["vgg16", "googlenet", "se_resnet50", "lenet5"])
def test_the_total_of_a_sweep_is_that_of_each_point(network: str, wider: int) -> None:
    sides = [224, 225, 256, 320]
    many = Counts(np.array(sides)), Counts(np.array(sides) + wider)
    graph = resized(archscope.lower(network), (1, archscope.load(network).input_shape[0], *many))
    value = profiling.totals(graph, Setting(), ["receptive_field"])["receptive_field"].value
    axes = value if isinstance(value, tuple) else (value,)
    for point, side in enumerate(sides):
        at = tuple(int(np.broadcast_to(getattr(each, "values", each), 4)[point]) for each in axes)
        alone = totals(network, input_size=(side, side + wider))["receptive_field"]
        assert (alone if isinstance(alone, tuple) else (alone,) * len(at)) == at


def test_arrays_of_sizes_give_the_fields_of_each_point() -> None:
    sides = [224, 225, 256, 320]
    for network in ("vgg16", "googlenet", "se_resnet50", "densenet121"):
        graphs = [archscope.lower(network, input_size=(side, side + 32)) for side in sides]
        tensors = zip(*(graph.tensors for graph in graphs), strict=True)
        merged = [Tensor(tuple(map(np.array, zip(*(each.shape for each in same), strict=True)))) for same in tensors]
        together = features(replace(graphs[0], tensors=tuple(merged)))
        assert together is not None
        for point, graph in enumerate(graphs):
            alone = features(graph)
            assert alone is not None
            at = [[int(np.broadcast_to(value, len(sides))[point]) for value in reach] for reach in together.axes]
            assert at == [list(reach) for reach in alone.axes]


@pytest.mark.parametrize(
    ("cells", "size"),
    [
        (["conv3-2/2 valid"], 7),  # positions 0 to 2; pixel 7 of 8 is left out
        (["conv3-2/2 valid", "conv3-2"], 7),  # and no padding brings it back
        (["conv1-2/2", "conv3-2"], 7),
        (["conv3-2/2"], 8),
        (["maxpool3/2 ceil"], 8),
    ],
)
def test_what_no_window_reached_stays_unseen(cells: list[str], size: int) -> None:
    spec = archscope.load([*cells, "all: adaptiveavgpool1"], input=(1, 8, 8))
    assert of_layer(spec, "all") == (size, 0, 0, "exact")


def test_a_window_that_may_pass_over_the_border_makes_the_whole_a_bound() -> None:
    spec = archscope.load(["a: conv2-2/3 dilation=3 padding=1", "all: adaptiveavgpool1"], input=(1, 9, 9))
    assert of_layer(spec, "a")[3] == "exact"
    assert of_layer(spec, "all")[3] == "bound"
    gaps = archscope.load(["conv2-2 dilation=4 padding=1", "all: adaptiveavgpool1"], input=(1, 3, 3))
    assert of_layer(gaps, "all")[3] == "bound"  # its taps are at -1 and 3, and the input ends at 2


@pytest.mark.parametrize("turned", [False, True])
def test_a_branch_whose_windows_may_pass_over_the_border_makes_a_joins_whole_a_bound(turned: bool) -> None:
    branches = [["conv2-2/3 dilation=3 padding=1"], ["conv1-2/3"]]
    cells = [{"join": "add", "branches": branches[::-1] if turned else branches}, "all: adaptiveavgpool1"]
    spec = archscope.load(cells, input=(1, 5, 5))
    assert supports(module_of(spec), (1, 5, 5), [(0, 0)]) == [[(0, 3), (0, 3)]]
    assert of_layer(spec, "all") == (5, 0, 0, "bound")

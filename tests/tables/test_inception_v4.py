"""Inception-v4 and the Inception-ResNets of arXiv:1602.07261 against exact figures."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import archscope
from archscope.core.arithmetic import product
from archscope.core.errors import ShapeError
from archscope.graph.graph import Graph, Node
from archscope.graph.lowering import lower
from archscope.ops import letters
from archscope.ops.conv import Conv
from archscope.spec.compiler import compile_table
from archscope.spec.mending import without_instead
from archscope.spec.naming import named
from archscope.spec.table import Table, read_source, read_table
from archscope.targets.torch_module import module_of

TABLES = Path(__file__).parents[2] / "tables"

EXACT = {
    "inception_v4": ("inception_v4", 42_679_816, 12_253_974_624),
    "inception_resnet_v1": ("inception_resnet_v1", 22_756_328, 6_206_361_696),
    "inception_resnet_v2": ("inception_resnet_v2", 32_433_928, 9_257_953_632),
    "inception_resnet_v2_10_20_10": ("inception_resnet_v2", 55_284_488, 14_142_011_232),
    "inception_resnet_v2_released": ("inception_resnet_v2_released", 55_843_464, 13_155_794_016),
}
"""Table, params and MACs at 299×299."""

MENDED = {
    "inception_v4": ["3x3 Conv (192 V)", "1x7 Conv (256)"],
    "inception_resnet_v1": [],
    "inception_resnet_v2": ["3x3 Conv (192 V)", "1x1 Conv (1154 Linear)", "1x1 Conv (2048 Linear)"],
}
"""Boxes of the figures that the networks cannot have as they are drawn."""


def _table(stem: str) -> Table:
    return read_table(read_source(TABLES / f"{stem}.toml"))


@functools.cache
def _graph(network: str) -> Graph:
    return lower(named(compile_table(_table(EXACT[network][0]), network)))


def _as_drawn(stem: str, printed: str) -> Table:
    """A table with one cell as it is printed, the others mended."""
    table = _table(stem)
    (number,) = [n for n, each in enumerate(table.data["errata"]) if each["printed"] == printed]
    return without_instead(table, number)


@pytest.mark.parametrize("network", EXACT)
def test_each_network_has_its_exact_params_and_macs(network: str) -> None:
    graph = _graph(network)
    assert sum(product(parameter.shape) for parameter in graph.parameters) == EXACT[network][1]
    assert sum(node.op.macs(*graph.shapes_in(node)) or 0 for node in graph.nodes) == EXACT[network][2]


@pytest.mark.parametrize("network", ["inception_v4", "inception_resnet_v1", "inception_resnet_v2_released"])
def test_the_built_module_has_the_params_and_macs_of_the_graph(network: str) -> None:
    graph = _graph(network)
    model = module_of(graph, device="meta").eval()
    with FlopCounterMode(display=False) as counter:
        out = model(torch.empty(graph.tensors[graph.inputs[0]].shape, device="meta"))
    assert counter.get_total_flops() == 2 * EXACT[network][2]
    assert sum(its.numel() for its in model.parameters()) == EXACT[network][1]
    assert out.shape == (1, 1000)


@pytest.mark.parametrize("stem", MENDED)
def test_every_printed_size_is_that_of_its_part(stem: str) -> None:
    graph = _graph(stem)
    for row in _table(stem).grid.rows:
        line, printed = row["part"].span.line, row["output"].text
        nodes = [node for node in graph.nodes if node.span is not None and node.span.line == line]
        channels, *axes = graph.shape_out(nodes[-1])[1:]
        if printed:
            assert printed in {"x".join(map(str, (*axes, channels))), str(channels)}


@pytest.mark.parametrize("stem", MENDED)
def test_errata_are_the_boxes_that_are_mended(stem: str) -> None:
    table = _table(stem)
    errata = [entry["printed"] for entry in table.data.get("errata", []) if "published" not in entry]
    assert errata == MENDED[stem]


@pytest.mark.parametrize(
    ("stem", "printed", "message"),
    [
        ("inception_v4", "3x3 Conv (192 V)", "branches differ in height or width: 192×69×69, 192×35×35"),
        ("inception_resnet_v2", "3x3 Conv (192 V)", "branches differ in height or width: 192×69×69, 192×35×35"),
        ("inception_resnet_v2", "1x1 Conv (1154 Linear)", "got 1154×17×17, 1152×17×17"),
        ("inception_resnet_v2", "1x1 Conv (2048 Linear)", "got 2048×8×8, 2144×8×8"),
    ],
)
def test_the_figures_cannot_be_built_as_they_are_drawn(stem: str, printed: str, message: str) -> None:
    spec = named(compile_table(_as_drawn(stem, printed), stem))
    with pytest.raises(ShapeError, match=message) as caught:
        lower(spec)
    span = caught.value.problems[0].span
    assert span is not None
    assert span.line_text[span.column - 1 :].startswith(printed)


def test_as_drawn_a_way_of_inception_b_would_see_a_row_of_thirteen_places() -> None:
    table = _as_drawn("inception_v4", "1x7 Conv (256)")
    kernels = []
    for graph in (_graph("inception_v4"), lower(named(compile_table(table, "inception_v4")))):
        nodes = [node.op for node in graph.nodes if node.path.startswith("inception_B1.branch3")]
        kernels.append([op.kernel_size for op in nodes if isinstance(op, Conv)])
    assert kernels == [[1, (1, 7), (7, 1)], [1, (1, 7), (1, 7)]]


def test_the_plain_name_is_figure_15s_network_with_its_modules_half_as_often_as_released() -> None:
    counts = {}
    for network in ("inception_resnet_v2", "inception_resnet_v2_10_20_10"):
        names = {node.path.split(".")[0] for node in _graph(network).nodes if "inception_resnet" in node.path}
        counts[network] = [len([name for name in names if f"_{letter}" in name]) for letter in "ABC"]
    assert list(counts.values()) == [[5, 10, 5], [10, 20, 10]]


def test_the_blocks_knob_makes_one_of_the_other() -> None:
    spec = archscope.load("inception_resnet_v2", blocks=[10, 20, 10])
    assert spec.changes == ("blocks: these are the blocks of inception_resnet_v2_10_20_10",)
    assert archscope.load("inception_resnet_v2_10_20_10", blocks=[5, 10, 5]).repeats == (5, 10, 5)


@pytest.mark.parametrize("network", [name for name in EXACT if "resnet" in name])
def test_residuals_are_scaled_before_they_are_added_to_an_input_of_their_size(network: str) -> None:
    graph = _graph(network)
    makers: dict[int, Node] = {index: node for node in graph.nodes for index in node.outputs}
    added = [node for node in graph.nodes if letters(node.op.notation or "") == "add"]
    assert len(added) == (20 if network in {"inception_resnet_v1", "inception_resnet_v2"} else 40)
    for node in added:
        scale = makers[node.inputs[0]]
        linear = makers[scale.inputs[0]]
        assert letters(scale.op.notation or "") == "times"
        assert isinstance(linear.op, Conv)
        assert linear.op.bias
        assert graph.shapes_in(node)[0] == graph.shapes_in(node)[1]


def test_the_released_networks_modules_are_called_as_in_timm() -> None:
    keys = [parameter.key for parameter in _graph("inception_resnet_v2_released").parameters]
    assert {key.split(".")[0] for key in keys} == {
        "conv2d_1a", "conv2d_2a", "conv2d_2b", "conv2d_3b", "conv2d_4a", "mixed_5b", "repeat", "mixed_6a", "repeat_1",
        "mixed_7a", "repeat_2", "block8", "conv2d_7b", "classif",
    }  # fmt: skip
    assert {
        "mixed_5b.branch3.1.conv.weight", "repeat.9.branch2.2.bn.bias", "repeat_1.19.conv2d.bias",
        "repeat_2.8.branch1.1.conv.weight", "block8.conv2d.weight",
    } <= set(keys)  # fmt: skip

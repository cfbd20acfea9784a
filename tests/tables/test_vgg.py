"""VGG's Table 1 against exact figures, Table 2, CS231n's listing and torchvision."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from archscope.core.arithmetic import product
from archscope.graph.graph import Graph, Node
from archscope.graph.lowering import lower
from archscope.ops.relu import ReLU
from archscope.spec.compiler import compile_table
from archscope.spec.naming import named
from archscope.spec.table import Table, read_grid, read_source, read_table

TABLES = Path(__file__).parents[2] / "tables"

EXACT = {
    "vgg11": ("A", 11, 132_863_336, 7_609_090_048),
    "vgg11_lrn": ("A-LRN", 11, 132_863_336, 7_609_090_048),
    "vgg13": ("B", 13, 133_047_848, 11_308_466_176),
    "vgg16_c": ("C", 16, 133_638_952, 11_770_888_192),
    "vgg16": ("D", 16, 138_357_544, 15_470_264_320),
    "vgg19": ("E", 19, 143_667_240, 19_632_062_464),
}
"""Column, weight layers, params with biases and MACs at 224×224."""


def _table() -> Table:
    return read_table(read_source(TABLES / "vgg.toml"))


def _graph(network: str) -> Graph:
    return lower(named(compile_table(_table(), network)))


def _params(graph: Graph) -> int:
    return sum(product(parameter.shape) for parameter in graph.parameters)


def _weighted(graph: Graph) -> list[Node]:
    return [node for node in graph.nodes if node.op.weight_layer]


@pytest.mark.parametrize("network", EXACT)
def test_every_column_has_its_exact_params_macs_and_weight_layers(network: str) -> None:
    column, weight_layers, params, macs = EXACT[network]
    graph = _graph(network)
    assert _params(graph) == params
    assert sum(node.op.macs(*graph.shapes_in(node)) or 0 for node in graph.nodes) == macs
    assert len(_weighted(graph)) == weight_layers
    assert _table().grid.rows[0][column].text == f"{weight_layers} weight layers"


def test_every_column_rounds_to_its_params_in_table_2() -> None:
    table = _table()
    published = table.data["published"][0]
    (row,) = read_grid(table.source, "published[0]", published["grid"]).rows
    for head, names in published["columns"].items():
        assert {str(round(_params(_graph(name)) / 10**6)) for name in names} == {row[head].text}
    assert {name for names in published["columns"].values() for name in names} == set(EXACT)


def test_every_row_of_the_cs231n_listing_has_its_shape_and_weights() -> None:
    table, graph = _table(), _graph("vgg16")
    rows = read_grid(table.source, "published[1]", table.data["published"][1]["grid"]).rows[1:]
    nodes = [node for node in graph.nodes if node.op.weight_layer or node.name.startswith("pool")]
    for row, node in zip(rows, nodes, strict=True):
        channels, *axes = graph.shape_out(node)[1:]
        height, width = axes or (1, 1)
        assert row["shape"].text == f"[{height}x{width}x{channels}]"
        weights = product(graph.parameters[node.parameters["weight"]].shape) if node.parameters else 0
        assert int(row["weights"].text.split("=")[-1].replace(",", "")) == weights


def test_the_cs231n_listing_adds_up_to_15237608_values_and_not_24m() -> None:
    graph = _graph("vgg16")
    counted = [node for node in graph.nodes if node.op.weight_layer or node.name.startswith("pool")]
    total = 3 * 224 * 224 + sum(product(graph.shape_out(node)) for node in counted)
    erratum = _table().data["errata"][0]
    assert total == 15_237_608
    assert f"{total:,}" in erratum["says"]


def test_every_hidden_layer_is_rectified_and_the_classifier_is_not() -> None:
    for network in EXACT:
        graph = _graph(network)
        readers = {node.inputs[0]: node for node in graph.nodes}
        *hidden, classifier = _weighted(graph)
        assert all(isinstance(readers[node.outputs[0]].op, ReLU) for node in hidden)
        assert not isinstance(readers[classifier.outputs[0]].op, ReLU)


def test_layers_are_called_as_in_the_authors_models() -> None:
    names = [node.name for node in _weighted(_graph("vgg16"))]
    assert " ".join(names) == (
        "conv1_1 conv1_2 conv2_1 conv2_2 conv3_1 conv3_2 conv3_3 conv4_1 conv4_2 conv4_3 conv5_1 conv5_2 conv5_3 "
        "fc6 fc7 fc8"
    )


def test_column_a_lrn_normalises_after_its_first_relu() -> None:
    names = [re.sub(r"\d.*", "", node.name) for node in _graph("vgg11_lrn").nodes[:4]]
    assert names == ["conv", "relu", "norm", "pool"]


@pytest.mark.parametrize("network", ["vgg11", "vgg13", "vgg16", "vgg19"])
def test_the_keys_and_shapes_are_those_of_torchvisions_state_dict(network: str) -> None:
    torch = pytest.importorskip("torch")
    models = pytest.importorskip("torchvision.models")
    with torch.device("meta"):
        state = getattr(models, network)(weights=None).state_dict()
    stored = {parameter.key: tuple(parameter.shape) for parameter in _graph(network).parameters}
    assert stored == {key: tuple(tensor.shape) for key, tensor in state.items()}

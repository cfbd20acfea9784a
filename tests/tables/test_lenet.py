"""LeNet-5 with its connection table, and the tutorials' simplification, against exact figures."""

from __future__ import annotations

from pathlib import Path

import pytest

from archscope.core.arithmetic import product
from archscope.graph.graph import Graph, Node
from archscope.graph.lowering import lower
from archscope.ops.avgpool import AvgPool
from archscope.ops.slice import Slice
from archscope.spec.compiler import compile_table
from archscope.spec.connections import connected_channels
from archscope.spec.naming import named
from archscope.spec.table import Table, read_grid, read_source, read_table

TABLES = Path(__file__).parents[2] / "tables"

LAYERS = ("c1", "s2", "c3", "s4", "c5", "f6")

TABLE_I = [
    {0, 1, 2}, {1, 2, 3}, {2, 3, 4}, {3, 4, 5}, {0, 4, 5}, {0, 1, 5},
    {0, 1, 2, 3}, {1, 2, 3, 4}, {2, 3, 4, 5}, {0, 3, 4, 5}, {0, 1, 4, 5}, {0, 1, 2, 5},
    {0, 1, 3, 4}, {1, 2, 4, 5}, {0, 2, 3, 5}, {0, 1, 2, 3, 4, 5},
]  # fmt: skip
"""The maps of S2 that each map of C3 sees."""


def _table(stem: str) -> Table:
    return read_table(read_source(TABLES / f"{stem}.toml"))


def _graph(stem: str, network: str) -> Graph:
    return lower(named(compile_table(_table(stem), network)))


def _nodes(graph: Graph, layer: str) -> list[Node]:
    return [node for node in graph.nodes if node.path.split(".")[0] == layer]


def _params(graph: Graph, nodes: list[Node]) -> int:
    return sum(product(graph.parameters[at].shape) for node in nodes for at in node.parameters.values())


def _connections(graph: Graph, layer: str) -> int:
    """Values that each unit sees, its bias one of them: a subsampling unit sees its window, and has one coefficient."""
    total = 0
    for node in _nodes(graph, layer):
        outputs = product(graph.shape_out(node))
        if isinstance(node.op, AvgPool):
            total += outputs * product(node.op.window.kernel_size)
        elif node.op.weight_layer:
            macs = node.op.macs(*graph.shapes_in(node)) or 0
            total += outputs + (0 if layer.startswith("s") else macs)
    return total


def _number(text: str) -> int:
    return int(text.replace(" ", ""))


def test_lenet5_has_exactly_60000_params_divided_as_printed() -> None:
    graph, rows = _graph("lenet", "lenet5"), _table("lenet").grid.rows[1:-1]
    counts = [_params(graph, _nodes(graph, layer)) for layer in LAYERS]
    assert counts == [156, 12, 1516, 32, 48_120, 10_164]
    assert counts == [_number(row["trainable parameters"].text) for row in rows]
    assert sum(counts) == _params(graph, list(graph.nodes)) == 60_000


def test_every_layer_has_the_printed_maps_and_size() -> None:
    graph = _graph("lenet", "lenet5")
    for layer, row in zip(LAYERS, _table("lenet").grid.rows[1:-1], strict=True):
        channels, *axes = graph.shape_out(_nodes(graph, layer)[-1])[1:]
        assert str(channels) == row["feature maps"].text
        assert "×".join(str(axis) for axis in axes) == row["size"].text


def test_printed_connections_are_right_but_for_c3() -> None:
    graph, table = _graph("lenet", "lenet5"), _table("lenet")
    computed = {layer: _connections(graph, layer) for layer in LAYERS}
    assert computed == {"c1": 122_304, "s2": 5880, "c3": 151_600, "s4": 2000, "c5": 48_120, "f6": 10_164}
    assert sum(computed.values()) == 340_068
    wrong = [
        (row["layer"].text, row["connections"].text)
        for layer, row in zip(LAYERS, table.grid.rows[1:-1], strict=True)
        if row["connections"].text and _number(row["connections"].text) != computed[layer]
    ]
    listed = [(entry["row"], entry["printed"]) for entry in table.data["errata"] if "published" not in entry]
    assert wrong == listed == [("C3", "156 000")]


def test_table_i_connects_the_maps_as_printed() -> None:
    table = _table("lenet")
    grid = read_grid(table.source, "blocks[0]", table.data["blocks"][0]["connections"], key="connections")
    assert [{i for start, stop in runs for i in range(start, stop)} for runs in connected_channels(grid)] == TABLE_I


def test_every_map_of_c3_slices_the_maps_that_table_i_marks() -> None:
    graph = _graph("lenet", "lenet5")
    seen: dict[str, set[int]] = {}
    for node in _nodes(graph, "c3"):
        if isinstance(node.op, Slice):
            seen.setdefault(node.path.split(".")[2], set()).update(range(node.op.start, node.op.stop))
    assert list(seen.values()) == TABLE_I


@pytest.mark.parametrize("layer", LAYERS)
def test_every_layer_ends_in_the_scaled_tanh(layer: str) -> None:
    last = [node.path.rpartition(".")[2] for node in _nodes(_graph("lenet", "lenet5"), layer)[-3:]]
    assert last == ["slope", "tanh", "amplitude"]


def test_the_tutorials_network_has_61706_params() -> None:
    graph = _graph("lenet_tutorial", "lenet_tutorial")
    assert [_params(graph, [node]) for node in graph.nodes if node.parameters] == [156, 2416, 48_120, 10_164, 850]
    assert _params(graph, list(graph.nodes)) == 61_706

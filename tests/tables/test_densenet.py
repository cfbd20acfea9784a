"""DenseNet's Table 1, exactly, and against torchvision."""

from __future__ import annotations

import pytest
from zoo import assert_is_torchvisions, counts, explained, module_counts, table, weighted

import archscope
from archscope.graph.graph import Graph

EXACT = {
    "densenet121": ((6, 12, 24, 16), 7_978_856, 2_834_161_664),
    "densenet169": ((6, 12, 32, 32), 14_149_480, 3_359_843_328),
    "densenet201": ((6, 12, 48, 32), 20_013_928, 4_291_365_888),
    "densenet264": ((6, 12, 64, 48), 33_337_704, 5_751_653_376),
}
"""Layers of each dense block, params and MACs."""


def _channels(graph: Graph, path: str) -> int:
    node = next(node for node in graph.nodes if node.path == path)
    return graph.shape_out(node)[1]


@pytest.mark.parametrize("name", EXACT)
def test_every_column_has_its_exact_params_and_macs(name: str) -> None:
    assert counts(name) == EXACT[name][1:]


@pytest.mark.parametrize("name", EXACT)
def test_every_module_has_the_params_and_macs_of_its_graph(name: str) -> None:
    assert module_counts(name) == EXACT[name][1:]


@pytest.mark.parametrize("name", ["densenet121", "densenet169", "densenet201"])
def test_torchvisions_state_dict_fits_and_gives_its_outputs(name: str) -> None:
    assert_is_torchvisions(name, name)
    assert archscope.load(name).torchvision == name


def test_the_largest_network_is_named_for_a_layer_less_than_it_has() -> None:
    assert explained("densenet") == [("densenet264", "depth of total (Table 1, the head of the column)", "264")]


@pytest.mark.parametrize("name", EXACT)
def test_every_column_has_its_printed_layers_and_what_they_add_up_to(name: str) -> None:
    layers = EXACT[name][0]
    rows = [row for row in table("densenet").grid.rows if row["Layers"].text.startswith("Dense Block")]
    column = archscope.load(name).column
    assert [row[column].text for row in rows] == [f"[1 × 1 conv; 3 × 3 conv] × {count}" for count in layers]
    graph = archscope.lower(name)
    for block, count in enumerate(layers, 1):
        inner = [node for node in weighted(graph) if f"denseblock{block}." in node.path]
        assert len(inner) == 2 * count
    assert archscope.profile(name).depth == 2 * sum(layers) + 5


def test_the_name_of_264_layers_is_one_short() -> None:
    depths = {name: archscope.profile(name).depth for name in EXACT}
    assert depths == {"densenet121": 121, "densenet169": 169, "densenet201": 201, "densenet264": 265}
    assert "265 layers" in table("densenet").text("note")


def test_every_layer_adds_32_maps_and_a_transition_halves_them() -> None:
    graph = archscope.lower("densenet121")
    channels = 64
    for block, count in enumerate(EXACT["densenet121"][0], 1):
        for layer in range(1, count + 1):
            path = f"features.denseblock{block}.denselayer{layer}"
            assert _channels(graph, f"{path}.norm1") == channels
            assert _channels(graph, f"{path}.conv1") == 128
            assert _channels(graph, f"{path}.conv2") == 32
            channels += 32
        if block < 4:
            channels //= 2
            assert _channels(graph, f"features.transition{block}.pool") == channels
    assert _channels(graph, "features.norm5") == channels == 1024


def test_a_transition_is_one_module_though_two_rows_describe_it() -> None:
    graph = archscope.lower("densenet121")
    nodes = [node for node in graph.nodes if node.path.startswith("features.transition1.")]
    assert [node.path.rpartition(".")[2] for node in nodes] == ["norm", "relu", "conv", "pool"]
    lines = [node.span.line for node in nodes if node.span is not None]
    assert lines == [lines[0]] * 3 + [lines[0] + 1]

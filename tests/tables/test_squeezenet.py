"""SqueezeNet's Table 1, and v1.1, against exact figures and torchvision."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torchvision
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from archscope.core.arithmetic import product
from archscope.graph.graph import Graph, Node
from archscope.graph.lowering import lower
from archscope.spec.compiler import compile_table
from archscope.spec.naming import named
from archscope.spec.table import Table, read_source, read_table
from archscope.targets.torch_module import module_of

TABLES = Path(__file__).parents[2] / "tables"

EXACT = {
    "squeezenet1_0": ("squeezenet", 1_248_424, 832_667_936),
    "squeezenet1_1": ("squeezenet1_1", 1_235_496, 349_151_936),
}
"""Table, params and MACs at the table's own input."""

ROWS = {
    "conv1": 14_208, "fire2": 11_920, "fire3": 12_432, "fire4": 45_344, "fire5": 49_440, "fire6": 104_880,
    "fire7": 111_024, "fire8": 188_992, "fire9": 197_184, "conv10": 513_000,
}  # fmt: skip
"""Params per row of Table 1, before pruning."""


def _table(stem: str) -> Table:
    return read_table(read_source(TABLES / f"{stem}.toml"))


def _graph(network: str) -> Graph:
    return lower(named(compile_table(_table(EXACT[network][0]), network)))


def _nodes(graph: Graph, row: str) -> list[Node]:
    return [node for node in graph.nodes if node.name.split(".")[0] == row]


def _params(graph: Graph, nodes: list[Node]) -> int:
    return sum(product(graph.parameters[index].shape) for node in nodes for index in node.parameters.values())


def _macs(graph: Graph) -> int:
    return sum(node.op.macs(*graph.shapes_in(node)) or 0 for node in graph.nodes)


@pytest.mark.parametrize("network", EXACT)
def test_each_version_has_its_exact_params_and_macs(network: str) -> None:
    graph = _graph(network)
    assert _params(graph, list(graph.nodes)) == EXACT[network][1]
    assert _macs(graph) == EXACT[network][2]


@pytest.mark.parametrize("network", EXACT)
def test_the_built_module_has_the_params_and_macs_of_the_graph(network: str) -> None:
    graph = _graph(network)
    model = module_of(graph, device="meta").eval()
    with FlopCounterMode(display=False) as counter:
        model(torch.empty(graph.tensors[graph.inputs[0]].shape, device="meta"))
    assert counter.get_total_flops() == 2 * _macs(graph)
    assert sum(its.numel() for its in model.parameters()) == EXACT[network][1]


def test_at_224_pixels_version_1_0_takes_the_macs_that_torchvision_states() -> None:
    table = _table("squeezenet")
    spec = compile_table(table._replace(data={**table.data, "input": [3, 224, 224]}), "squeezenet1_0")
    assert _macs(lower(named(spec))) == 818_924_576


def test_every_row_prints_the_params_that_its_filters_have() -> None:
    graph = _graph("squeezenet1_0")
    printed = {
        row["layer name/type"].text: row["#parameter before pruning"].text for row in _table("squeezenet").grid.rows
    }
    assert {name: int(text.replace(",", "")) for name, text in printed.items() if text} == ROWS
    assert {name: _params(graph, _nodes(graph, name)) for name in ROWS} == ROWS
    assert sum(ROWS.values()) == 1_248_424


def test_errata_of_the_table_are_exactly_the_sizes_that_arithmetic_refutes() -> None:
    graph, table = _graph("squeezenet1_0"), _table("squeezenet")
    refuted = []
    for row in table.grid.rows:
        name, text = row["layer name/type"].text.replace("maxpool", "pool"), row["output size"].text
        nodes = _nodes(graph, "avgpool10" if name.startswith("avg") else name)
        channels, height, width = graph.shape_out(nodes[-1])[1:] if nodes else graph.tensors[graph.inputs[0]].shape[1:]
        if f"{height}x{width}x{channels}" != text:
            refuted.append((row["layer name/type"].text, "output size", text))
    listed = [(e["row"], e["column"], e["printed"]) for e in table.data["errata"] if "published" not in e]
    assert refuted == listed == [
        ("input image", "output size", "224x224x3"), ("maxpool8", "output size", "13x12x512"),
    ]  # fmt: skip
    assert ((224 - 7) // 2 + 1, (227 - 7) // 2 + 1) == (109, 111)


def test_both_tables_have_the_same_fire_modules() -> None:
    first, second = (
        {row[label].text: tuple(row[head].text for head in heads) for row in _table(stem).grid.rows}
        for stem, label, heads in (
            ("squeezenet", "layer name/type", ("s1x1 (#1x1 squeeze)", "e1x1 (#1x1 expand)", "e3x3 (#3x3 expand)")),
            ("squeezenet1_1", "layer", ("s1x1", "e1x1", "e3x3")),
        )
    )
    fires = {name for name in first if name.startswith("fire")}
    assert len(fires) == 8
    assert {name: first[name] for name in fires} == {name: second[name] for name in fires}


@pytest.mark.parametrize("network", EXACT)
def test_torchvisions_weights_load_and_give_the_same_bits(network: str) -> None:
    reference = getattr(torchvision.models, network)(weights=None).eval()
    model = module_of(_graph(network)).eval()
    model.load_state_dict(reference.state_dict(), strict=True)
    torch.manual_seed(0)
    x = torch.rand(1, 3, 96, 96)
    with torch.no_grad():
        assert torch.equal(model(x), reference(x))


def test_features_and_classifier_are_sequential_and_the_result_is_flattened_behind_them() -> None:
    model = module_of(_graph("squeezenet1_0"), device="meta")
    assert [name for name, _ in model.named_children()] == ["features", "classifier"]
    assert all(isinstance(child, nn.Sequential) for child in model.children())
    assert [name for name, _ in model.features[3].named_children()] == [
        "squeeze", "squeeze_activation", "expand1x1", "expand1x1_activation", "expand3x3", "expand3x3_activation",
    ]  # fmt: skip
    assert model(torch.empty(2, 3, 224, 224, device="meta")).shape == (2, 1000)

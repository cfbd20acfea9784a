"""Network In Network's community models against exact figures."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from archscope.core.arithmetic import product
from archscope.graph.graph import Graph
from archscope.graph.lowering import lower
from archscope.ops.relu import ReLU
from archscope.spec.compiler import compile_table
from archscope.spec.naming import named
from archscope.spec.table import read_source, read_table
from archscope.targets.torch_module import module_of

TABLES = Path(__file__).parents[2] / "tables"

EXACT = {
    "nin_cifar10": ("nin", 966_986, 222_486_528, ["32×32", "16×16", "8×8"]),
    "nin_imagenet": ("nin_imagenet", 7_595_176, 1_100_188_800, ["54×54", "27×27", "13×13", "6×6"]),
}
"""Table, params, MACs, and the map that each mlpconv layer works on."""


def _graph(network: str) -> Graph:
    return lower(named(compile_table(read_table(read_source(TABLES / f"{EXACT[network][0]}.toml")), network)))


@pytest.mark.parametrize("network", EXACT)
def test_each_model_has_its_exact_params_and_macs(network: str) -> None:
    graph = _graph(network)
    assert sum(product(parameter.shape) for parameter in graph.parameters) == EXACT[network][1]
    assert sum(node.op.macs(*graph.shapes_in(node)) or 0 for node in graph.nodes) == EXACT[network][2]


@pytest.mark.parametrize("network", EXACT)
def test_the_built_module_has_the_params_and_macs_of_the_graph(network: str) -> None:
    graph = _graph(network)
    model = module_of(graph, device="meta").eval()
    with FlopCounterMode(display=False) as counter:
        out = model(torch.empty(graph.tensors[graph.inputs[0]].shape, device="meta"))
    assert counter.get_total_flops() == 2 * EXACT[network][2]
    assert sum(its.numel() for its in model.parameters()) == EXACT[network][1]
    assert out.shape == graph.tensors[graph.outputs[0].tensor].shape


@pytest.mark.parametrize("network", EXACT)
def test_an_mlpconv_layer_is_three_rectified_convolutions_on_one_map(network: str) -> None:
    graph = _graph(network)
    convolutions = [node for node in graph.nodes if node.op.weight_layer]
    readers = {node.inputs[0]: node for node in graph.nodes}
    maps = ["×".join(map(str, graph.shape_out(node)[2:])) for node in convolutions]
    assert maps == [each for each in EXACT[network][3] for _ in range(3)]
    assert all(isinstance(readers[node.outputs[0]].op, ReLU) for node in convolutions)

"""BN-Inception's Figure 5, Inception-v3's Table 1 and torchvision's Inception-v3 against exact figures."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
import torchvision
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import archscope
from archscope.core.arithmetic import product
from archscope.core.errors import ShapeError
from archscope.core.source import Source
from archscope.evidence.published import parting
from archscope.graph.graph import Graph, Node
from archscope.graph.lowering import lower
from archscope.spec.compiler import compile_table
from archscope.spec.mending import without_instead
from archscope.spec.naming import named
from archscope.spec.table import Table, read_source, read_table
from archscope.targets.torch_module import module_of

TABLES = Path(__file__).parents[2] / "tables"

EXACT = {
    "bn_inception": (11_285_224, 2_032_600_064),
    "inception_v3": (24_393_736, 6_024_796_256),
    "inception_v3_torchvision": (23_834_568, 5_713_216_096),
}
"""Params and MACs without auxiliary heads, at the table's own input."""

MODULES = {
    "inception3a": 256, "inception3b": 320, "inception3c": 576, "inception4a": 576, "inception4b": 576,
    "inception4c": 608, "inception4d": 608, "inception4e": 1056, "inception5a": 1024, "inception5b": 1024,
}  # fmt: skip
"""Channels that BN-Inception's modules end in: the sums of their columns."""


def _table(stem: str) -> Table:
    return read_table(read_source(TABLES / f"{stem}.toml"))


@functools.cache
def _graph(stem: str) -> Graph:
    return lower(named(compile_table(_table(stem), stem)))


def _main(graph: Graph) -> list[Node]:
    return [node for node in graph.nodes if not node.side]


def _params(graph: Graph, nodes: Sequence[Node]) -> int:
    return sum(product(graph.parameters[index].shape) for node in nodes for index in node.parameters.values())


def _macs(graph: Graph, nodes: Sequence[Node]) -> int:
    return sum(node.op.macs(*graph.shapes_in(node)) or 0 for node in nodes)


def _end(graph: Graph, module: str) -> tuple[int, ...]:
    return graph.shape_out([node for node in _main(graph) if node.path.split(".")[0] == module][-1])[1:]


@functools.cache
def _reference() -> nn.Module:
    """torchvision's network with its own random weights: without init_weights, which takes long."""
    return torchvision.models.inception_v3(init_weights=False)


@pytest.mark.parametrize("network", EXACT)
def test_each_network_has_its_exact_params_and_macs(network: str) -> None:
    graph = _graph(network)
    assert (_params(graph, _main(graph)), _macs(graph, _main(graph))) == EXACT[network]


@pytest.mark.parametrize("network", EXACT)
def test_the_built_module_has_the_params_and_macs_of_the_graph(network: str) -> None:
    graph = _graph(network)
    model = module_of(graph, device="meta").eval()
    with FlopCounterMode(display=False) as counter:
        model(torch.empty(graph.tensors[graph.inputs[0]].shape, device="meta"))
    assert counter.get_total_flops() == 2 * EXACT[network][1]
    assert sum(its.numel() for its in model.parameters()) == _params(graph, graph.nodes)


def test_bn_inceptions_errata_are_exactly_the_sizes_and_depths_that_arithmetic_refutes() -> None:
    graph, table = _graph("bn_inception"), _table("bn_inception")
    refuted = []
    for row in table.grid.rows:
        nodes = [node for node in graph.nodes if node.span is not None and node.span.line == row["type"].span.line]
        channels, height, width = graph.shape_out(nodes[-1])[1:]
        name, printed = row["type"].text, row["output size"].text
        if f"{height}×{width}×{channels}" != printed:
            refuted.append((name, "output size", printed))
        ways: dict[str, int] = {}
        for node in nodes:
            way = node.path.split(".")[1] if "inception" in node.path else ""
            ways[way] = ways.get(way, 0) + node.op.weight_layer
        if str(max(ways.values())) != row["depth"].text:
            refuted.append((name, "depth", row["depth"].text))
    listed = [(entry["row"], entry["column"], entry["printed"]) for entry in table.data["errata"]]
    assert refuted == listed == [
        ("convolution", "depth", "1"),
        ("inception (3c)", "output size", "28×28×576"),
        ("inception (4c)", "output size", "14×14×576"),
        ("inception (4d)", "output size", "14×14×576"),
        ("inception (4e)", "output size", "14×14×1024"),
    ]  # fmt: skip


def test_bn_inceptions_modules_end_in_the_sums_of_their_columns() -> None:
    graph = _graph("bn_inception")
    assert {module: _end(graph, module)[0] for module in MODULES} == MODULES
    assert [_end(graph, module)[1] for module in ("inception3b", "inception3c", "inception4d", "inception4e")] == [
        28, 14, 14, 7,
    ]  # fmt: skip


def test_with_96_channels_behind_its_pools_bn_inception_would_print_the_sizes_of_4c_to_4e_rightly() -> None:
    source = read_source(TABLES / "bn_inception.toml")
    lines = [
        line.replace("avg + 128", "avg + 96") if line.startswith(("| inception (4c)", "| inception (4d)")) else line
        for line in source.text.split("\n")
    ]
    table = read_table(Source(source.name, "\n".join(lines)))
    graph = lower(named(compile_table(table, "bn_inception")))
    assert [_end(graph, f"inception4{letter}")[0] for letter in "cde"] == [576, 576, 1024]
    assert _params(graph, graph.nodes) == 11_194_984


def test_inception_v3_has_the_stem_and_the_sizes_that_table_1_prints() -> None:
    graph, table = _graph("inception_v3"), _table("inception_v3")
    for row in table.grid.rows:
        nodes = [node for node in graph.nodes if node.span is not None and node.span.line == row["type"].span.line]
        channels, *axes = graph.shapes_in(nodes[0])[0][1:]
        height, width = axes or (1, 1)
        assert f"{height}×{width}×{channels}" == row["input size"].text
    assert len([node for node in graph.nodes if node.op.weight_layer and node.path.startswith("conv")]) == 6


def test_inception_v3s_last_stem_row_would_end_in_33_by_33_maps_without_padding() -> None:
    unpadded = without_instead(_table("inception_v3"), 0)
    with pytest.raises(ShapeError, match="a pool of 8 is larger than its padded input 7") as caught:
        lower(named(compile_table(unpadded, "inception_v3")))
    first = parting(unpadded, "inception_v3", caught.value)
    assert first is not None
    assert first.message == "the row gives 33×33×288, where 35×35×288 is printed"


def test_inception_v3_is_torchvisions_behind_its_stem() -> None:
    paper, torchvisions = _graph("inception_v3"), _graph("inception_v3_torchvision")
    shapes = [
        {its.key: its.shape for its in graph.parameters if its.key.startswith(("Mixed", "fc")) and "5b" not in its.key}
        for graph in (paper, torchvisions)
    ]
    assert shapes[0] == shapes[1]


def test_torchvisions_network_holds_27161264_params_with_its_auxiliary_head() -> None:
    graph = _graph("inception_v3_torchvision")
    assert _params(graph, graph.nodes) == 27_161_264
    (head,) = [output for output in graph.outputs if output.side]
    assert (head.name, head.loss_weight) == ("aux_logits", 0.4)
    first = next(node for node in graph.nodes if node.side)
    before = [node for node in graph.nodes if node.path.startswith("Mixed_6e")][-1]
    assert first.inputs == before.outputs


@pytest.mark.parametrize("transform_input", [False, True])
def test_torchvisions_weights_load_and_give_the_same_bits_in_eval_mode(transform_input: bool) -> None:
    reference = _reference().eval()
    reference.transform_input = transform_input
    model = archscope.build("inception_v3_torchvision", device="meta", transform_input=transform_input).eval()
    model.load_state_dict(reference.state_dict(), strict=True, assign=True)
    torch.manual_seed(0)
    x = torch.rand(1, 3, 96, 96)
    with torch.no_grad():
        assert torch.equal(model(x), reference(x))


def test_the_auxiliary_head_is_torchvisions_bit_by_bit() -> None:
    reference = _reference().eval()
    model = module_of(_graph("inception_v3_torchvision"), device="meta").eval()
    model.load_state_dict(reference.state_dict(), strict=True, assign=True)
    torch.manual_seed(0)
    x = torch.rand(1, 768, 17, 17)
    with torch.no_grad():
        assert torch.equal(model.AuxLogits(x), reference.AuxLogits(x))


def test_in_train_mode_the_results_have_torchvisions_names() -> None:
    model = module_of(_graph("inception_v3_torchvision"), device="meta")
    results = model(torch.empty(2, 3, 299, 299, device="meta"))
    assert results._fields == torchvision.models.inception.InceptionOutputs._fields == ("logits", "aux_logits")
    assert [its.shape for its in results] == [(2, 1000), (2, 1000)]

"""Networks that hypothesis makes up: what the graph says is what the built module is and does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from errors_at import table
from hypothesis import given, settings
from strategies import specs
from torch.utils.flop_counter import FlopCounterMode

import archscope
from archscope.core.errors import ShapeError, Unsupported
from archscope.core.source import Source
from archscope.graph.graph import Graph
from archscope.graph.lowering import lower
from archscope.ops import Op
from archscope.spec.compiler import compile_table
from archscope.spec.naming import named
from archscope.spec.network import Spec
from archscope.spec.table import read_table
from archscope.targets.torch_module import module_of


def graph_of(spec: Spec) -> Graph | None:
    """The graph, for a network that fits its input."""
    try:
        return lower(spec, batch=2)
    except ShapeError as error:
        assert error.problems[0].span is not None  # noqa: PT017
        return None


def image(graph: Graph, device: str) -> torch.Tensor:
    return torch.ones(graph.tensors[graph.inputs[0]].shape, device=device)


@settings(max_examples=60)
@given(specs())
def test_totals_and_shapes_are_those_of_the_built_module(spec: Spec):
    graph = graph_of(spec)
    if graph is None:
        return
    model = module_of(graph, device="meta").eval()
    shapes: dict[str, tuple[int, ...]] = {}
    for path, module in model.named_modules():
        module.register_forward_hook(lambda _, __, out, path=path: shapes.update({path: tuple(out.shape)}))
    with FlopCounterMode(display=False) as counter:
        result = model(image(graph, "meta"))
    profile = archscope.profile(graph, 2)
    assert counter.get_total_flops() // 2 == profile.totals["macs"].value
    assert sum(its.numel() for its in model.parameters()) == profile.totals["params"].value
    assert tuple(result.shape) == graph.tensors[graph.outputs[0].tensor].shape
    for node in graph.nodes:
        if node.op.torch(*graph.shapes_in(node)).is_module:
            assert shapes[node.path] == graph.shape_out(node), node.path
    for scope in graph.scopes[1:]:
        if scope.path in shapes:
            assert shapes[scope.path] == graph.tensors[scope.outputs[0]].shape, scope.path


@settings(max_examples=60)
@given(specs())
def test_state_dicts_have_the_graphs_keys_and_storages_are_shared_as_it_says(spec: Spec):
    graph = graph_of(spec)
    if graph is None:
        return
    state = module_of(graph, device="meta").state_dict()
    assert {key: tuple(its.shape) for key, its in state.items()} == {
        its.key: its.shape for its in (*graph.parameters, *graph.buffers)
    }
    for node in graph.nodes:
        rule = node.op.memory(*graph.shapes_in(node), setting=archscope.profile(graph, 2, mode="train").setting)
        assert rule is not None
        same = graph.tensors[node.outputs[0]].storage == graph.tensors[node.inputs[0]].storage
        assert same == (rule.out != "new")


@pytest.fixture(scope="module")
def _one_thread() -> Iterator[None]:
    """Small tensors take longer on many threads than on one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.usefixtures("_one_thread")
@settings(max_examples=30)
@given(specs())
def test_in_place_layers_change_no_number_and_stand_in_no_gradients_way(spec: Spec):
    graph = graph_of(spec)
    if graph is None:
        return
    nodes = tuple(node._replace(op=out_of_place(node.op)) for node in graph.nodes)
    torch.manual_seed(0)
    model, reference = module_of(graph), module_of(replace(graph, nodes=nodes))
    reference.load_state_dict(model.state_dict())
    x = torch.randn(image(graph, "meta").shape)
    results = []
    for each in (model, reference):
        torch.manual_seed(0)  # dropout
        results.append(each(x))
        results[-1].sum().backward()
    assert torch.equal(*results)
    for mine, its in zip(model.parameters(), reference.parameters(), strict=True):
        assert mine.grad is None if its.grad is None else torch.equal(mine.grad, its.grad)


def out_of_place(op: Op) -> Op:
    return replace(op, inplace=False) if op.in_place else op  # type: ignore[call-arg]


def made(cell: str, **changes: Any) -> torch.nn.Module:
    text = table(f"| {cell} |", "| FC-3 |", heads="| A |")
    spec = named(compile_table(read_table(Source("net.toml", text)), "A"))
    return module_of(lower(spec), device="meta", **changes)


@pytest.mark.parametrize(
    "name", ["forward", "train", "eval", "parameters", "state_dict", "to", "training", "T_destination"]
)
def test_a_cell_may_not_name_a_part_like_a_word_of_torchs_modules(name: str):
    with pytest.raises(Unsupported) as caught:
        made(f"{name}: conv3-4")
    message = f"{name!r} in 'A' is a word of torch.nn.Module, and cannot name a part of one"
    assert str(caught.value) == f"reserved-name: {message}"


@pytest.mark.parametrize("name", ["print", "x", "self", "torch", "nn", "operator", "getattr", "len"])
def test_any_other_word_is_a_name_like_any(name: str):
    model = made(f"{name}: conv3-4")
    assert tuple(model(torch.ones(1, 3, 8, 8, device="meta")).shape) == (1, 3)
    assert f"{name}.weight" in model.state_dict()

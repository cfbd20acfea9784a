"""Bytes that each layer reads and writes: with its FLOPs, whether memory or arithmetic limits it (a roofline)."""

from __future__ import annotations

from archscope.analyses import Column, Values
from archscope.core.arithmetic import Size, product
from archscope.core.records import ITEM_BYTES, MemoryRule, Setting
from archscope.graph.graph import Graph, Node
from archscope.ops.embedding import Embedding

COLUMNS = (
    Column(
        "moved_bytes",
        "moved bytes",
        "bytes of the inputs, parameters, running statistics and outputs of forward, each read or written once",
        unit="bytes",
    ),
)


def analyse(graph: Graph, setting: Setting) -> dict[str, Values]:
    """Per node the bytes that its forward moves, for the whole batch, as if no cache kept anything between layers.

    Every use of a shared parameter reads it. What works in place reads and writes; a view moves nothing. An op that
    torch makes of several calls (a sum of three) moves what lies between them as well. Of an embedding's table only the
    rows are read that are looked up. Masks and indices that are made beside an output are not counted. None where the
    op has no memory rule. FLOPs per moved byte are the arithmetic intensity of the roofline model (Williams, Waterman
    and Patterson, Communications of the ACM 52(4), 2009).
    """
    return {"moved_bytes": [_moved(graph, node, setting) for node in graph.nodes]}


def _moved(graph: Graph, node: Node, setting: Setting) -> Size | None:
    rule = node.op.memory(*graph.shapes_in(node), setting=setting)
    if rule is None:
        return None
    if rule.out == "view":
        return 0
    inputs = [_bytes(graph, index, setting) for index in node.inputs]
    outputs = sum(_bytes(graph, index, setting) for index in node.outputs)
    if isinstance(node.op, Embedding):
        return sum(inputs) + 2 * outputs
    if rule.calls:
        return _in_calls(rule, inputs, setting)
    parameters = sum(product(graph.parameters[index].shape) for index in node.parameters.values())
    statistics = [graph.buffers[index] for index in node.buffers.values() if graph.buffers[index].dtype == "float"]
    stored = parameters + sum(product(each.shape) for each in statistics)
    return sum(inputs) + outputs + stored * setting.item_bytes


def _in_calls(rule: MemoryRule, inputs: list[Size], setting: Setting) -> Size:
    """What the calls read and write that an op is made of: its own inputs, and the results of one another."""
    known, moved = list(inputs), 0
    for call in rule.calls:
        result = call.elements * setting.item_bytes
        moved += sum(known[index] for index in call.inputs) + result
        known.append(result)
    return moved


def _bytes(graph: Graph, index: int, setting: Setting) -> Size:
    tensor = graph.tensors[index]
    return product(tensor.shape) * ITEM_BYTES.get(tensor.dtype, setting.item_bytes)

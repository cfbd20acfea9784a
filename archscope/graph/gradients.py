"""Which tensors backward makes a gradient of, and what the gradients of matrix products cost."""

from __future__ import annotations

from collections.abc import Sequence

from archscope.core.arithmetic import Size
from archscope.graph.graph import Graph, Node


def wants_gradient(graph: Graph) -> list[bool]:
    """Per tensor whether backward makes a gradient of it: it is floating, something trainable went into it, and it goes
    into an output.

    Inputs want none; what is written into a tensor makes every later state of its storage want one.
    """
    wants = [False] * len(graph.tensors)
    for tensor, parameter in graph.stored:
        wants[tensor] = graph.parameters[parameter].trainable
    storages: set[int] = set()
    for node in graph.nodes:
        if not node.grad or node.op.stops_gradient:
            continue
        own = any(graph.parameters[index].trainable for index in node.parameters.values())
        if own or any(_wants(graph, tensor, wants, storages) for tensor in node.inputs):
            for tensor in node.outputs:
                wants[tensor] = _is_floating(graph.tensors[tensor].dtype)
                if wants[tensor] and node.op.in_place:
                    storages.add(graph.tensors[tensor].storage)
    for tensor, each in enumerate(graph.tensors):
        wants[tensor] = wants[tensor] or (each.storage in storages and _is_floating(each.dtype))
    return [mine and its for mine, its in zip(wants, _reaches_output(graph), strict=True)]


def gradient_macs(graph: Graph, node: Node, wants: Sequence[bool]) -> Size | None:
    """MACs of the gradients that backward makes at a node: of its inputs that want one, of its trainable weights.

    None where the op cannot tell.
    """
    if not any(wants[tensor] for tensor in node.outputs):
        return 0
    costs = node.op.gradient_macs(*graph.shapes_in(node))
    if costs is None:
        return None
    total: Size = 0
    for name, cost in costs.items():
        if any(_needed(graph, node, part, wants) for part in name.split("|")):
            total = total + cost
    return total


def _needed(graph: Graph, node: Node, name: str, wants: Sequence[bool]) -> bool:
    """Whether the gradient of an operand is made: ``input0``, a weight by its name, or ``any``."""
    if name.startswith("input"):
        position = int(name.removeprefix("input"))
        return position < len(node.inputs) and wants[node.inputs[position]]
    if name == "any":
        return True
    if name in node.parameters:
        return graph.parameters[node.parameters[name]].trainable
    # The weight is what another op made; it comes behind the op's own inputs.
    return any(wants[tensor] for tensor in node.inputs[1:])


def _reaches_output(graph: Graph) -> list[bool]:
    """Per tensor whether an output is made of it; what is written into something that is counts as well."""
    reaches = [False] * len(graph.tensors)
    storages: set[int] = set()
    for output in graph.outputs:
        reaches[output.tensor] = True
        storages.add(graph.tensors[output.tensor].storage)
    for node in reversed(graph.nodes):
        written = node.op.in_place and any(graph.tensors[tensor].storage in storages for tensor in node.outputs)
        if written or any(reaches[tensor] for tensor in node.outputs):
            for tensor in (*node.outputs, *node.inputs):
                reaches[tensor] = True
                storages.add(graph.tensors[tensor].storage)
    return reaches


def _wants(graph: Graph, tensor: int, wants: Sequence[bool], storages: set[int]) -> bool:
    return wants[tensor] or graph.tensors[tensor].storage in storages


def _is_floating(dtype: str) -> bool:
    return dtype.startswith(("float", "bfloat", "complex"))

"""How long Python holds each tensor of an eager forward pass.

A tensor that no variable refers to is freed at once; one that is the argument of a block lives until that block
returns, since the call holds its arguments. Which variable a result lies in is what :mod:`archscope.graph.bodies` says,
and so does the built module.
"""

from __future__ import annotations

from collections.abc import Sequence

from archscope.graph.bodies import Part, body_of, is_chain
from archscope.graph.graph import Graph

FOREVER = 1 << 62
"""Held by whoever called the network: its input, and its outputs."""


def held_until(graph: Graph, *, training: bool) -> list[int]:
    """Per tensor the last node, by index, during which Python holds it; a captured graph brings what it saw.

    Auxiliary heads run while ``training`` only. Raises Unsupported for a graph that no forward can be written for.
    """
    if graph.held is not None:
        return list(graph.held)
    held = [-1] * len(graph.tensors)
    last = _last_nodes(graph, training=training)
    for index, scope in enumerate(graph.scopes):
        if training or not scope.side:
            _hold_in(graph, index, last, held, training=training)
    for tensor in (*graph.inputs, *(output.tensor for output in graph.outputs)):
        held[tensor] = FOREVER
    return held


def last_uses(graph: Graph, *, training: bool) -> list[int]:
    """Per tensor the last node, by index, that reads or makes it: how long the computation itself needs it."""
    held = [-1] * len(graph.tensors)
    for index, node in enumerate(graph.nodes):
        if training or not node.side:
            for tensor in (*node.inputs, *node.outputs):
                held[tensor] = index
    for tensor in (*graph.inputs, *(output.tensor for output in graph.outputs)):
        held[tensor] = FOREVER
    return held


def _last_nodes(graph: Graph, *, training: bool) -> list[int]:
    """Per scope the last node that runs in it; -1 where none does."""
    last = [-1] * len(graph.scopes)
    for index, node in enumerate(graph.nodes):
        scope = node.scope if training or not node.side else -1
        while scope >= 0:
            last[scope] = index
            scope = graph.scopes[scope].parent
    return last


def _hold_in(graph: Graph, index: int, last: Sequence[int], held: list[int], *, training: bool) -> None:
    """Raises ``held`` to what the frame of one block holds: its arguments, and its variables until they are rebound."""
    scope = graph.scopes[index]
    for tensor in scope.inputs:
        held[tensor] = max(held[tensor], last[index])
    variable: dict[str, int] = {}
    for part, names in _bindings(graph, index):
        if part.side and not training:
            continue
        end = part.node if part.scope < 0 else last[part.scope]
        for name, tensor in zip(names, part.outputs, strict=False):  # what is returned at once has no variable
            if name in variable:
                held[variable[name]] = max(held[variable[name]], end)
            variable[name] = tensor
        for tensor in part.outputs:
            held[tensor] = max(held[tensor], end)
    for tensor in variable.values():
        held[tensor] = max(held[tensor], last[index])


def _bindings(graph: Graph, index: int) -> list[tuple[Part, tuple[str, ...]]]:
    """The parts of a block with the variables of their results; ``nn.Sequential`` has one, bound again and again."""
    body = body_of(graph, index)
    if is_chain(graph, index):
        return [(part, ("input",)) for part in body.parts]
    return list(zip(body.parts, body.results, strict=True))

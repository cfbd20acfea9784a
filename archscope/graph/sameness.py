"""Whether two graphs are the same network: node by node, name by name, shape by shape."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from archscope.graph.graph import Graph, Node, Scope


def parting(one: Graph, other: Graph) -> str:
    """Where two graphs differ first, in words; empty where they are the same, the places of their cells aside."""
    return next(_partings(one, other), "")


def _partings(one: Graph, other: Graph) -> Iterator[str]:
    for name in ("inputs", "outputs", "changes"):
        if getattr(one, name) != getattr(other, name):
            yield f"{name}: {getattr(one, name)!r} and {getattr(other, name)!r}"
    for mine, its in zip_longest(one.nodes, other.nodes):
        if mine is None or its is None or _of_node(mine) != _of_node(its):
            yield f"{_said(mine)} and {_said(its)}"
    for a, b in zip_longest(one.scopes, other.scopes):
        if a is None or b is None or _of_scope(a) != _of_scope(b):
            yield f"the block {_named(a)} and the block {_named(b)}"
    for name in ("tensors", "parameters", "buffers"):
        for left, right in zip_longest(getattr(one, name), getattr(other, name)):
            if left != right:
                yield f"{name}: {left!r} and {right!r}"


def _of_node(node: Node) -> tuple[Any, ...]:
    return node._replace(text="", span=None, parameters=dict(node.parameters), buffers=dict(node.buffers))


def _of_scope(scope: Scope) -> tuple[Any, ...]:
    return scope._replace(span=None, called=None)


def _said(node: Node | None) -> str:
    return "nothing" if node is None else f"{node.path} ({node.name}, {node.op}, of {node.inputs})"


def _named(scope: Scope | None) -> str:
    return "nothing" if scope is None else repr(scope.path)

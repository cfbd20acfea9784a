"""Longest paths: how deep a network is, counted in weight layers."""

from __future__ import annotations

from archscope.graph.graph import Graph, Node


def longest_path(graph: Graph, scope: int = 0) -> list[Node]:
    """The weight layers along the longest path through a block, from its input to its output; auxiliary heads aside."""
    nodes = [node for node in graph.nodes_in(scope) if not node.side or graph.scopes[scope].side]
    depth: dict[int, int] = {}
    through: dict[int, Node] = {}
    for node in nodes:
        before = max((depth.get(tensor, 0) for tensor in node.inputs), default=0)
        for tensor in node.outputs:
            depth[tensor] = before + node.op.weight_layer
            through[tensor] = node
    path: list[Node] = []
    results = graph.scopes[scope].outputs
    tensor = results[0] if results else -1
    while tensor in through:
        node = through[tensor]
        if node.op.weight_layer:
            path.append(node)
        tensor = max(node.inputs, key=lambda each: depth.get(each, 0), default=-1)
    return path[::-1]

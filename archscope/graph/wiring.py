"""Who makes a tensor, and who reads it."""

from __future__ import annotations

from archscope.graph.graph import Graph


def makers_of(graph: Graph) -> dict[int, int]:
    """For each tensor the index of the node that makes it; none for an input."""
    return {tensor: index for index, node in enumerate(graph.nodes) for tensor in node.outputs}


def readers_of(graph: Graph) -> dict[int, list[int]]:
    """For each tensor the indices of the nodes that read it, in running order; none for one that nobody reads."""
    found: dict[int, list[int]] = {}
    for index, node in enumerate(graph.nodes):
        for tensor in dict.fromkeys(node.inputs):
            found.setdefault(tensor, []).append(index)
    return found

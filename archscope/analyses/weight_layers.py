"""Depth as papers count it: layers with a weight matrix along the longest path from input to logits."""

from __future__ import annotations

from archscope.analyses import Column, Values
from archscope.core.records import Setting
from archscope.graph.graph import Graph

COLUMNS = (
    Column("weight_layers", "weight layers", "convolutions and FC layers, along the longest path", total="path"),
)


def analyse(graph: Graph, setting: Setting) -> dict[str, Values]:  # noqa: ARG001  the contract: depth is always the same
    """1 for each node that counts as a weight layer, 0 for the others."""
    return {"weight_layers": [int(node.op.weight_layer) for node in graph.nodes]}

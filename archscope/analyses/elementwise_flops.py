"""Floating point operations besides the MACs."""

from __future__ import annotations

from archscope.analyses import Column, Values
from archscope.core.records import Setting
from archscope.graph.graph import Graph

COLUMNS = (
    Column(
        "elementwise_flops", "other FLOPs", "operations besides the MACs: bias adds, comparisons, additions, one each"
    ),
)


def analyse(graph: Graph, setting: Setting) -> dict[str, Values]:  # noqa: ARG001  the contract: the graph has the batch
    """Per node its operations besides the MACs, for the whole batch; None where the op has no rule."""
    return {"elementwise_flops": [node.op.elementwise(*graph.shapes_in(node)) for node in graph.nodes]}

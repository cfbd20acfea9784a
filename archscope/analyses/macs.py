"""Multiply-accumulates of convolutions and matrix products; FLOPs are twice as many, and never the same word."""

from __future__ import annotations

from archscope.analyses import Column, Values
from archscope.core.records import Setting
from archscope.graph.graph import Graph

COLUMNS = (
    Column("macs", "MACs", "multiply-accumulates of convolutions and matrix products; bias adds not counted"),
    Column("flops", "FLOPs", "2 × MACs"),
    Column(
        "elementwise_flops", "other FLOPs", "operations besides the MACs: bias adds, comparisons, additions, one each"
    ),
)


def analyse(graph: Graph, setting: Setting) -> dict[str, Values]:  # noqa: ARG001  the contract: the graph has the batch
    """Per node its MACs, FLOPs and other operations, for the whole batch; None where the op has no rule."""
    macs = [node.op.macs(*graph.shapes_in(node)) for node in graph.nodes]
    return {
        "macs": macs,
        "flops": [None if each is None else 2 * each for each in macs],
        "elementwise_flops": [node.op.elementwise(*graph.shapes_in(node)) for node in graph.nodes],
    }

"""Multiply-accumulates of convolutions and matrix products."""

from __future__ import annotations

from archscope.analyses import Column, Values
from archscope.core.records import Setting
from archscope.graph.graph import Graph

COLUMNS = (Column("macs", "MACs", "multiply-accumulates of convolutions and matrix products; bias adds not counted"),)


def analyse(graph: Graph, setting: Setting) -> dict[str, Values]:  # noqa: ARG001  the contract: the graph has the batch
    """Per node its MACs, for the whole batch; None where the op has no rule."""
    return {"macs": [node.op.macs(*graph.shapes_in(node)) for node in graph.nodes]}

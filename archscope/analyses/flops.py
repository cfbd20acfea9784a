"""Floating point operations: twice the MACs, and never the same word."""

from __future__ import annotations

from archscope.analyses import Column, Values, macs
from archscope.core.records import Setting
from archscope.graph.graph import Graph

COLUMNS = (Column("flops", "FLOPs", "2 × MACs"),)


def analyse(graph: Graph, setting: Setting) -> dict[str, Values]:
    """Per node its FLOPs, for the whole batch; None where the op has no rule."""
    counts = macs.analyse(graph, setting)["macs"]
    return {"flops": [None if each is None else 2 * each for each in counts]}

"""Bytes of each layer's output."""

from __future__ import annotations

from archscope.analyses import Column, Values, activations
from archscope.core.records import Setting
from archscope.graph.graph import Graph

COLUMNS = (Column("activation_bytes", "activation bytes", "bytes of the activations; a sum, not a peak", unit="bytes"),)


def analyse(graph: Graph, setting: Setting) -> dict[str, Values]:
    """Per node the bytes that its output newly allocates; None where the op has no rule."""
    elements = activations.analyse(graph, setting)["activations"]
    return {"activation_bytes": [None if each is None else each * setting.item_bytes for each in elements]}

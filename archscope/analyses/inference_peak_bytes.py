"""The most memory that inference needs at once."""

from __future__ import annotations

from archscope.analyses import Column, Values
from archscope.core.records import Setting
from archscope.graph.footprint import inference_course, peaks_by_node
from archscope.graph.graph import Graph

COLUMNS = (
    Column(
        "inference_peak_bytes",
        "inference peak",
        "most bytes alive at once while the layer runs in torch's eager inference: parameters, buffers, the batch, "
        "activations as long as Python holds them, pool indices",
        unit="bytes",
        total="largest",
    ),
)


def analyse(graph: Graph, setting: Setting) -> dict[str, Values]:
    """Per node the most bytes that are alive while it runs; None where its op has no memory rule."""
    return {"inference_peak_bytes": peaks_by_node(graph, setting, inference_course(graph, setting))}

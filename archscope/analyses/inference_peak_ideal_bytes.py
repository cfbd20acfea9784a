"""The least memory that inference could do with, in the same order of ops."""

from __future__ import annotations

from archscope.analyses import Column, Values
from archscope.core.records import Setting
from archscope.graph.footprint import inference_course, peaks_by_node
from archscope.graph.graph import Graph

COLUMNS = (
    Column(
        "inference_peak_ideal_bytes",
        "ideal inference peak",
        "the inference peak if each tensor died with its last use and layers made nothing beside their results (pools "
        "no indices): a lower bound for this order of layers, which a static planner may reach",
        unit="bytes",
        total="largest",
    ),
)


def analyse(graph: Graph, setting: Setting) -> dict[str, Values]:
    """Per node the most bytes that are alive while it runs; None where its op has no memory rule."""
    course = inference_course(graph, setting, ideal=True)
    return {"inference_peak_ideal_bytes": peaks_by_node(graph, setting, course)}

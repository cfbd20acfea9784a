"""The most memory that a step of training needs at once."""

from __future__ import annotations

from archscope.analyses import Column, Values
from archscope.core.records import Setting
from archscope.graph.footprint import peaks_by_node, training_course
from archscope.graph.graph import Graph

COLUMNS = (
    Column(
        "train_peak_bytes",
        "train peak",
        "most bytes alive at once while the layer runs in a training step, forward or backward, auxiliary heads and "
        "the optimizer's step included, in torch's eager mode",
        unit="bytes",
        total="largest",
    ),
)


def analyse(graph: Graph, setting: Setting) -> dict[str, Values]:
    """Per node the most bytes that are alive while it runs, and last while the optimizer steps.

    None where an op has no memory rule.
    """
    return {"train_peak_bytes": peaks_by_node(graph, setting, training_course(graph, setting))}

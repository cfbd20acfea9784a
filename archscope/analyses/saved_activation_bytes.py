"""What autograd keeps for backward: the memory that training needs and inference does not."""

from __future__ import annotations

from archscope.analyses import Column, Values
from archscope.core.records import Setting
from archscope.graph.graph import Graph
from archscope.graph.liveness import training

COLUMNS = (
    Column(
        "saved_activation_bytes",
        "saved bytes",
        "bytes kept for backward when the loss is made, each storage once, at the layer that keeps it first; "
        "the batch and its targets included, parameters not",
        unit="bytes",
    ),
)


def analyse(graph: Graph, setting: Setting) -> dict[str, Values]:
    """Per node the bytes that it is the first to keep; None where its op has no memory rule.

    The loss, a cross-entropy, keeps something too: that counts with the layer whose output it reads.
    """
    saved = training(graph, setting).saved
    known = [node.op.memory(*graph.shapes_in(node), setting=setting) is not None for node in graph.nodes]
    return {"saved_activation_bytes": [each if its else None for each, its in zip(saved, known, strict=True)]}

"""Multiply-accumulates of backward, and of forward and backward: exact per layer, not twice the forward."""

from __future__ import annotations

from archscope.analyses import Column, Values, macs
from archscope.core.records import Setting
from archscope.graph.gradients import gradient_macs, wants_gradient
from archscope.graph.graph import Graph

COLUMNS = (
    Column(
        "backward_macs",
        "backward MACs",
        "MACs of the gradients of inputs, where something before them is trainable, and of trainable weights",
    ),
    Column("train_macs", "train MACs", "MACs of forward and backward"),
)


def analyse(graph: Graph, setting: Setting) -> dict[str, Values]:
    """Per node the MACs of its backward, and with those of its forward; None where the op has no rule.

    The first layer makes no gradient of the batch, and a frozen layer none of its weights: backward is not just twice
    the forward. What a kernel computes anew to save memory is not counted.
    """
    wants = wants_gradient(graph)
    forward = macs.analyse(graph, setting)["macs"]
    backward = [gradient_macs(graph, node, wants) for node in graph.nodes]
    both = [None if mine is None or its is None else mine + its for mine, its in zip(forward, backward, strict=True)]
    return {"backward_macs": backward, "train_macs": both}

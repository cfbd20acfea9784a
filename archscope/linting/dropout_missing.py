"""The dropout that holds a large head together is not there."""

from __future__ import annotations

from collections.abc import Iterator

from archscope.core.arithmetic import product
from archscope.graph.graph import Graph
from archscope.linting import INFO, WARNING, Found, Subject
from archscope.ops.dropout import Dropout
from archscope.ops.fc import FC

LEVEL = WARNING
SOURCE = "arXiv:1409.1556, section 3.1; arXiv:1409.4842, Table 1 and section 5"
LARGE = 10_000_000
"""Params of FC layers that overfit without dropout: VGG has 123.6 M, GoogLeNet, which drops 40 % too, 1.0 M."""


def examine(subject: Subject) -> Iterator[Found]:
    """Dropout that the paper has; where no paper is known, a head of FC layers that has none at all."""
    if subject.graph is None:
        return
    missing = [
        each for each in subject.differences if each.aspect == "missing" and str(each.spec).startswith("dropout")
    ]
    for each in missing:
        yield Found(
            f"no {each.spec} {each.where}",
            f"the paper drops there; its FC layers have {_params(subject.graph):,} params to learn by heart with",
            f"nn.Dropout there, as in the paper: {each.spec}",
        )
    none = not any(isinstance(node.op, Dropout) for node in subject.graph.nodes)
    if none and subject.known is None and _params(subject.graph) > LARGE:
        yield Found(
            "no dropout in the network",
            f"its FC layers have {_params(subject.graph):,} params, enough to learn a training set by heart",
            "nn.Dropout(0.5) after each hidden FC layer",
            level=INFO,
        )


def _params(graph: Graph) -> int:
    """Params of FC layers on vectors: the head, and no 1×1 convolutions written as such."""
    layers = (node for node in graph.nodes if isinstance(node.op, FC) and len(graph.shape_out(node)) == 2)
    keys = {index for node in layers for index in node.parameters.values()}
    return sum(product(graph.parameters[index].shape) for index in keys)

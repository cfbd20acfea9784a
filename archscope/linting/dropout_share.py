"""The share that dropout keeps was given where torch wants the share it drops."""

from __future__ import annotations

from collections.abc import Iterator

from archscope.linting import ERROR, WARNING, Found, Subject
from archscope.ops.dropout import Dropout

LEVEL = ERROR
SOURCE = (
    "titu1994/Inception-v4#5 (arXiv:1602.07261 says 'keep 0.8'); hunkim/DeepLearningZeroToAll#122, #204; "
    "tonylins/pytorch-mobilenet-v2#12"
)
MUCH = 0.8
"""A share above which dropping is more likely keeping: the most that a paper drops is GoogLeNet's 0.7."""


def examine(subject: Subject) -> Iterator[Found]:
    """Shares that are one minus the paper's; shares too large for any paper, where none is known."""
    if subject.graph is None:
        return
    for each in subject.differences:
        if each.aspect == "p" and each.network != each.spec and abs(each.network + each.spec - 1) < 1e-9:
            yield Found(
                f"dropout {each.network:g} where the paper drops {each.spec:g}",
                f"p is the share that is dropped: {each.spec:g} of the units are kept instead of {each.network:g}",
                f"p={each.spec:g}",
                place=each.where,
            )
    for node in subject.graph.nodes:
        if isinstance(node.op, Dropout) and node.op.p >= MUCH and subject.known is None:
            yield Found(
                f"dropout drops {node.op.p:g}",
                f"only {1 - node.op.p:.0%} of the units are left; p is the share that is dropped, in TensorFlow 1 "
                "the share kept",
                f"p={1 - node.op.p:g}, if {node.op.p:g} was to be kept",
                place=node.path,
                span=node.span,
                level=WARNING,
            )

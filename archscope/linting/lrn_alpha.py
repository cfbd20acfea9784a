"""Local response normalisation with the paper's alpha, which torch divides by the size."""

from __future__ import annotations

from collections.abc import Iterator

from archscope.linting import WARNING, Found, Subject
from archscope.ops.lrn import LRN

LEVEL = WARNING
SOURCE = "BVLC/caffe#1453; heuritech/convnets-keras PR #6; vlfeat/matconvnet#339; ethereon/caffe-tensorflow#173"


def examine(subject: Subject) -> Iterator[Found]:
    """Krizhevsky's alpha = 1e-4 together with his k = 2: what the formula means, torch's module does not do.

    With k = 1 it is Caffe's layer, which divides too: networks that were trained with it have it right.
    """
    if subject.graph is None:
        return
    nodes = [node for node in subject.graph.nodes if isinstance(node.op, LRN)]
    wrong = [node for node in nodes if isinstance(node.op, LRN) and node.op.alpha == 1e-4 and node.op.k == 2]
    for node in wrong[:1]:
        size = getattr(node.op, "size", 5)
        yield Found(
            f"LRN with alpha=0.0001 and k=2, {len(wrong)}×",
            f"torch divides alpha by the size: the sum of squares weighs {size} times less than in the paper",
            f"alpha={1e-4 * size:g}",
            place=node.path,
            span=node.span,
        )

"""As many outputs as classes?"""

from __future__ import annotations

from collections.abc import Iterator

from archscope.training.observing import Observed
from archscope.training.signs import FAULT, FINE, Sign

RANK = 10


def examine(seen: Observed) -> Iterator[Sign]:
    """Every head has one output per class of the data."""
    wrong = [head for head in seen.seen.heads if head.outputs != seen.classes]
    if not wrong:
        yield Sign(FINE, f"{seen.classes} outputs for {seen.classes} classes")
    for head in wrong:
        what = f"{head.head} has {head.outputs:,} outputs, and the data {seen.classes:,} classes"
        yield Sign(FAULT, what, "wrong class count", f"give the last layer {seen.classes:,} outputs")

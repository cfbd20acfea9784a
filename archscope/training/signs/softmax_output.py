"""Soft-max before cross-entropy, which applies it itself?"""

from __future__ import annotations

import math
from collections.abc import Iterator

from archscope.training.observing import Observed
from archscope.training.signs import FAULT, Sign

RANK = 30


def examine(seen: Observed) -> Iterator[Sign]:
    """Rows that are distributions: then the loss cannot fall below ln(e + C - 1) - 1."""
    for head in seen.seen.heads:
        if head.sums_to_one:
            floor = math.log(math.e + head.outputs - 1) - 1
            what = f"every row of {head.head} sums to 1: the loss cannot fall below ln(e + C − 1) − 1 = {floor:.3f}"
            yield Sign(FAULT, what, "soft-max before cross-entropy", "return logits: cross-entropy applies soft-max")

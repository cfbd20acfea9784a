"""Does the loss begin near ln C, that of guessing?"""

from __future__ import annotations

import math
from collections.abc import Iterator

from archscope.training.observing import Observed
from archscope.training.signs import FINE, ODD, Sign

RANK = 70
NEAR = 0.25
"""As a share of ln C."""


def examine(seen: Observed) -> Iterator[Sign]:
    """The loss of every head before the first step."""
    chance = math.log(seen.classes)
    for head in seen.seen.heads:
        if math.isfinite(head.loss):
            near = abs(head.loss - chance) <= NEAR * chance
            yield Sign(
                FINE if near else ODD,
                f"{head.head}: loss {head.loss:.3f} before the first step, ln {seen.classes} = {chance:.3f}",
            )

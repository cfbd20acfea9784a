"""Do auxiliary heads learn, and do they reach the body?"""

from __future__ import annotations

import math
from collections.abc import Iterator

from archscope.training.observing import Observed
from archscope.training.signs import FAULT, FINE, ODD, Sign

RANK = 45
LEARNT = 0.9
"""A head learns if its loss of an epoch falls below this share of ln C."""


def examine(seen: Observed) -> Iterator[Sign]:
    """Each auxiliary head: attached to the loss, leading to the body, with a loss that falls."""
    main, *others = seen.seen.heads
    for head in others:
        if not main.attached:
            continue  # nothing is trained
        if not head.attached:
            what = f"no gradient flows into {head.head}: its output is detached"
            yield Sign(FAULT, what, "auxiliary head detached", f"return {head.head} with its graph")
        elif head.shared == 0:
            what = f"the loss of {head.head} reaches none of the parameters of the body"
            yield Sign(FAULT, what, "auxiliary head detached", f"give {head.head} the body's output with its graph")
        losses = [epoch.losses[head.head] for epoch in seen.history if head.head in epoch.losses]
        if losses:
            low, chance = min(losses), math.log(seen.classes)
            status = FINE if low < LEARNT * chance else ODD
            yield Sign(status, f"{head.head}: loss {losses[0]:.3f} in the first epoch, {losses[-1]:.3f} in the last")

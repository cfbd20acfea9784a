"""ReLUs that are 0 for every example."""

from __future__ import annotations

from collections.abc import Iterator

from archscope.training.observing import Observed
from archscope.training.signs import FAULT, ODD, Sign, listed

RANK = 55
MOST = 0.95
MANY = 0.5


def examine(seen: Observed) -> Iterator[Sign]:
    """Layers whose channels are nearly all dead before the first step, or half of them."""
    relus = [each for each in seen.seen.layers if each.kind == "ReLU" and each.finite_out]
    dead = [each for each in relus if each.dead >= MOST]
    if dead:
        what = f"in {len(dead)} of {len(relus)} ReLUs {dead[0].dead:.0%} of the channels are 0 for every example: "
        what += listed(each.path for each in dead)
        yield Sign(FAULT, what, "dead ReLUs", "look at the biases before them, or lower the learning rate")
        return
    many = [each for each in relus if each.dead >= MANY]
    if many:
        yield Sign(
            ODD, f"{len(many)} of {len(relus)} ReLUs are half dead or more: {listed(each.path for each in many)}"
        )

"""Is anything trained at all?"""

from __future__ import annotations

from collections.abc import Iterator

from archscope.training.observing import Observed
from archscope.training.signs import FAULT, ODD, Sign, listed

RANK = 40


def examine(seen: Observed) -> Iterator[Sign]:
    """Parameters that are not trained, by name."""
    weights = seen.seen.weights
    held = [each.key for each in weights if not each.trainable]
    if held and len(held) == len(weights):
        what = f"none of {len(weights)} parameters is trained: {listed(held)}"
        yield Sign(FAULT, what, "frozen parameters", "set requires_grad of what is to be trained")
    elif held and not seen.frozen:
        yield Sign(ODD, f"{len(held)} of {len(weights)} parameters are frozen: {listed(held)}")

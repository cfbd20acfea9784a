"""Was the learning rate too high or too low? Told by how far the weights went."""

from __future__ import annotations

import math
from collections.abc import Iterator

from archscope.training.observing import Observed
from archscope.training.signs import ENOUGH_STEPS, FAULT, FINE, Sign

RANK = 110
LEAST = 1e-3
MOST = 10.0
"""Distance that all weights went together, as a share of their norm before the first step."""
WORSE = 3.0
"""Loss as a multiple of the first: a step that overshoots makes it grow."""


def examine(seen: Observed) -> Iterator[Sign]:
    """Proved where the network did not learn, though it can learn a batch by heart at another rate."""
    if not seen.history:
        return
    able = seen.beginning.memorised is not None and seen.beginning.memorised.least < seen.beginning.memorised.goal
    moved = seen.moved
    low, high = _range(seen)
    went = f"the weights went {moved:.1e} of their norm at a learning rate of {seen.lr:g}"
    if seen.beginning.rates is not None:
        helps = f"falls from {low:.1e} to {high:.1e}" if high else "falls at no rate"
        went += f"; in a range test the loss {helps}"
    if not able or seen.better or (len(seen.curve) < ENOUGH_STEPS and not _grew(seen)):
        yield Sign(FINE, went)
        return
    if moved < LEAST or seen.lr < low:
        yield Sign(FAULT, f"{went}; at 1e-3 with Adam it learns a batch", "learning rate too low", "--lr, larger")
    elif moved > MOST or _grew(seen) or (high and seen.lr > high):
        worst = max((loss for loss in seen.curve if math.isfinite(loss)), default=math.inf)
        what = f"{went}, and the loss rose to {worst:.3g}; at 1e-3 with Adam it learns a batch"
        yield Sign(FAULT, what, "learning rate too high", "--lr, smaller")
    else:
        yield Sign(FINE, went)


def _range(seen: Observed) -> tuple[float, float]:
    """The rates between which the loss falls in a range test; zeros without one, or where it falls at none."""
    found = seen.beginning.rates
    return (0.0, 0.0) if found is None else (found.low or 0.0, found.high or 0.0)


def _grew(seen: Observed) -> bool:
    """Whether the loss became many times what it was, or no number."""
    return any(not math.isfinite(loss) or loss > WORSE * seen.curve[0] for loss in seen.curve)

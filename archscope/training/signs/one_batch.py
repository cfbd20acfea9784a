"""Can the network learn one batch by heart?"""

from __future__ import annotations

from collections.abc import Iterator

from archscope.training.observing import Observed
from archscope.training.signs import FINE, ODD, Sign

RANK = 80


def examine(seen: Observed) -> Iterator[Sign]:
    """The least loss on one batch, by Adam at 1e-3 without dropout."""
    found = seen.beginning.memorised
    if found is None:
        return
    learnt = found.least < found.goal
    words = f"one batch: loss {found.first:.3f} → {found.least:.3f} in {found.steps} steps of Adam"
    yield Sign(FINE if learnt else ODD, f"{words}, {'below' if learnt else 'not below'} {found.goal:.2f}")

"""Is it better than chance on examples that it has not seen?"""

from __future__ import annotations

from collections.abc import Iterator

from archscope.training.observing import LEVEL, Observed
from archscope.training.signs import FINE, ODD, Sign, in_words

RANK = 95


def examine(seen: Observed) -> Iterator[Sign]:
    """Held-out accuracy, by a binomial test against the commonest class, and by classes named at random."""
    if not seen.history:
        return
    found = seen.held_out
    status = FINE if seen.better else ODD
    words = (
        f"{found.correct:,} of {found.size:,} held-out examples right, {found.accuracy:.1%}; chance {seen.chance:.1%}"
    )
    luck = f", by luck of whole classes {in_words(seen.by_luck)}" if seen.by_luck >= LEVEL else ""
    yield Sign(status, f"{words}, {in_words(seen.above_chance)}{luck}")

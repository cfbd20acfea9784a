"""Do the labels belong to the images? Told by nearest neighbours, without the network."""

from __future__ import annotations

from collections.abc import Iterator

from archscope.training.observing import LEVEL, Observed, binomial_tail
from archscope.training.signs import FAULT, FINE, Sign, in_words

RANK = 120
LEARNT = 0.5
"""Held-out accuracy that settles it. Less may be luck: all of a class are right or wrong together, and no coin is."""


def examine(seen: Observed) -> Iterator[Sign]:
    """Where the network did not learn much: how often the nearest other training image has the same label."""
    if not seen.history or (seen.better and seen.held_out.accuracy >= LEARNT):
        return
    same, count, chance = seen.neighbours
    if binomial_tail(count // 2, count // 2, chance) >= LEVEL:
        return  # too few to tell, however they fell
    p = binomial_tail(same // 2, count // 2, chance)  # half: two that are nearest to each other count twice
    words = f"the nearest other training image has the same label for {same / count:.1%}, by chance {chance:.1%}"
    if p >= LEVEL:
        yield Sign(FAULT, f"{words}, {in_words(p)}", "labels shuffled against images", "look at how labels are paired")
    else:
        yield Sign(FINE, words)

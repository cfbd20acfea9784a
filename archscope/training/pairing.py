"""Is one network better than another? Paired runs, and the interval of what differs between them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

LEVEL = 0.95
"""Of the interval, and so of the claim."""

LEAST_SEEDS = 3
"""Two differences say next to nothing about how much a third would differ: Student's t with one degree of freedom."""


class Pair(NamedTuple):
    """Two runs that differ in the network alone. first, second: held-out accuracies; the losses are held-out, too.

    verdicts: what each run came to by itself.
    """

    seed: int
    first: float
    second: float
    first_loss: float
    second_loss: float
    verdicts: tuple[str, str]

    @property
    def difference(self) -> float:
        """Second minus first, in accuracy."""
        return self.second - self.first


class Interval(NamedTuple):
    """A mean with the limits between which the true one lies, at the level :data:`LEVEL`."""

    mean: float
    low: float
    high: float

    @property
    def decides(self) -> bool:
        """Whether 0 is outside."""
        return self.low > 0 or self.high < 0


def interval_of(differences: Sequence[float], grain: float) -> Interval:
    """The mean of paired differences, with Student's interval (Student, Biometrika 1908; two-sided).

    grain: the least by which one of them can differ from another, one held-out picture; the interval reaches at least
    so far to both sides, since differences that happen to be equal do not make it certain.

    >>> found = interval_of([0.02, 0.03, 0.01, 0.02, 0.02], 1 / 359)
    >>> round(found.mean, 3), round(found.low, 3), round(found.high, 3), found.decides
    (0.02, 0.011, 0.029, True)
    """
    from scipy.stats import t

    count = len(differences)
    if count < LEAST_SEEDS:
        raise ValueError(f"{count} differences make no interval")
    mean = math.fsum(differences) / count
    spread = math.sqrt(math.fsum((each - mean) ** 2 for each in differences) / (count - 1))
    reach = float(t.ppf((1 + LEVEL) / 2, count - 1)) * spread / math.sqrt(count)
    reach = max(reach, grain)
    return Interval(mean, mean - reach, mean + reach)

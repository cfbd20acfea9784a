"""Does the training loss fall? Mann and Kendall's test of a trend, which outliers do not sway."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from archscope.training.observing import LEVEL, Observed
from archscope.training.signs import FINE, ODD, Sign, in_words

RANK = 90
BINS = 40


def examine(seen: Observed) -> Iterator[Sign]:
    """The trend of the main loss over all steps."""
    if not seen.curve:
        return
    means = binned(seen.curve)
    chance = falls(means)
    status = FINE if chance < LEVEL else ODD
    fell = f"training loss {means[0]:.3f} → {means[-1]:.3f} in {len(seen.curve)} steps"
    yield Sign(status, f"{fell}; a trend downwards, {in_words(chance)}")


def binned(curve: Sequence[float], most: int = BINS) -> list[float]:
    """Means of consecutive steps, at most so many, so that neighbours depend less on each other."""
    width = math.ceil(len(curve) / most)
    return [sum(curve[at : at + width]) / len(curve[at : at + width]) for at in range(0, len(curve), width)]


def falls(values: Sequence[float]) -> float:
    """The probability that values without a trend fall so steadily; 1 where one of them is no number.

    Kendall, Rank Correlation Methods: S is normal with variance n(n - 1)(2n + 5)/18.

    >>> falls([3.0, 2.0, 1.0, 0.5, 0.2, 0.1]) < 0.01, falls([1.0, 2.0])
    (True, 1.0)
    """
    count = len(values)
    if count < 3 or not all(math.isfinite(each) for each in values):
        return 1.0
    score = sum((values[b] > values[a]) - (values[b] < values[a]) for a in range(count) for b in range(a + 1, count))
    if score >= 0:
        return 1.0
    z = (score + 1) / math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    return 0.5 * math.erfc(-z / math.sqrt(2))

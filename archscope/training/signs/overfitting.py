"""Is it learnt by heart?"""

from __future__ import annotations

from collections.abc import Iterator

from archscope.training.observing import Observed
from archscope.training.signs import FAULT, ODD, Sign

RANK = 150
GAP = 0.3


def examine(seen: Observed) -> Iterator[Sign]:
    """Accuracy in training against held-out accuracy."""
    if not seen.history:
        return
    trained, held = seen.trained_on.accuracy, seen.held_out.accuracy
    if trained - held <= GAP:
        return
    what = f"{trained:.1%} of training examples right, {held:.1%} of held-out ones"
    flat = not seen.better
    yield Sign(FAULT if flat else ODD, what, "overfitting" if flat else "", "more data, augmentation, weight decay")

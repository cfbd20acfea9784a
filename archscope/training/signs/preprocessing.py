"""Are pictures handled alike in training and validation?"""

from __future__ import annotations

from collections.abc import Iterator

from archscope.training.observing import Observed
from archscope.training.signs import FAULT, Sign

RANK = 131
APART = 0.25
"""Of the training pixels' deviation, by which means or deviations must differ."""
ERRORS = 8.0
"""Standard errors by which means must differ as well: splits differ by chance, too."""


def examine(seen: Observed) -> Iterator[Sign]:
    """Mean and deviation of what goes in, per channel."""
    if not seen.history:
        return
    train, held = seen.pixels
    for channel, own in enumerate(train.std):
        error = (train.error[channel] ** 2 + held.error[channel] ** 2) ** 0.5
        shift = abs(train.mean[channel] - held.mean[channel])
        ratio = held.std[channel] / own if own else 1.0
        moved = shift > APART * own and shift > ERRORS * error
        if moved or not 1 / (1 + 2 * APART) < ratio < 1 + 2 * APART:
            what = (
                f"channel {channel} goes in with mean {train.mean[channel]:.2f} and deviation {own:.2f} in training, "
                f"{held.mean[channel]:.2f} and {held.std[channel]:.2f} in validation"
            )
            yield Sign(FAULT, what, "preprocessing differs between splits", "normalise both with the same numbers")
            return

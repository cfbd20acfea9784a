"""Does a value stop being a number, and where first?"""

from __future__ import annotations

import math
from collections.abc import Iterator

from archscope.training.observing import Observed
from archscope.training.signs import FAULT, FINE, ODD, Sign

RANK = 20


def examine(seen: Observed) -> Iterator[Sign]:
    """NaN and infinity: before the first step they come from an op, later mostly from the learning rate."""
    layers = seen.seen.layers
    first = next((each for each in layers if each.finite_in and not each.finite_out), None)
    lost = next((each for each in layers if not each.finite_in), None)
    if first is not None or lost is not None:
        before = layers[layers.index(lost) - 1].path if first is None and lost is not None else ""
        place = f"{first.path} ({first.kind})" if first is not None else f"after {before or 'the input'}"
        what = f"the first values that are no numbers come from {place}, before any step"
        yield Sign(FAULT, what, "NaN from an op", "look at what that op does with 0 and with negative values")
        return
    if not all(math.isfinite(head.loss) for head in seen.seen.heads) and all(
        head.outputs >= seen.classes for head in seen.seen.heads
    ):
        where = layers[-1].path if layers else "the input"
        what = f"the first values that are no numbers come after {where}, before any step"
        yield Sign(FAULT, what, "NaN from an op", "look at what the forward does after that module")
        return
    step = next((index for index, loss in enumerate(seen.curve, start=1) if not math.isfinite(loss)), 0)
    if step:
        yield Sign(ODD, f"the loss is no number from step {step} on, though it was one before the first step")
    else:
        yield Sign(FINE, "every loss is a number")

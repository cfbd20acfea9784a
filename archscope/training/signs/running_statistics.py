"""Do batch norm's running statistics fit what the network has become?"""

from __future__ import annotations

from collections.abc import Iterator

from archscope.training.observing import Observed
from archscope.training.signs import ENOUGH_STEPS, FAULT, ODD, Sign

RANK = 141
GAIN = 0.2
"""Of held-out accuracy, with each batch's own statistics instead."""


def examine(seen: Observed) -> Iterator[Sign]:
    """Held-out accuracy with running statistics and with each batch's own."""
    if not seen.history or seen.with_batch_statistics is None:
        return
    own, other = seen.held_out, seen.with_batch_statistics
    if other.accuracy - own.accuracy > GAIN:
        what = f"{own.accuracy:.1%} of held-out examples right, {other.accuracy:.1%} with each batch's own statistics"
        late = len(seen.curve) >= ENOUGH_STEPS
        cause = "stale batch-norm statistics" if late else ""
        yield Sign(FAULT if late else ODD, what, cause, "train longer, or give batch norm a larger momentum")

"""ReLU on the logits?"""

from __future__ import annotations

from collections.abc import Iterator

from archscope.training.observing import Observed
from archscope.training.signs import FAULT, Sign

RANK = 31
ZEROS = 0.05
"""The share of logits that are exactly 0: without ReLU, none."""


def examine(seen: Observed) -> Iterator[Sign]:
    """No logit below 0, and many that are exactly 0, while the layers before them differ between examples."""
    varied = any(layer.spread > 0 for layer in seen.seen.layers)
    for head in seen.seen.heads:
        if head.least == 0 and head.zeros >= ZEROS and varied and not head.sums_to_one:
            what = f"no value of {head.head} is below 0, and {head.zeros:.0%} are exactly 0"
            yield Sign(FAULT, what, "ReLU on logits", "leave out the activation after the last layer")

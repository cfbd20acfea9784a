"""Does every parameter that is to be trained get a gradient?"""

from __future__ import annotations

import math
from collections.abc import Iterator

from archscope.training.observing import Observed
from archscope.training.signs import FAULT, FINE, ODD, Sign, listed

RANK = 50


def examine(seen: Observed) -> Iterator[Sign]:
    """Of each parameter: none, because nothing leads to it; zero; or no number."""
    if not any(each.gradient is not None for each in seen.seen.weights):
        return  # no step could be made; what is wrong stands elsewhere, or nothing is attached
    wanted = [each for each in seen.seen.weights if each.trainable]
    none = [each for each in wanted if each.gradient is None]
    detached = [each.key for each in none if each.ran]
    unused = [each.key for each in none if not each.ran]
    zero = [each.key for each in wanted if each.gradient == 0]
    wild = [each.key for each in wanted if each.gradient is not None and not math.isfinite(each.gradient)]
    if detached:
        what = f"{len(detached)} of {len(wanted)} parameters run and get no gradient: {listed(detached)}"
        if all(head.attached for head in seen.seen.heads):
            yield Sign(FAULT, what, "detached from the loss", "look for detach, no_grad, .data or argmax after them")
        else:
            yield Sign(ODD, what)  # a head is detached: another sign says it
    if unused:
        yield Sign(ODD, f"{len(unused)} of {len(wanted)} parameters are never used: {listed(unused)}")
    if zero:
        yield Sign(ODD, f"{len(zero)} of {len(wanted)} parameters get a gradient of exactly 0: {listed(zero)}")
    if wild:
        yield Sign(ODD, f"{len(wild)} of {len(wanted)} parameters get a gradient that is no number: {listed(wild)}")
    if not none and not zero and not wild:
        norms = [each.gradient for each in wanted if each.gradient is not None]
        yield Sign(FINE, f"all {len(wanted)} parameters get a gradient, norms {min(norms):.1e} to {max(norms):.1e}")

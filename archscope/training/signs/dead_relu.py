"""ReLUs that are 0 for every example."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from archscope.training.glimpse import Layer
from archscope.training.observing import Observed
from archscope.training.signs import FAULT, ODD, Sign, listed

RANK = 55
KINDS = ("ReLU", "ReLU6")
MOST = 0.95
MANY = 0.5
UNITS = 8
"""A layer with fewer may die by chance, and others go on."""


def is_relu(layer: Layer) -> bool:
    """Whether a layer can die: its values are 0 or more."""
    return layer.kind in KINDS and layer.finite_out


def examine(seen: Observed) -> Iterator[Sign]:
    """Layers whose channels are nearly all dead before the first step, or half of them, while what they get differs."""
    relus = [each for before, each in pairwise(seen.seen.layers) if is_relu(each) and before.spread > 0]
    dead = [each for each in relus if each.dead >= MOST and each.units >= UNITS]
    if dead:
        what = f"in {len(dead)} of {len(relus)} ReLUs {dead[0].dead:.0%} of the channels are 0 for every example: "
        what += listed(each.path for each in dead)
        yield Sign(FAULT, what, "dead ReLUs", "look at the biases before them, or lower the learning rate")
        return
    many = [each for each in relus if each.dead >= MANY]
    if many:
        yield Sign(
            ODD, f"{len(many)} of {len(relus)} ReLUs are half dead or more: {listed(each.path for each in many)}"
        )

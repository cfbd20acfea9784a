"""Are the classes numbered alike in training and validation?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from archscope.training.observing import Observed
from archscope.training.signs import FAULT, Sign, listed

if TYPE_CHECKING:
    import torch

RANK = 130
SHARE = 0.5
"""Of a class's held-out examples, that must be taken for one and the same other class."""


def examine(seen: Observed) -> Iterator[Sign]:
    """Held-out classes that are taken for another one, each for one of its own, and training ones are not."""
    if not seen.history:
        return
    taken = _taken(seen.held_out.confusion[: seen.classes, : seen.classes])
    there = _taken(seen.trained_on.confusion[: seen.classes, : seen.classes])
    swapped = {own: other for own, other in taken.items() if other != own and there.get(own) == own}
    mutual = {own: other for own, other in swapped.items() if other in swapped}
    if len(mutual) < 2 or len(set(mutual.values())) < len(mutual):
        return
    names = seen.data.classes
    pairs = listed(f"{names[own]!r} for {names[other]!r}" for own, other in mutual.items())
    what = f"held-out examples of {len(mutual)} classes are taken for others: {pairs}; training examples are not"
    yield Sign(FAULT, what, "class indices differ between splits", "make both splits of one list of classes")


def _taken(confusion: torch.Tensor) -> dict[int, int]:
    """For what each class is mostly taken, where it is."""
    counts = confusion.sum(1)
    most, what = confusion.max(1)
    clear = (most > SHARE * counts) & (counts > 0)
    return {index: int(what[index]) for index in range(len(counts)) if bool(clear[index])}

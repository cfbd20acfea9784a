"""What a training says while it runs; commands render it, files record it."""

from __future__ import annotations

from typing import NamedTuple


class Step(NamedTuple):
    """A step is done. Its numbers stay on the device until somebody asks: nothing waits for them.

    step: how many are done; epoch: the one that it belongs to, from 0; images: examples of it; rate: its learning rate.
    """

    step: int
    steps: int
    epoch: int
    images: int
    rate: float


class Report(NamedTuple):
    """The means since the last report: main and auxiliary losses by name, accuracy in training."""

    step: int
    losses: dict[str, float]
    accuracy: float


class Epoch(NamedTuple):
    """An epoch is done, or the training is. losses: by head, in training; the others are of the main head.

    images_per_second: of training alone; seconds: of it; the rest of the numbers depend on nothing but the recipe.
    """

    epoch: int
    step: int
    losses: dict[str, float]
    accuracy: float
    validation_loss: float
    validation_accuracy: float
    rate: float
    images_per_second: float = 0.0
    seconds: float = 0.0


Event = Step | Report | Epoch

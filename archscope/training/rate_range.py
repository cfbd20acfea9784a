"""The range test of learning rates: the rate grows from step to step (Smith 2017, section 3.3)."""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING, NamedTuple

from archscope.training.machine import Machine
from archscope.training.objective import MAIN, losses_of
from archscope.training.optimising import optimizer_of
from archscope.training.recipe import Recipe
from archscope.training.sampling import order

if TYPE_CHECKING:
    from torch import nn

    from archscope.training.data import Data

LEAST, MOST = 1e-6, 10.0
"""Rates that the test goes from and to."""
STEPS = 84
"""A dozen for each factor of 10."""
SMOOTHING = 0.8
BEGUN = 0.1
"""Of the whole fall of the loss: where it counts as falling."""
WORSE = 2.0
"""Loss as a multiple of the first, at which the test ends."""


class RateRange(NamedTuple):
    """What the test found. rates: of each step; losses: of the main head; smoothed: their running mean.

    low, high: the rates at which the smoothed loss begins to fall, and is least; both None where it does not fall.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    smoothed: tuple[float, ...]
    low: float | None
    high: float | None


def rate_range(model: nn.Module, data: Data, machine: Machine, recipe: Recipe) -> RateRange:
    """The range test of a complete recipe, on a copy: model and torch's random numbers stay as they are.

    Each step takes the next batch of the recipe's size; the test ends where the loss is no number or far worse.
    """
    import torch

    copied = copy.deepcopy(model).train()
    optimizer = optimizer_of(copied, recipe)
    queue = order(recipe.seed, 0, len(data.train))
    batch = max(2, recipe.batch // (recipe.accumulate * machine.world))
    rates = [LEAST * (MOST / LEAST) ** (step / (STEPS - 1)) for step in range(STEPS)]
    losses: list[float] = []
    with torch.random.fork_rng(devices=[machine.device] if machine.device.type == "cuda" else []):
        torch.manual_seed(recipe.seed)
        for step, rate in enumerate(rates):
            indices = queue[torch.arange(step * batch, (step + 1) * batch) % len(queue)]
            x, labels = machine.moved(data.train.batch(indices), data.train.labels[indices])
            for group in optimizer.param_groups:
                group["lr"] = rate
            found = losses_of(copied(x), labels, recipe.aux_weight, recipe.label_smoothing)
            losses.append(float(found.heads[MAIN]))
            if not losses[-1] <= WORSE * losses[0]:
                break
            optimizer.zero_grad()
            torch.autograd.backward(found.total)
            optimizer.step()
    return range_of(rates[: len(losses)], losses)


def range_of(rates: list[float], losses: list[float]) -> RateRange:
    """Where the loss falls, of the losses at rates that grow.

    >>> found = range_of([1e-4, 1e-3, 1e-2, 1e-1, 1.0], [2.3, 2.3, 1.0, 0.2, 9.0])
    >>> found.low, found.high
    (0.01, 0.1)
    """
    smoothed: list[float] = []
    mean = 0.0
    for step, loss in enumerate(losses, 1):
        mean = SMOOTHING * mean + (1 - SMOOTHING) * loss
        smoothed.append(mean / (1 - SMOOTHING**step))
    known = [each if math.isfinite(each) else math.inf for each in smoothed]
    least = min(range(len(known)), key=known.__getitem__)
    fall = smoothed[0] - known[least]
    low = next((rate for rate, each in zip(rates, known, strict=True) if smoothed[0] - each > BEGUN * fall), None)
    falls = fall > BEGUN * abs(smoothed[0])
    return RateRange(
        tuple(rates), tuple(losses), tuple(smoothed), low if falls else None, rates[least] if falls else None
    )

"""What is known of a training when it is judged. What only some signs ask for is looked at when they ask."""

from __future__ import annotations

import copy
import math
import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from archscope.training.events import Epoch
from archscope.training.glimpse import Glimpse, glimpse, watched
from archscope.training.machine import Machine
from archscope.training.objective import MAIN, heads_of, losses_of
from archscope.training.optimising import can_be_fused
from archscope.training.recipe import Recipe
from archscope.training.samples import Pixels, Sample, inputs, pixels_of, spread
from archscope.training.scoring import Scores, counted, scores_of

if TYPE_CHECKING:
    import torch
    from torch import nn

    from archscope.training.data import Data
    from archscope.training.glimpse import Layer
    from archscope.training.rate_range import RateRange

BATCH = 32
"""Examples of the batch that is looked at."""
BY_HEART = 16
"""Of these, so many are to be learnt by heart."""
MOST_STEPS = 60
LEVEL = 1e-3
"""Of every test."""
LEAST_CLASSES = 7
"""Fewer have fewer than 1/LEVEL orders."""
PERMUTATIONS = 9999
SAMPLE = 512
"""Examples of a split that are looked at in the end."""


class Memorised(NamedTuple):
    """One batch, trained on until its loss is below ``goal`` or for ``steps`` steps, with Adam and without dropout.

    seconds: of the fastest of them.
    """

    first: float
    least: float
    goal: float
    steps: int
    seconds: float


@dataclass(frozen=True)
class Beginning:
    """A model before its first step. weights: of what is trained; seconds: of a step, per example; rates: where a range
    test of learning rates was asked for.
    """

    seen: Glimpse
    memorised: Memorised | None
    weights: tuple[torch.Tensor, ...]
    seconds: float = 0.0
    rates: RateRange | None = None

    @property
    def can_learn(self) -> bool:
        """Whether a step could be made."""
        return any(each.gradient is not None for each in self.seen.weights) and math.isfinite(self.seen.main.loss)


@dataclass(frozen=True)
class Observed:
    """A training that is over, or that could not begin.

    curve: main loss of every step. frozen: patterns that the recipe freezes. scored: the scores on held-out examples in
    the end, where they are known already.
    """

    model: nn.Module
    data: Data
    machine: Machine
    beginning: Beginning
    history: tuple[Epoch, ...]
    curve: tuple[float, ...]
    frozen: tuple[str, ...] = ()
    lr: float = 0.0
    scored: Scores | None = None

    @property
    def classes(self) -> int:
        """Of the data."""
        return len(self.data.classes)

    @property
    def seen(self) -> Glimpse:
        """The first batch, before the first step."""
        return self.beginning.seen

    @cached_property
    def held_out(self) -> Scores:
        """The scores on held-out examples."""
        return self.scored or scores_of(self.model, self.data.validation, self.machine)

    @cached_property
    def chance(self) -> float:
        """The share of the commonest class among held-out examples: what saying it always gets."""
        labels = self.data.validation.labels
        return float(labels.bincount().max()) / len(labels)

    @cached_property
    def above_chance(self) -> float:
        """The probability of so many right held-out answers or more, by chance."""
        return binomial_tail(self.held_out.correct, self.held_out.size, self.chance)

    @cached_property
    def by_luck(self) -> float:
        """The probability of so many right answers if classes were named at random, each as it is told from others.

        All examples of a class are right or wrong together in a network that knows nothing: 10 % more are no wonder.
        Rows of the confusion are permuted; 0 for fewer classes than that can tell anything of.
        """
        import torch

        classes = self.classes
        if classes < LEAST_CLASSES or self.held_out.confusion.shape[1] < classes:
            return 0.0
        table = self.held_out.confusion[:classes, :classes]
        chance = torch.Generator().manual_seed(0)
        named = torch.rand(PERMUTATIONS, classes, generator=chance).argsort(1)
        right = table[torch.arange(classes), named].sum(1)
        return (1 + int((right >= int(table.trace())).sum())) / (1 + PERMUTATIONS)

    @property
    def better(self) -> bool:
        """Whether held-out accuracy is above chance, and no luck."""
        return self.above_chance < LEVEL and self.by_luck < LEVEL

    @cached_property
    def trained_on(self) -> Scores:
        """The scores on training examples, in evaluation and not augmented."""
        return scores_of(self.model, Sample(self.data.train, SAMPLE), self.machine)

    @cached_property
    def with_batch_statistics(self) -> Scores | None:
        """The scores on held-out examples with each batch's own statistics; None without batch norm."""
        from torch.nn.modules.batchnorm import _BatchNorm

        copied = copy.deepcopy(self.model).eval()
        norms = [module for module in copied.modules() if isinstance(module, _BatchNorm)]
        for norm in norms:
            norm.train()
        return counted(copied, self.data.validation, self.machine) if norms else None

    @cached_property
    def moved(self) -> float:
        """How far the weights have gone, as a share of their norm in the beginning; inf where they are no numbers."""
        now = [each.detach() for each in self.model.parameters() if each.requires_grad]
        far = sum(
            float((a.cpu() - b).double().square().sum()) for a, b in zip(now, self.beginning.weights, strict=True)
        )
        own = sum(float(each.double().square().sum()) for each in self.beginning.weights)
        return math.sqrt(far / own) if own and math.isfinite(far) else math.inf

    @cached_property
    def layers_now(self) -> tuple[Layer, ...]:
        """Every layer in evaluation, on held-out examples, in the end."""
        import torch

        layers: list[Layer] = []
        examples = self.data.validation
        indices = torch.arange(min(BATCH, len(examples)))
        x, _ = self.machine.moved(examples.batch(indices), examples.labels[indices])
        self.model.eval()
        with torch.no_grad(), watched(self.model, layers):
            self.model(x)
        return tuple(layers)

    @cached_property
    def changes_with_company(self) -> float:
        """How much the answer to an example depends, in evaluation, on when and with which others it is asked for.

        The largest difference of a logit, as a share of the largest logit.
        """
        import torch

        examples = self.data.validation
        count = min(BATCH, len(examples))
        x, _ = self.machine.moved(examples.batch(torch.arange(count)), examples.labels[:count])
        self.model.eval()
        with torch.no_grad():
            together = heads_of(self.model(x))[MAIN].float()
            half = heads_of(self.model(x[: max(2, count // 2)]))[MAIN].float()
        largest = float(together.abs().max())
        return float((together[: len(half)] - half).abs().max()) / largest if largest else 0.0

    @cached_property
    def pixels(self) -> tuple[Pixels, Pixels]:
        """What goes in, in training and in validation."""
        return pixels_of(inputs(self.data.train, SAMPLE)), pixels_of(inputs(self.data.validation, SAMPLE))

    @cached_property
    def neighbours(self) -> tuple[int, int, float]:
        """Of how many training images, of how many, the nearest other one has the same label; the share by chance."""
        import torch
        from torch.nn.functional import adaptive_avg_pool2d

        x = inputs(self.data.train, 2 * SAMPLE)
        if min(x.shape[2:]) > 16:
            x = adaptive_avg_pool2d(x, 16)
        labels = self.data.train.labels[spread(len(self.data.train), 2 * SAMPLE)]
        distances = torch.cdist(x.flatten(1), x.flatten(1)).fill_diagonal_(torch.inf)
        same = int((labels[distances.argmin(1)] == labels).sum())
        shares = labels.bincount().double() / len(labels)
        return same, len(labels), float(shares.square().sum())


def beginning_of(
    model: nn.Module, data: Data, machine: Machine, recipe: Recipe, most_steps: int = MOST_STEPS
) -> Beginning:
    """Looks at a model before its first step, on a copy: the model and torch's random numbers stay as they are.

    most_steps: in which a batch is to be learnt by heart.
    """
    import torch

    examples = data.train
    count = min(BATCH, max(2, machine.at_once // 2))
    indices = torch.randperm(len(examples), generator=torch.Generator().manual_seed(recipe.seed))[:count]
    x, labels = machine.moved(examples.batch(indices), examples.labels[indices])
    devices = [machine.device] if machine.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(recipe.seed)
        seen = glimpse(copy.deepcopy(model), x, labels, recipe.aux_weight)
        memorised = None
        if Beginning(seen, None, ()).can_learn:
            few = slice(BY_HEART)
            memorised = _memorised(copy.deepcopy(model), x[few], labels[few], recipe.aux_weight, most_steps)
    weights = tuple(each.detach().cpu().clone() for each in model.parameters() if each.requires_grad)
    seconds = memorised.seconds / len(labels[:BY_HEART]) if memorised is not None else 0.0
    return Beginning(seen, memorised, weights, seconds)


def _memorised(
    model: nn.Module, x: torch.Tensor, labels: torch.Tensor, aux_weight: float, most_steps: int
) -> Memorised:
    import torch
    from torch.nn.modules.dropout import _DropoutNd

    model.train()
    for module in model.modules():
        if isinstance(module, _DropoutNd):
            module.eval()
    trained = [each for each in model.parameters() if each.requires_grad]
    optimizer = torch.optim.Adam(trained, lr=1e-3, fused=can_be_fused(trained))
    first = least = fastest = math.inf
    goal = 0.1 * math.log(int(labels.max()) + 1)
    step = 0
    while step < most_steps and not least < goal:
        since = time.perf_counter()
        losses = losses_of(model(x), labels, aux_weight)
        value = float(losses.heads[MAIN])
        first = value if step == 0 else first
        least = min(least, value)
        optimizer.zero_grad()
        torch.autograd.backward(losses.total)
        optimizer.step()
        step += 1
        fastest = min(fastest, time.perf_counter() - since)
    return Memorised(first, least, goal, step, fastest)


def binomial_tail(right: int, count: int, chance: float) -> float:
    """The probability of ``right`` or more successes of ``count``, each with probability ``chance``.

    >>> round(binomial_tail(8, 10, 0.5), 4), binomial_tail(0, 10, 0.5)
    (0.0547, 1.0)
    """
    if right <= 0:
        return 1.0
    if chance >= 1:
        return 1.0
    whole = math.lgamma(count + 1)
    logs = [
        whole
        - math.lgamma(k + 1)
        - math.lgamma(count - k + 1)
        + k * math.log(chance)
        + (count - k) * math.log1p(-chance)
        for k in range(right, count + 1)
    ]
    most = max(logs)
    return min(1.0, math.exp(most) * sum(math.exp(each - most) for each in logs))

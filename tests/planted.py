"""A small network with auxiliary head and branches, its data, and the faults that are planted in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import nn

from archscope.training.data import Data, open_data
from archscope.training.recipe import Recipe

SHAPE = (1, 16, 16)


class Outputs(NamedTuple):
    logits: torch.Tensor
    aux_logits: torch.Tensor


class Small(nn.Module):
    """Two branches, an auxiliary head, batch norm in the stem; ``fault`` names what is wrong with its forward."""

    def __init__(self, fault: str = "", classes: int = 10) -> None:
        super().__init__()
        self.fault = fault
        self.stem = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2))
        self.wide = nn.Sequential(nn.Conv2d(16, 16, 3, padding=1), nn.ReLU())
        self.narrow = nn.Sequential(nn.Conv2d(16, 8, 1), nn.ReLU())
        self.pool = nn.MaxPool2d(2)
        self.aux = nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(96, classes))
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(384, 48), nn.ReLU(), nn.Linear(48, classes))
        self.root = Root()

    def forward(self, x: torch.Tensor) -> torch.Tensor | Outputs:
        x = self.stem(x)
        narrow = self.narrow(x)
        if self.fault == "detached branch":
            narrow = narrow.detach()
        x = self.pool(torch.cat([self.wide(x), narrow], 1))
        if self.fault == "NaN op":
            x = self.root(x - 0.1)
        logits = self.head(x)
        if self.fault == "soft-max in the module":
            logits = logits.softmax(1)
        if self.fault == "ReLU on logits":
            logits = logits.relu()
        if not self.training:
            return logits
        aux = self.aux(x)
        return Outputs(logits, aux.detach() if self.fault == "auxiliary head detached" else aux)


class Root(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.sqrt()


class Unmoved(Small):
    """A network that refuses to be evaluated."""

    def train(self, mode: bool = True) -> Small:  # noqa: ARG002  that is what is wrong with it
        return super().train(True)


@dataclass(frozen=True, eq=False)
class Other:
    """A split whose pictures, or labels, are not those of the one that it is made of."""

    whole: object
    labels: torch.Tensor
    change: Callable[[torch.Tensor], torch.Tensor] = lambda x: x
    read_each_time: bool = False

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, indices: torch.Tensor, epoch: int | None = None) -> torch.Tensor:
        return self.change(self.whole.batch(indices, epoch))


class Case(NamedTuple):
    """What is trained, on what and how; causes that a verdict must name, none where nothing is wrong."""

    model: nn.Module
    data: Data
    recipe: Recipe
    cause: str = ""


def digits(seed: int) -> Data:
    return open_data("digits", input_shape=SHAPE, seed=seed)


def healthy(seed: int, epochs: int = 4) -> Case:
    torch.manual_seed(seed)
    return Case(Small(), digits(seed), Recipe(seed=seed, epochs=epochs, lr=2e-3, optimizer="adamw", batch_size=32))


def _in_module(name: str, cause: str) -> Callable[[int], Case]:
    def made(seed: int) -> Case:
        case = healthy(seed)
        case.model.fault = name
        return case._replace(cause=cause)

    return made


def _rate(factor: float, cause: str) -> Callable[[int], Case]:
    def made(seed: int) -> Case:
        case = healthy(seed)
        return case._replace(recipe=replace(case.recipe, lr=case.recipe.lr * factor), cause=cause)

    return made


def _weights(change: Callable[[nn.Module], object], cause: str) -> Callable[[int], Case]:
    def made(seed: int) -> Case:
        case = healthy(seed)
        change(case.model)
        return case._replace(cause=cause)

    return made


def _zero(model: nn.Module) -> None:
    for each in model.parameters():
        nn.init.zeros_(each)


def _freeze(model: nn.Module) -> None:
    model.requires_grad_(False)


def _dead(model: nn.Module) -> None:
    nn.init.constant_(model.head[1].bias, -10.0)


def _stale(model: nn.Module) -> None:
    model.stem[1].momentum = 1e-6
    model.stem[1].running_mean.fill_(30)


def shuffled(seed: int) -> Case:
    case = healthy(seed)
    train = case.data.train
    order = torch.randperm(len(train), generator=torch.Generator().manual_seed(seed))
    data = replace(case.data, train=Other(train, train.labels[order]))
    return case._replace(data=data, cause="labels shuffled against images")


def other_normalisation(seed: int) -> Case:
    case = healthy(seed)
    held = case.data.validation
    data = replace(case.data, validation=Other(held, held.labels, lambda x: x * 0.3 + 0.3))
    return case._replace(data=data, cause="preprocessing differs between splits")


def swapped_classes(seed: int) -> Case:
    case = healthy(seed)
    held = case.data.validation
    first, second = seed % 10, (seed + 3) % 10
    labels = held.labels.clone()
    labels[held.labels == first], labels[held.labels == second] = second, first
    return case._replace(
        data=replace(case.data, validation=Other(held, labels)), cause="class indices differ between splits"
    )


def other_classes(seed: int) -> Case:
    torch.manual_seed(seed)
    return healthy(seed)._replace(model=Small(classes=1000), cause="wrong class count")


def not_evaluated(seed: int) -> Case:
    torch.manual_seed(seed)
    return healthy(seed)._replace(model=Unmoved(), cause="evaluation in train mode")


FAULTS: dict[str, Callable[[int], Case]] = {
    "soft-max in the module": _in_module("soft-max in the module", "soft-max before cross-entropy"),
    "ReLU on logits": _in_module("ReLU on logits", "ReLU on logits"),
    "lr × 1000": _rate(1e3, "learning rate too high"),
    "lr ÷ 10⁶": _rate(1e-6, "learning rate too low"),
    "zero init": _weights(_zero, "initialisation: activations vanish"),
    "one detached branch": _in_module("detached branch", "detached from the loss"),
    "labels shuffled": shuffled,
    "frozen body and head": _weights(_freeze, "frozen parameters"),
    "NaN op": _in_module("NaN op", "NaN from an op"),
    "wrong class count": other_classes,
    "dead ReLUs by bias −10": _weights(_dead, "dead ReLUs"),
    "auxiliary head detached": _in_module("auxiliary head detached", "auxiliary head detached"),
    "different normalisation in validation": other_normalisation,
    "class order swapped in validation": swapped_classes,
    "evaluated in train mode": not_evaluated,
    "stale batch-norm statistics": _weights(_stale, "stale batch-norm statistics"),
}

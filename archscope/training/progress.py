"""A training under way: the model with all that must be kept to go on exactly where it stopped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from archscope.training.data import Data, batches
from archscope.training.events import Epoch
from archscope.training.machine import Machine
from archscope.training.objective import Losses
from archscope.training.optimising import optimizer_of, restore_optimizer
from archscope.training.recipe import Recipe
from archscope.training.sampling import order
from archscope.training.scoring import Scores

if TYPE_CHECKING:
    import torch
    from torch import nn

Part = tuple["torch.Tensor", "torch.Tensor", float]
"""Examples, labels, and the share of the step's examples that they are, times the number of processes."""


@dataclass
class Progress:
    """What changes while a training runs, and what it runs on.

    steps: of the whole training; step: how many are done. ends: of each batch of an epoch, in the order of examples.
    curve: main loss of each step, on the device; sums: of the epoch so far, a number per head, correct answers, count.
    best: highest validation accuracy so far. held_out: the scores of the last epoch that ended here.
    """

    model: nn.Module
    data: Data
    recipe: Recipe
    machine: Machine
    optimizer: torch.optim.Optimizer
    steps: int
    ends: tuple[int, ...]
    curve: torch.Tensor
    step: int = 0
    sums: dict[str, torch.Tensor] = field(default_factory=dict)
    history: list[Epoch] = field(default_factory=list)
    best: float = -1.0
    held_out: Scores | None = None

    @property
    def epoch(self) -> int:
        """The epoch that the next step belongs to."""
        return self.step // len(self.ends)

    @property
    def at_epoch_end(self) -> bool:
        """Whether an epoch, or the training, is just done."""
        return self.step % len(self.ends) == 0 or self.step == self.steps

    def images(self, step: int) -> int:
        """How many examples a step has."""
        at = step % len(self.ends)
        return self.ends[at] - (self.ends[at - 1] if at else 0)

    def batches(self) -> Iterator[list[Part]]:
        """The rest of this epoch: per step its parts, of this process's share of its examples."""
        import torch

        examples = self.data.train
        queue = order(self.recipe.seed, self.epoch, len(examples))
        position = self.step % len(self.ends)
        steps = torch.tensor_split(queue, torch.tensor(self.ends[:-1], dtype=torch.int64))[position:]
        plan = [self._parts(indices) for indices in steps]
        made = batches(examples, [part for parts in plan for part in parts], self.epoch, self.recipe.num_workers)
        for indices, parts in zip(steps, plan, strict=True):
            yield [self._part(*next(made), len(indices)) for _ in parts]

    def _parts(self, indices: torch.Tensor) -> list[torch.Tensor]:
        own = self.machine.share(indices)
        return list(own.tensor_split(min(self.recipe.accumulate, len(own))))

    def _part(self, x: torch.Tensor, labels: torch.Tensor, whole: int) -> Part:
        share = len(labels) * self.machine.world / whole
        return (*self.machine.moved(x, labels), share)

    def add(self, losses: Losses, share: float, count: int) -> None:
        """Notes what a part of a step came to; nothing waits for the device."""
        import torch

        self.curve[self.step] += losses.heads["logits"].float() * share / self.machine.world
        found = {name: loss.float() * count for name, loss in losses.heads.items()}
        for name, value in (found | {"correct": losses.correct.float()}).items():
            self.sums[name] = self.sums[name] + value if name in self.sums else value
        counted = self.sums.get("count", torch.zeros((), device=self.machine.device))
        self.sums["count"] = counted + count

    def means(self) -> tuple[dict[str, float], float]:
        """Mean loss by head, and accuracy, of the epoch so far, of all processes."""
        import torch

        names = list(self.sums)
        whole = self.machine.total(torch.stack([self.sums[name].clone() for name in names])).tolist()
        found = dict(zip(names, whole, strict=True))
        count = found.pop("count")
        correct = found.pop("correct")
        return {name: value / count for name, value in found.items()}, correct / count

    def state(self) -> dict[str, Any]:
        """All but the model's weights, as plain values and tensors."""
        import torch

        scaler = self.machine.scaler
        return {
            "step": self.step,
            "optimizer": self.optimizer.state_dict(),
            "random": torch.get_rng_state(),
            "random_cuda": torch.cuda.get_rng_state_all() if self.machine.device.type == "cuda" else [],
            "scaler": scaler.state_dict() if scaler is not None else {},
            "curve": self.machine.total(self.curve.clone()).cpu(),
            "sums": {name: self.machine.total(value.clone()).cpu() for name, value in self.sums.items()},
            "history": [epoch._asdict() for epoch in self.history],
            "best": self.best,
        }

    def resume(self, state: Mapping[str, Any]) -> None:
        """Goes on where a state was taken; the model's weights are loaded already."""
        import torch

        device = self.machine.device
        self.step, self.best = state["step"], state["best"]
        restore_optimizer(self.optimizer, state["optimizer"])
        own = float(self.machine.writes)  # what all processes had together goes on in one of them
        self.curve.copy_(own * state["curve"])
        self.sums = {name: own * value.to(device) for name, value in state["sums"].items()}
        self.history = [Epoch(**each) for each in state["history"]]
        torch.set_rng_state(state["random"])
        if device.type == "cuda" and state["random_cuda"]:
            torch.cuda.set_rng_state_all(state["random_cuda"])
        if self.machine.scaler is not None and state["scaler"]:
            self.machine.scaler.load_state_dict(state["scaler"])


def progress_of(model: nn.Module, data: Data, recipe: Recipe, machine: Machine) -> Progress:
    """A training at its beginning. The recipe must be complete; frozen parameters are frozen already."""
    import torch

    ends = batch_ends(len(data.train), recipe.batch, 2 * machine.world)
    steps = recipe.steps if recipe.steps is not None else (recipe.epochs or 1) * len(ends)
    curve = torch.zeros(steps, device=machine.device)
    return Progress(model, data, recipe, machine, optimizer_of(model, recipe), steps, ends, curve)


def batch_ends(examples: int, batch: int, least: int) -> tuple[int, ...]:
    """Where each batch of an epoch ends. A last batch of fewer than ``least`` goes with the one before it.

    Batch norm cannot take the mean of a single example.

    >>> batch_ends(10, 4, 2), batch_ends(9, 4, 2)
    ((4, 8, 10), (4, 9))
    """
    ends = [*range(batch, examples, batch), examples]
    if len(ends) > 1 and ends[-1] - ends[-2] < min(least, batch):
        del ends[-2]
    return tuple(ends)

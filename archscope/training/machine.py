"""What a loop runs on: device, precision, compilation and processes, so that none of it stands in the loop."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from archscope.running.device import device_called
from archscope.training.recipe import Recipe

if TYPE_CHECKING:
    import torch
    from torch import nn


@dataclass
class Machine:
    """Where and how a training runs.

    rank: of this process, of ``world``. scaler: of gradients in float16. at_once: examples of a batch in evaluation.
    """

    device: torch.device
    amp: str = ""
    compiled: bool = False
    channels_last: bool = False
    rank: int = 0
    world: int = 1
    scaler: torch.amp.GradScaler | None = None
    at_once: int = 64

    @property
    def writes(self) -> bool:
        """Whether this process writes files and says things: one of them does."""
        return self.rank == 0

    def placed(self, model: nn.Module) -> nn.Module:
        """The model on the device, in the memory format; it is the same module."""
        import torch

        model.to(self.device)
        return model.to(memory_format=torch.channels_last) if self.channels_last else model

    def runner(self, model: nn.Module) -> Any:
        """What is called for a forward in training: the model itself, compiled, or with gradients shared."""
        import torch

        if self.world > 1:
            from torch.nn.parallel import DistributedDataParallel

            # Frozen and idle parameters get no gradient, which only this setting lets pass.
            model = DistributedDataParallel(model, find_unused_parameters=True)
        return torch.compile(model) if self.compiled else model

    def precision(self) -> AbstractContextManager[Any]:
        """The context that a forward runs in."""
        import torch

        if not self.amp:
            return nullcontext()
        return torch.autocast(self.device.type, dtype=getattr(torch, self.amp))

    def moved(self, x: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """A batch on the device, in the memory format."""
        import torch

        shape = torch.channels_last if self.channels_last else torch.contiguous_format
        return x.to(self.device, memory_format=shape, non_blocking=True), labels.to(self.device, non_blocking=True)

    def share(self, indices: torch.Tensor) -> torch.Tensor:
        """The part of a batch that belongs to this process."""
        return indices[self.rank :: self.world]

    def backward(self, loss: torch.Tensor) -> None:
        """Gradients of a loss, added to those that are there."""
        import torch

        torch.autograd.backward(self.scaler.scale(loss) if self.scaler is not None else loss)

    def update(self, model: nn.Module, optimizer: torch.optim.Optimizer, clip: float | None) -> None:
        """One step of the optimizer, its gradients cut to the norm ``clip``; then they are gone."""
        import torch

        if self.scaler is not None:
            self.scaler.unscale_(optimizer)
        if clip is not None:
            torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
        if self.scaler is None:
            optimizer.step()
        else:
            self.scaler.step(optimizer)
            self.scaler.update()
        optimizer.zero_grad(set_to_none=True)

    def agreed(self, stopping: Callable[[], bool]) -> Callable[[], bool]:
        """The same question, answered alike by all processes: one that stops alone leaves the others waiting."""
        import torch

        if self.world == 1:
            return stopping
        return lambda: bool(self.total(torch.tensor(float(stopping()), device=self.device)))

    def leave(self) -> None:
        """Takes leave of the other processes."""
        if self.world > 1:
            import torch.distributed as dist

            dist.destroy_process_group()

    def total(self, values: torch.Tensor) -> torch.Tensor:
        """The sum of a tensor over all processes."""
        if self.world > 1:
            import torch.distributed as dist

            dist.all_reduce(values)
        return values


MOST_AT_ONCE = 256


def is_first() -> bool:
    """Whether this process is the only one, or the first of several that ``torchrun`` started."""
    return os.environ.get("RANK", "0") == "0"


def own_random() -> AbstractContextManager[None]:
    """While this lasts, torch's random numbers are a training's own; the caller's go on after it where they were."""
    import torch

    return torch.random.fork_rng()


def seed_all(seed: int) -> None:
    """Begins torch's random numbers, on every device."""
    import torch

    torch.manual_seed(seed)


def machine_of(recipe: Recipe) -> Machine:
    """The machine that a complete recipe asks for; under ``torchrun``, one process of several.

    Raises Unsupported for ``cuda`` where torch can use no GPU.
    """
    import torch

    name = device_called(recipe.device)
    world, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
    device = torch.device(name, int(os.environ.get("LOCAL_RANK", "0"))) if name == "cuda" else torch.device(name)
    if world > 1:
        _joined(name)
    scaler = torch.amp.GradScaler(name) if recipe.amp == "float16" else None
    at_once = min(MOST_AT_ONCE, max(2, 2 * recipe.batch // (world * recipe.accumulate)))
    return Machine(device, recipe.amp, recipe.compile, bool(recipe.channels_last), rank, world, scaler, at_once)


def _joined(device: str) -> None:
    import torch.distributed as dist

    if not dist.is_initialized():
        dist.init_process_group("nccl" if device == "cuda" else "gloo")

"""The optimizer of a recipe, and the learning rate of each step."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from archscope.core.errors import ArchscopeError, Problem
from archscope.training.recipe import Recipe

if TYPE_CHECKING:
    import torch
    from torch import nn


def optimizer_of(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """What updates the parameters that are to be trained. The recipe must be complete."""
    import torch

    trained = [each for each in model.parameters() if each.requires_grad]
    trained = trained or [torch.nn.Parameter(torch.zeros(0))]  # torch refuses to have nothing to do
    rate: dict[str, Any] = {"lr": recipe.lr, "weight_decay": recipe.weight_decay, "fused": can_be_fused(trained)}
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(trained, momentum=recipe.momentum or 0.0, **rate)
    kind = torch.optim.Adam if recipe.optimizer == "adam" else torch.optim.AdamW
    return kind(trained, **rate)


def can_be_fused(parameters: Sequence[torch.Tensor]) -> bool:
    """Whether torch may update every parameter in one pass, which takes a fraction of the time of a pass per operation.

    It goes through memory as it lies, so there must be no gaps; torch itself does not ask.
    """
    import torch

    return all(
        each.is_floating_point() and torch.empty_like(each, device="meta").stride() == each.stride()
        for each in parameters
    )


def restore_optimizer(optimizer: torch.optim.Optimizer, state: Mapping[str, Any]) -> None:
    """Puts an optimizer where its state was taken, each tensor laid out in memory as its parameter is.

    Raises ArchscopeError for the state of other parameters: a fused step would read beyond its end.
    """
    import torch

    try:
        optimizer.load_state_dict(dict(state))
    except (KeyError, TypeError, ValueError) as error:
        raise _other_state(str(error)) from error
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            own = optimizer.state.get(parameter, {})
            for name, value in own.items():
                if not isinstance(value, torch.Tensor) or name == "step":
                    continue
                if value.shape != parameter.shape:
                    raise _other_state(f"{name} is {tuple(value.shape)} for a parameter of {tuple(parameter.shape)}")
                own[name] = torch.empty_like(parameter, dtype=value.dtype, requires_grad=False).copy_(value)


def _other_state(why: str) -> ArchscopeError:
    return ArchscopeError(Problem("bad-checkpoint", f"the optimizer's state in the checkpoint is of another: {why}"))


def rate_at(step: int, steps: int, recipe: Recipe) -> float:
    """The learning rate of a step, counted from 0, of so many: a function of the step alone.

    >>> [round(rate_at(step, 8, Recipe(lr=1.0, warmup=0.25)), 3) for step in range(8)]
    [0.5, 1.0, 1.0, 0.933, 0.75, 0.5, 0.25, 0.067]
    """
    whole = recipe.lr or 0.0
    warming = int(recipe.warmup * steps)
    if step < warming:
        return whole * (step + 1) / warming
    if recipe.schedule == "constant":
        return whole
    share = (step - warming) / (steps - warming)
    if recipe.schedule == "step":
        return whole * (1.0 if share < 0.5 else 0.1 if share < 0.75 else 0.01)
    return whole * 0.5 * (1 + math.cos(math.pi * share))

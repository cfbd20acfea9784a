"""Optimizers: fused where that is safe, and put back only where their state is that of the parameters."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from archscope.core.errors import ArchscopeError
from archscope.training.optimising import can_be_fused, optimizer_of, restore_optimizer
from archscope.training.recipe import Recipe

RATE = {"lr": 0.1, "weight_decay": 0.01}


class Gaps(nn.Module):
    """A parameter that is every other column of a larger tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.arange(32.0).view(4, 8)[:, ::2])


def stepped(model: nn.Module, optimizer: torch.optim.Optimizer) -> list[torch.Tensor]:
    for power in (1, 2, 3):
        optimizer.zero_grad()
        torch.autograd.backward(sum((each**power).sum() for each in model.parameters()))
        optimizer.step()
    return [each.detach().clone() for each in model.parameters()]


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw"])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_every_optimizer_does_what_torch_does_without_fusing(name: str, layout: torch.memory_format) -> None:
    model = nn.Conv2d(4, 3, 3).to(memory_format=layout)
    other = copy.deepcopy(model)
    recipe = Recipe(optimizer=name, momentum=0.9 if name == "sgd" else None, **RATE)
    ours = optimizer_of(model, recipe)
    kinds = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
    theirs = kinds[name](other.parameters(), **RATE, **({"momentum": 0.9} if name == "sgd" else {}), foreach=False)
    assert ours.defaults["fused"] is True
    for own, their in zip(stepped(model, ours), stepped(other, theirs), strict=True):
        torch.testing.assert_close(own, their)


def test_a_parameter_with_gaps_in_memory_is_not_fused() -> None:
    model = Gaps()
    assert not can_be_fused([model.weight])
    optimizer = optimizer_of(model, Recipe(optimizer="adamw", **RATE))
    assert optimizer.defaults["fused"] is False
    dense = nn.Module()
    dense.weight = nn.Parameter(model.weight.detach().clone())
    own, their = stepped(model, optimizer), stepped(dense, torch.optim.AdamW(dense.parameters(), **RATE))
    torch.testing.assert_close(own, their)
    assert not can_be_fused([torch.zeros(2, dtype=torch.complex64)])


def test_a_state_is_laid_out_as_the_parameters_are() -> None:
    model = nn.Conv2d(4, 3, 3)
    optimizer = optimizer_of(model, Recipe(optimizer="adamw", **RATE))
    stepped(model, optimizer)
    other = copy.deepcopy(model).to(memory_format=torch.channels_last)
    again = optimizer_of(other, Recipe(optimizer="adamw", **RATE))
    restore_optimizer(again, copy.deepcopy(optimizer.state_dict()))
    assert again.state[other.weight]["exp_avg"].stride() == other.weight.stride()
    for own, their in zip(stepped(other, again), stepped(model, optimizer), strict=True):
        torch.testing.assert_close(own, their)


def test_the_state_of_other_parameters_is_refused() -> None:
    small, large = (nn.Linear(size, 2) for size in (2, 4000))
    states = [optimizer_of(model, Recipe(optimizer="adamw", **RATE)) for model in (small, large)]
    stepped(small, states[0])
    with pytest.raises(ArchscopeError) as raised:
        restore_optimizer(states[1], states[0].state_dict())
    assert "the optimizer's state in the checkpoint is of another: exp_avg is (2, 2)" in str(raised.value)
    with pytest.raises(ArchscopeError, match="loaded state dict has a different number of parameter groups"):
        restore_optimizer(states[1], {"state": {}, "param_groups": []})

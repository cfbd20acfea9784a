"""Whoever gives a module for capture gets it back: same attributes, values, mode, hooks, gradients, random numbers."""

from __future__ import annotations

import copy
import random

import numpy as np
import pytest
import torch
from torch import nn

import archscope


class Caching(nn.Module):
    """Keeps things of its forward, as ConViT keeps its indices and LeViT its biases."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.bn = nn.BatchNorm2d(4)
        self.drop = nn.Dropout(0.5)
        self.fc = nn.Linear(4, 2)
        self.register_buffer("calls", torch.zeros(1))
        self.scale = torch.ones(4)
        self.cache: dict[str, torch.Tensor] = {}
        self.seen: list[torch.Tensor] = [torch.ones(1)]
        self.last: torch.Tensor | None = None

    def forward(self, x):
        x = self.drop(self.bn(self.conv(x)).relu_())
        self.calls += 1
        self.scale.mul_(1.5)
        self.cache["map"] = x
        self.seen.append(x)
        self.last = x.mean((2, 3)) * self.scale + torch.rand(4)
        self.extra = random.random() + np.random.rand()  # noqa: NPY002, S311  the states of these must stay
        return self.fc(self.last)


def state_of(model: nn.Module) -> dict[str, object]:
    """Everything of a module that a forward might change, tensors by value."""
    return {
        f"{path}.{name}": kept(value)
        for path, module in model.named_modules()
        for name, value in vars(module).items()
        if name != "_modules"
    }


def kept(value: object) -> object:
    if isinstance(value, torch.Tensor):
        return value.detach().clone().requires_grad_(value.requires_grad)
    if isinstance(value, dict):
        return {key: kept(each) for key, each in value.items()}
    return [kept(each) for each in value] if isinstance(value, list) else value


def equal(a: object, b: object) -> bool:
    if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor):
        return a.device == b.device and a.requires_grad == b.requires_grad and torch.equal(a, b)
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == list(b) and all(equal(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(equal, a, b))
    return a == b


@pytest.mark.parametrize("mode", ["eval", "train"])
@pytest.mark.parametrize("was_training", [True, False])
def test_a_module_is_as_it_was(mode: str, was_training: bool) -> None:
    model = Caching().train(was_training)
    model.bn.eval()
    model.fc.weight.requires_grad_(False)
    model(torch.ones(2, 3, 8, 8)).sum().backward()
    fired = []
    model.fc.register_forward_hook(lambda *_: fired.append(1))
    before, grads = state_of(model), [each.grad for each in model.parameters()]
    numbers = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002  as above
    archscope.capture(model, (3, 8, 8), mode=mode)
    after = state_of(model)
    assert list(before) == list(after)
    assert [name for name in before if not equal(before[name], after[name])] == []
    assert all(mine is its for mine, its in zip(grads, (each.grad for each in model.parameters()), strict=True))
    assert torch.equal(numbers[0], torch.get_rng_state())
    assert numbers[1:] == (random.getstate(), np.random.get_state()[1].tolist())  # noqa: NPY002  as above
    assert fired == [1]  # hooks are the user's: they run, and stay


def test_it_runs_as_before_and_can_be_captured_again() -> None:
    torch.manual_seed(0)
    model, image = Caching().eval(), torch.rand(2, 3, 8, 8)
    twin = copy.deepcopy(model)
    first = archscope.capture(model, (3, 8, 8))
    torch.manual_seed(1)
    expected = twin(image)
    torch.manual_seed(1)
    assert torch.equal(model(image), expected)
    assert archscope.capture(model, (3, 8, 8)).nodes == first.nodes
    assert not any(each.is_meta for each in [*model.state_dict().values(), model.scale, *model.seen])


def test_a_forward_that_raises_leaves_nothing_behind() -> None:
    class Raising(nn.Module):
        def forward(self, x):
            self.kept = x
            raise ValueError("no")

    model = Raising().train()
    original = nn.Module.__call__
    with pytest.raises(archscope.ArchscopeError, match="Raising raised ValueError: no"):
        archscope.capture(model, (3,))
    assert not hasattr(model, "kept")
    assert model.training
    assert nn.Module.__call__ is original
    assert torch.is_grad_enabled()
    assert not torch.is_inference_mode_enabled()


def test_a_real_run_puts_running_statistics_back() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    before = {key: value.clone() for key, value in model.state_dict().items()}
    archscope.capture(model, (3, 8, 8), batch=2, mode="train", real=True)
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())


def test_what_watches_modules_in_other_threads_sees_nothing_of_it() -> None:
    import threading

    counted = []
    other = nn.Linear(2, 2)

    class Spawning(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(4, 4)

        def forward(self, x):
            thread = threading.Thread(target=lambda: counted.append(other(torch.ones(1, 2)).shape))
            thread.start()
            thread.join()
            return self.fc(x)

    graph = archscope.capture(Spawning(), (4,))
    assert [node.path for node in graph.nodes] == ["fc"]
    assert counted == [(1, 2)]

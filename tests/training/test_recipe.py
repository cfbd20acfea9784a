"""A recipe holds every setting of a training, refuses what makes no sense, and goes through JSON unchanged."""

from __future__ import annotations

import json

import pytest
import torch

import archscope
from archscope.core.errors import UsageError
from archscope.training.defaults import completed
from archscope.training.optimising import rate_at
from archscope.training.recipe import Recipe, recipe_of


def test_a_recipe_goes_through_json_unchanged() -> None:
    recipe = Recipe(steps=12, lr=0.05, optimizer="sgd", momentum=0.8, freeze=("features.*",), amp="bfloat16", clip=1.0)
    assert recipe_of(json.loads(json.dumps(recipe.plain()))) == recipe


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"steps": 0}, "steps is 0\n  expected: a whole number from 1 on"),
        ({"epochs": True}, "epochs is True"),
        ({"steps": 3, "epochs": 3}, "steps and epochs both say how long it trains\n  help:     give one"),
        ({"batch_size": -1}, "batch_size is -1"),
        ({"accumulate": 0}, "accumulate is 0"),
        ({"lr": 0.0}, "lr is 0.0\n  expected: a number above 0 up to 1e+09"),
        ({"lr": "fast"}, "lr is 'fast'"),
        ({"momentum": 1.0}, "momentum is 1.0\n  expected: a number from 0 and below 1"),
        ({"optimizer": "adam", "momentum": 0.9}, "adam has no momentum to set\n  help:     sgd has"),
        ({"optimizer": "sgdm"}, "optimizer is 'sgdm'\n  expected: sgd, adam, adamw"),
        ({"schedule": "linear"}, "schedule is 'linear'\n  expected: constant, cosine, step"),
        ({"init": "zeros"}, "init is 'zeros'\n  expected: default, paper, xavier, kaiming"),
        ({"device": "tpu"}, "device is 'tpu'\n  expected: auto, cpu, cuda"),
        ({"amp": "float64"}, "amp is 'float64'\n  expected: bfloat16, float16"),
        ({"weight_decay": float("nan")}, "weight_decay is nan"),
        ({"label_smoothing": 1}, "label_smoothing is 1"),
        ({"aux_weight": -0.1}, "aux_weight is -0.1"),
        ({"warmup": 1}, "warmup is 1"),
        ({"clip": 0}, "clip is 0"),
        ({"seed": -1}, "seed is -1"),
        ({"num_workers": 1.5}, "num_workers is 1.5"),
        ({"log_every": 0}, "log_every is 0"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(settings: dict, text: str) -> None:
    with pytest.raises(UsageError) as raised:
        Recipe(**settings)
    assert text in str(raised.value)


def test_an_unknown_setting_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError) as raised:
        recipe_of({"learning_rte": 1})
    assert "a recipe has no 'learning_rte'" in str(raised.value)


def test_a_recipe_that_is_not_complete_has_no_batch() -> None:
    with pytest.raises(UsageError, match="batch_size is not chosen yet"):
        _ = Recipe().batch


@pytest.mark.parametrize(("schedule", "last"), [("constant", 1.0), ("step", 0.01), ("cosine", 0.0)])
def test_schedules_warm_up_and_then_go_their_way(schedule: str, last: float) -> None:
    rates = [rate_at(step, 1000, Recipe(lr=1.0, schedule=schedule, warmup=0.1)) for step in range(1000)]
    assert rates[0] == pytest.approx(0.01)
    assert rates[99] == max(rates) == 1.0
    assert rates[-1] == pytest.approx(last, abs=1e-4)


@pytest.mark.parametrize(
    ("network", "init", "lr"),
    [
        ("vgg11_bn", "default", 2e-3),
        ("vgg11", "kaiming", 1e-3),
        ("googlenet", "kaiming", 1e-3),
        ("lenet5", "xavier", 2e-3),
    ],
)
def test_what_suits_a_network_is_chosen_and_said(network: str, init: str, lr: float) -> None:
    recipe, words = completed(Recipe(), archscope.lower(network), 10**6, 1000, "cuda")
    assert (recipe.init, recipe.lr, recipe.optimizer) == (init, lr, "adamw")
    assert [each.split(":")[0] for each in words] == ([] if init == "default" else [f"init {init}"])


def test_what_a_recipe_says_stays() -> None:
    rate = {"lr": 0.5, "optimizer": "sgd", "momentum": 0.5, "weight_decay": 0.0}
    said = Recipe(init="default", batch_size=7, steps=3, channels_last=False, **rate)
    assert completed(said, archscope.lower("vgg11"), None, 100, "cpu") == (said, ())


def test_channels_come_last_on_a_cpu_but_for_modules_whose_forward_may_ask_for_views() -> None:
    table, module = archscope.lower("lenet5"), archscope.capture(torch.nn.Conv2d(1, 2, 3), (1, 8, 8))
    chosen = [completed(Recipe(), *each)[0].channels_last for each in (
        (table, 1, 100, "cpu"), (table, 1, 100, "cuda"), (module, 1, 100, "cpu"),
    )]  # fmt: skip
    assert chosen == [True, False, False]


def test_a_network_of_more_macs_gets_fewer_epochs() -> None:
    graph = archscope.lower("lenet5")
    lengths = [completed(Recipe(), graph, macs, 1438, "cpu")[0] for macs in (10**6, 4 * 10**7, 10**8, 10**10)]
    assert [(each.epochs, each.steps) for each in lengths] == [(8, None), (4, None), (None, 78), (None, 60)]
    assert completed(Recipe(), graph, 10**8, 1438, "cuda")[0].epochs == 8

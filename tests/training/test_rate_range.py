"""The range test of learning rates: its interval, its files, and what the learning-rate sign makes of it."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import planted
import pytest
import torch
from torch import nn

import archscope
from archscope.training.rate_range import LEAST, range_of
from archscope.training.recipe import Recipe
from archscope.training.signs import FAULT, FINE

RECIPE = Recipe(steps=60, batch_size=64, lr=2e-3, optimizer="adamw")


def trained(recipe: Recipe, folder: Path | None = None) -> archscope.api.trainings.Training:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 8, 3, stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(392, 10))
    return archscope.train(model, planted.digits(0), recipe, input=planted.SHAPE, out=folder, lr_range=True)


def test_a_loss_falls_between_the_rates_where_it_begins_to_and_where_it_is_least() -> None:
    rates = [10.0**power for power in range(-6, 1)]
    found = range_of(rates, [2.3, 2.3, 2.3, 1.0, 0.3, 0.2, 40.0])
    assert (found.low, found.high) == (pytest.approx(1e-3), pytest.approx(1e-1))
    flat = range_of(rates, [2.3] * 7)
    assert (flat.low, flat.high) == (None, None)
    wild = range_of(rates[:3], [2.3, 2.2, float("nan")])
    assert (wild.low, wild.high) == (None, None)


def test_a_range_test_is_kept_and_said_and_changes_nothing_of_the_training(tmp_path: Path) -> None:
    done = trained(RECIPE, tmp_path / "run")
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 8, 3, stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(392, 10))
    plain = archscope.train(model, planted.digits(0), RECIPE, input=planted.SHAPE)
    assert [each.losses for each in done.history] == [each.losses for each in plain.history]
    sign = next(each for each in done.verdict.signs if each.name == "learning-rate")
    assert sign.status == FINE
    assert "in a range test the loss falls from " in sign.what
    low, high = (float(each) for each in sign.what.split("falls from ")[1].split(" to "))
    assert 1e-5 < low < 2e-3 < high < 1
    rows = list(csv.DictReader((tmp_path / "run" / "lr_range.csv").read_text(encoding="utf-8").splitlines()))
    assert float(rows[0]["rate"]) == LEAST
    assert float(rows[-1]["loss"]) > float(rows[0]["loss"])
    assert (tmp_path / "run" / "lr_range.png").stat().st_size > 1000


def test_a_rate_below_the_interval_is_proved_too_low() -> None:
    done = trained(replace(RECIPE, lr=3e-6, schedule="constant"))
    sign = next(each for each in done.verdict.signs if each.name == "learning-rate")
    assert (sign.status, sign.cause) == (FAULT, "learning rate too low")

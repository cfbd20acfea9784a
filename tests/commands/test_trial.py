"""``archscope trial``: pairs of runs that differ in the network alone."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from dataclasses import replace

import pytest

import archscope as library
from archscope.api import trials
from archscope.api.trials import Side
from archscope.core.errors import ArchscopeError
from archscope.training.recipe import Recipe

SHORT = "--seeds 3 --steps 40 --width 1/16 --device cpu"


def test_batch_norm_helps_a_narrow_vgg_that_is_trained_for_a_moment(archscope: Callable) -> None:
    outcome = archscope(f'trial vgg11 "vgg11 --bn conv" {SHORT} --format json')
    found = json.loads(outcome.out)
    assert outcome.code == 0
    assert found["networks"] == ["vgg11", "vgg11 bn=conv"]
    assert found["better"] == "vgg11 bn=conv"
    assert [pair["seed"] for pair in found["pairs"]] == [0, 1, 2]
    differences = [pair["second"] - pair["first"] for pair in found["pairs"]]
    assert found["difference"]["mean"] == pytest.approx(sum(differences) / 3)
    assert {each["steps"] for each in found["recipes"]} == {40}
    assert {each["batch_size"] for each in found["recipes"]} == {32}


def test_what_differs_in_nothing_that_counts_is_undecided(archscope: Callable) -> None:
    outcome = archscope('trial lenet5 "lenet5 --dropout 0.5" --seeds 3 --steps 3 --device cpu')
    assert outcome.code == 3
    assert "mean difference +0.00%, 95 % interval -0.28% to +0.28%: undecided" in outcome.out
    assert "held-out accuracy on digits, 359 pictures; second minus first" in outcome.out


def test_a_pair_is_what_two_trainings_give_also_where_ctrl_c_ends_the_trial(
    archscope: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = Recipe(steps=3, seed=4, device="cpu")
    told = []

    def interrupt(name: str, seed: int, accuracy: float) -> None:
        told.append((name, seed, accuracy))
        if len(told) == 7:
            signal.raise_signal(signal.SIGINT)

    done = library.trial("lenet5", Side("lenet_tutorial", {}), recipe=recipe, seeds=4, watch=interrupt)
    assert done.interrupted
    assert [pair.seed for pair in done.pairs] == [4, 5, 6]
    for number, name in enumerate(("lenet5", "lenet_tutorial")):
        alone = library.train(name, recipe=replace(done.recipes[number], seed=5))
        assert alone.history[-1].validation_accuracy == done.pairs[1][1 + number]
    monkeypatch.setattr(trials, "trial", lambda *_, **__: done)
    outcome = archscope("trial lenet5 lenet_tutorial --seeds 4 --steps 3")
    assert (outcome.code, outcome.err) == (130, "interrupted; these 3 of 4 pairs were finished\n")
    assert "mean difference" in outcome.out


WRONG = {
    "trial lenet5 lenet_tutorial --seeds 2": "bad-value: seeds is 2\n  expected: a whole number from 3 on\n",
    "trial lenet5 lenet5": "bad-value: both networks of the trial are the same, with the same changes\n",
    'trial lenet5 "lenet5 --wide 2"': "unknown-option: archscope trial has no option '--wide'\n"
    "  help:     did you mean --width, --dense, --head-width?\n",
}


@pytest.mark.parametrize("line", WRONG)
def test_what_makes_no_sense_ends_with_2(line: str, archscope: Callable) -> None:
    assert archscope(line) == (2, "", WRONG[line])


def test_a_module_is_no_side_of_a_trial() -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(ArchscopeError, match="a module is trained in place, and a trial begins anew for every seed"):
        library.trial(torch.nn.Linear(2, 2), "lenet5")


def test_what_is_not_trained_is_not_compared() -> None:
    recipe = Recipe(steps=3, freeze=("*",), device="cpu")
    with pytest.raises(ArchscopeError, match="not-trained: lenet5 was not trained with seed 0: "):
        library.trial("lenet5", "lenet_tutorial", recipe=recipe, seeds=3)

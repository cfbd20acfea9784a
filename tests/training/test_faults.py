"""A healthy network learns; of each planted fault the verdict says so, and the right cause first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import planted
import pytest
from pictures_on_disk import class_folders

import archscope
from archscope.training.recipe import Recipe

SEED = 7


def short(case: planted.Case) -> planted.Case:
    return case._replace(recipe=replace(case.recipe, epochs=2))


def test_a_healthy_network_learns_with_every_sign_in_its_favour() -> None:
    case = short(planted.healthy(SEED))
    done = archscope.train(case.model, case.data, case.recipe, input=planted.SHAPE)
    assert done.verdict.verdict == "learns"
    assert done.verdict.causes == ()
    assert done.history[-1].validation_accuracy > 0.8
    names = {sign.name for sign in done.verdict.signs}
    assert {"gradients", "signal", "initial-loss", "one-batch", "trend", "held-out", "auxiliary"} <= names
    assert all(any(character.isdigit() for character in sign.what) for sign in done.verdict.signs[2:])


@pytest.mark.parametrize("fault", planted.FAULTS)
def test_a_planted_fault_is_found_and_named(fault: str) -> None:
    case = short(planted.FAULTS[fault](SEED))
    done = archscope.train(case.model, case.data, case.recipe, input=planted.SHAPE)
    assert done.verdict.verdict == "does not learn"
    assert done.verdict.causes == (case.cause,)
    assert done.verdict.exit_code == 1


def test_what_is_at_fault_is_named() -> None:
    named = {
        "one detached branch": "narrow.0.weight",
        "NaN op": "root (Root)",
        "dead ReLUs by bias −10": "head.2",
        "auxiliary head detached": "aux_logits",
        "zero init": "stem.0 (Conv2d)",
        "frozen body and head": "stem.0.weight",
    }
    for fault, place in named.items():
        case = planted.FAULTS[fault](SEED)
        done = archscope.train(case.model, case.data, case.recipe, input=planted.SHAPE)
        assert place in next(sign.what for sign in done.verdict.signs if sign.cause), fault
        assert done.history == ()  # it stops before the first step


def test_force_trains_in_spite_of_a_fault() -> None:
    case = short(planted.FAULTS["soft-max in the module"](SEED))
    recipe = replace(case.recipe, epochs=None, steps=5)
    done = archscope.train(case.model, case.data, recipe, input=planted.SHAPE, force=True)
    assert done.history[-1].step == 5
    assert done.verdict.causes == (case.cause,)


def test_a_few_pictures_prove_nothing_of_their_labels(tmp_path: Path) -> None:
    class_folders(tmp_path, {"a": 8, "b": 8})
    recipe = Recipe(steps=1, lr=1e-9)
    done = archscope.train("lenet5", f"folder:{tmp_path}", recipe)
    assert done.verdict.verdict != "learns"
    assert "labels" not in {sign.name for sign in done.verdict.signs}


def test_too_few_steps_are_undecided() -> None:
    case = planted.healthy(SEED)
    recipe = replace(case.recipe, epochs=None, steps=2)
    done = archscope.train(case.model, case.data, recipe, input=planted.SHAPE)
    assert done.verdict.verdict == "undecided"
    assert done.verdict.exit_code == 3

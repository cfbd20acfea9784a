"""A training run as a report shows it: read from its folder, put in words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from archscope.core.errors import ArchscopeError, Problem, UsageError
from archscope.formats import spelled
from archscope.reports.contents import Curve, Evidence, Training
from archscope.spec.options import Options
from archscope.training.events import Epoch
from archscope.training.objective import MAIN
from archscope.training.recipe import Recipe, recipe_of
from archscope.training.rereading import Written, read_written
from archscope.training.runs import Run, read_run

T = TypeVar("T")

DRAWN = 2000
"""Points of a curve that are drawn at most."""


def course_of(path: str | Path) -> Training:
    """What a run's folder says of a training. Nothing of it is run, and the network that it names is not loaded.

    Raises ArchscopeError for a folder that is no run, that has nothing to show, or of which a file is damaged.
    """
    folder = Path(path)
    run, written = read_run(folder), read_written(folder)
    verdict = written.verdict
    signs = verdict.signs if verdict is not None else ()
    return Training(
        name=folder.resolve().name,
        title=run.title,
        facts=(("network", _network(run)), ("data", _data(run)), ("recipe", _recipe(folder, run, written))),
        verdict=verdict.verdict if verdict is not None else "",
        causes=verdict.causes if verdict is not None else (),
        evidence=tuple(Evidence(x.status, x.name, x.what, x.mend) for x in signs),
        guessing=math.log(len(run.classes)),
        curves=tuple(_curves(written)),
        **_table(written.history),
    )


def _network(run: Run) -> str:
    usual, known = Options(softmax=False), run.network  # the soft-max of a table goes before it is trained
    kept = {name: value for name, value in known.changes.items() if value != getattr(usual, name, None)}
    changes = [f"{name}={_short(value)}" for name, value in kept.items()]
    return ", ".join([f"{known.address} at {spelled(known.input_shape, 'shape')}", *changes])


def _data(run: Run) -> str:
    kept = {name: value for name, value in run.data.items() if name not in {"name", "seed", "resize"} and value}
    how = [f"{name.replace('_', ' ')} {_short(value)}" for name, value in kept.items() if value is not True]
    resize = "squashed" if run.preprocessing.resize == "squash" else "shorter side, and cut"
    size = f"{resize} to {spelled(run.preprocessing.size, 'shape')}"
    seed = _short(run.data["seed"])
    return ", ".join([run.data["name"], f"{len(run.classes):,} classes", size, *how, f"split by seed {seed}"])


def _recipe(folder: Path, run: Run, written: Written) -> str:
    """The settings of a recipe that say something: those that are not as they usually are, and what was chosen."""
    try:
        recipe, usual = recipe_of(run.recipe), Recipe()
    except UsageError as error:
        message = f"'recipe.json' in {str(folder)!r} has no recipe: {error.problems[0].message}"
        raise ArchscopeError(Problem("bad-run", message)) from error
    steps = written.history[-1].step if written.history else 0
    words = [f"{steps:,} steps done"]
    always = ("lr", "schedule", "warmup", "seed") + (("aux_weight",) if _has_auxiliaries(written) else ())
    for each in fields(Recipe):
        value = getattr(recipe, each.name)
        if value is None or (value == getattr(usual, each.name) and each.name not in always):
            continue
        words.append(f"{each.name.replace('_', ' ')} {_short(value)}")
    return ", ".join(words)


def _has_auxiliaries(written: Written) -> bool:
    return bool(written.history) and len(written.history[0].losses) > 1


def _short(value: Any) -> str:
    """A value of JSON, which may be anything, in a few characters."""
    if isinstance(value, list | tuple) and all(isinstance(each, str | int) for each in value):
        value = " ".join(map(str, value))
    text = str(value)
    return text if len(text) <= 200 else f"{text[:200]}…"


def _curves(written: Written) -> Iterator[Curve]:
    """Loss and accuracy, first by epoch, then by report."""
    history, reports = written.history, written.reports
    for head in history[0].losses if history else ():
        name = "train" if head == MAIN else f"train, {head}"
        yield Curve("loss", name, _points([(x.step, x.losses[head]) for x in history]))
    yield Curve("loss", "held-out", _points([(x.step, x.validation_loss) for x in history]), held_out=True)
    yield Curve("accuracy", "train", _points([(x.step, x.accuracy) for x in history]))
    yield Curve("accuracy", "held-out", _points([(x.step, x.validation_accuracy) for x in history]), held_out=True)
    if reports:
        yield Curve("loss", "train", _points([(x.step, x.losses.get(MAIN, math.nan)) for x in reports]), every=True)
        yield Curve("accuracy", "train", _points([(x.step, x.accuracy) for x in reports]), every=True)


def _points(moments: Sequence[tuple[int, float]]) -> tuple[tuple[int, float | None], ...]:
    """Step and value of every moment, or of every n-th of very many, the last one among them."""
    return tuple((step, value if math.isfinite(value) else None) for step, value in _thinned(moments))


def _thinned(moments: Sequence[T]) -> Sequence[T]:
    every = -(-len(moments) // DRAWN) or 1
    return moments[(len(moments) - 1) % every :: every]


def _table(history: Sequence[Epoch]) -> dict[str, Any]:
    """The epochs, unrounded, with what they are called."""
    heads = list(history[0].losses) if history else []
    losses = ["loss, train" if head == MAIN else f"loss, train, {head}" for head in heads]
    columns = ("epoch", "step", *losses, "loss, held-out", "accuracy, train", "accuracy, held-out", "learning rate")
    rows = [
        (x.epoch + 1, x.step, *x.losses.values(), x.validation_loss, x.accuracy, x.validation_accuracy, x.rate)
        for x in _thinned(history)
    ]
    return {"columns": columns, "table": tuple(tuple(map(repr, row)) for row in rows)}

"""``train``: a training with a verdict."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Unpack

from archscope.api.networks import Network
from archscope.api.preparations import DataChoices, Prepared, prepared
from archscope.core.errors import Problem, UsageError
from archscope.spec.options import Changes
from archscope.training import recording, runs
from archscope.training.data import Data
from archscope.training.event_files import event_file, require_tensorboard
from archscope.training.events import Epoch, Event
from archscope.training.keeping import Keeper
from archscope.training.loop import train as steps_of
from archscope.training.machine import is_first, own_random
from archscope.training.observing import MOST_STEPS, Beginning, Observed, beginning_of
from archscope.training.planning import Plan
from archscope.training.progress import Progress, progress_of
from archscope.training.rate_range import rate_range
from archscope.training.recipe import Recipe, recipe_of
from archscope.training.stopping import stoppable
from archscope.training.verdict import Verdict, verdict_on

if TYPE_CHECKING:
    from torch import nn

FREE = ("device", "num_workers", "compile", "log_every")
"""Settings that a run may go on with as it likes; all others are those that it began with."""


TIMED_STEPS = 3
"""Steps that tell how long a training will take where nothing else is done."""


class Training(NamedTuple):
    """A training that is over. model: as it is at the end. verdict: None where it was only planned.

    writes: whether this process is the one of several that says things.
    """

    plan: Plan
    recipe: Recipe
    history: tuple[Epoch, ...]
    verdict: Verdict | None
    model: nn.Module
    folder: Path | None = None
    writes: bool = True


class Judged(NamedTuple):
    """The last event of a training."""

    verdict: Verdict
    pictures: bool


Watch = Callable[[Plan | Event | Judged], None]


def train(  # noqa: PLR0913  a public verb: its keywords are the flags of the command
    network: Network | Any,
    data: str | Data = "digits",
    recipe: Recipe | None = None,
    *,
    input: Any = None,  # noqa: A002  what tables and the command line call it
    choices: DataChoices | None = None,
    out: str | Path | None = None,
    resume: bool = False,
    force: bool = False,
    dry_run: bool = False,
    tensorboard: bool = False,
    lr_range: bool = False,
    watch: Watch | None = None,
    **changes: Unpack[Changes],
) -> Training:
    """Trains a network for a short while and says whether it learns, and if not, why.

    network: what load takes, a module, which is trained in place, or its address. data: the name of a data set, or one
    that is open. recipe: what it leaves open is chosen for the network. input: one example, (3, 32, 32); small pictures
    take the smallest input that the network works with. choices: how pictures are handled. out: a folder for
    checkpoints, figures and pictures; resume: goes on with the run in it, exactly. force: trains although it does not
    fit the memory, or something is proved to be wrong before the first step. dry_run: only plans. tensorboard: event
    files in ``out``, too. lr_range: a range test of learning rates first, which its sign takes as evidence. watch: is
    told the plan, every event, and the verdict. changes: to a table's network; its hidden FC layers follow ``width``.

    Raises Unsupported for what does not fit, UsageError for settings that make no sense, KeyboardInterrupt where a
    signal ended it, after it is saved; and what load and open_data raise.
    """
    if tensorboard:
        require_tensorboard(out)
    folder, chosen = _folder(out, resume=resume), choices or DataChoices()
    wanted = _wanted(folder, recipe or Recipe()) if resume and folder is not None else recipe or Recipe()
    with own_random():
        ready = prepared(network, data, wanted, input, chosen, changes, force=force)
        most = TIMED_STEPS if dry_run else MOST_STEPS
        first = beginning_of(ready.model, ready.data, ready.machine, ready.recipe, most)
        progress = progress_of(ready.model, ready.data, ready.recipe, ready.machine)
        plan = ready.plan._replace(seconds=first.seconds * ready.recipe.batch * progress.steps or None)
        tell = watch if watch is not None and ready.machine.writes else _nothing
        tell(plan)
        if lr_range and first.can_learn and not dry_run:
            rates = rate_range(ready.model, ready.data, ready.machine, ready.recipe)
            first = replace(first, rates=rates)
        if dry_run:
            return Training(plan, ready.recipe, (), None, ready.model, folder)
        with _kept(folder, ready, chosen, resume=resume) as kept:
            keeper = Keeper(kept, progress)
            if resume:
                keeper.go_on()
            can = math.isfinite(first.seen.main.loss) and ready.plan.trainable > 0
            if can and (force or not verdict_on(_observed(ready, progress, first)).causes):
                with event_file(kept if tensorboard and ready.machine.writes else None, progress.step) as keeper.board:
                    _run(progress, keeper, tell)
            seen = _observed(ready, progress, first)
            verdict = verdict_on(seen)
            tell(Judged(verdict, kept is not None and _written(kept, verdict, seen)))
        ready.machine.leave()
        return Training(plan, ready.recipe, seen.history, verdict, ready.model, folder, ready.machine.writes)


def _run(progress: Progress, keeper: Keeper, tell: Watch) -> None:
    """Runs the loop to its end. Raises KeyboardInterrupt where a signal ended it, after it is saved."""
    with stoppable() as stopping:
        asked = progress.machine.agreed(stopping)
        for event in steps_of(progress, asked):
            keeper.note(event)
            tell(event)
        if asked() and progress.step < progress.steps:
            keeper.save("last")
            raise KeyboardInterrupt


def _observed(ready: Prepared, progress: Progress, first: Beginning) -> Observed:
    curve = tuple(progress.machine.total(progress.curve.clone())[: progress.step].tolist())
    return Observed(
        model=ready.model,
        data=ready.data,
        machine=ready.machine,
        beginning=first,
        history=tuple(progress.history),
        curve=curve,
        frozen=ready.recipe.freeze,
        lr=ready.recipe.lr or 0.0,
        scored=progress.held_out,
    )


@contextlib.contextmanager
def _kept(folder: Path | None, ready: Prepared, choices: DataChoices, *, resume: bool) -> Iterator[Path | None]:
    """The folder of the run, for this process alone; None where nothing is to be written here."""
    if folder is None or not ready.machine.writes:
        yield folder
        return
    found = ready.trainee
    network = runs.TrainedNetwork(found.address, runs.plain_changes(found.changes), found.input_shape)
    data = {"name": ready.data.name, "seed": ready.data.seed, **runs.plain_changes(choices._asdict())}
    run = runs.Run(network, ready.recipe.plain(), data, ready.data.classes, ready.data.preprocessing)
    runs.make(folder)
    with runs.locked(folder):
        if not resume:
            _refuse_present(folder)  # another process may have begun since
            runs.begin(folder, run)
        yield folder


def _folder(out: str | Path | None, *, resume: bool) -> Path | None:
    """The folder of a run. Raises UsageError where one is there that is not to go on, or none that is."""
    if out is None:
        if resume:
            raise UsageError(Problem("missing-option", "which run is to go on?", help="--resume --out runs/NAME"))
        return None
    folder = Path(out)
    if not is_first():
        return folder
    if not resume:
        _refuse_present(folder)
    elif not runs.is_run(folder):
        raise UsageError(Problem("no-run", f"there is no run in {str(folder)!r} that could go on"))
    return folder


def _refuse_present(folder: Path) -> None:
    if runs.is_run(folder):
        message = f"there is a run in {str(folder)!r} already"
        raise UsageError(Problem("run-exists", message, help="--resume goes on with it; or another --out"))


def _wanted(folder: Path, recipe: Recipe) -> Recipe:
    """The recipe of the run in a folder. Raises UsageError for settings that it did not begin with."""
    stored, usual = recipe_of(runs.read_run(folder).recipe), Recipe()
    for each in fields(Recipe):
        value = getattr(recipe, each.name)
        if value == getattr(usual, each.name) or value == getattr(stored, each.name):
            continue
        if each.name not in FREE:
            message = (
                f"{each.name} is {value!r}, and the run in {str(folder)!r} began with {getattr(stored, each.name)!r}"
            )
            raise UsageError(Problem("other-recipe", message, help="--resume goes on with the recipe of the run"))
        stored = replace(stored, **{each.name: value})
    return stored


def _written(folder: Path, verdict: Verdict, seen: Observed) -> bool:
    """Writes what it came to; whether there are pictures of it."""
    if not seen.machine.writes:
        return False
    recording.write_verdict(folder, verdict, seen)
    if seen.beginning.rates is not None:
        recording.write_rates(folder, seen.beginning.rates)
    return recording.write_pictures(folder, seen)


def _nothing(_: object) -> None:
    """For who does not watch."""

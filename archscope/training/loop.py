"""The training loop. Device, precision, compilation, processes, files and what is printed are around it, not in it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator

from archscope.training.events import Epoch, Event, Report, Step
from archscope.training.objective import MAIN, losses_of
from archscope.training.optimising import rate_at
from archscope.training.progress import Progress
from archscope.training.scoring import scores_of


def train(run: Progress, stopping: Callable[[], bool] = lambda: False) -> Iterator[Event]:
    """Trains, from where the run is to its end, and says what happens; whoever listens may save in between.

    stopping: asked after each step. A loss that is no longer finite ends the training with its epoch.
    """
    recipe, machine = run.recipe, run.machine
    forward = machine.runner(run.model)
    while run.step < run.steps and not stopping():
        run.model.train()
        epoch, first, since = run.epoch, run.step, time.perf_counter()
        for parts in run.batches():
            rate = rate_at(run.step, run.steps, recipe)
            for group in run.optimizer.param_groups:
                group["lr"] = rate
            for x, labels, share in parts:
                with machine.precision():
                    losses = losses_of(forward(x), labels, recipe.aux_weight, recipe.label_smoothing)
                machine.backward(losses.total * share)
                run.add(losses, share, len(labels))
            machine.update(run.model, run.optimizer, recipe.clip)
            run.step += 1
            yield Step(run.step, run.steps, epoch, run.images(run.step - 1), rate)
            if run.step % recipe.log_every == 0:
                yield Report(run.step, *run.means())
            if run.at_epoch_end or stopping():
                break
        if run.at_epoch_end:
            yield _finished(run, epoch, rate, first, time.perf_counter() - since)
            if not math.isfinite(run.history[-1].losses[MAIN]):
                return


def _finished(run: Progress, epoch: int, rate: float, first: int, seconds: float) -> Epoch:
    """The end of an epoch: its numbers, and those of the held-out examples."""
    losses, accuracy = run.means()
    held_out = run.held_out = scores_of(run.model, run.data.validation, run.machine)
    images = sum(run.images(step) for step in range(first, run.step))
    record = Epoch(epoch, run.step, losses, accuracy, held_out.loss, held_out.accuracy, rate, images / seconds, seconds)
    run.history.append(record)
    run.sums.clear()
    return record

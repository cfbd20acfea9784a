"""Event files for TensorBoard, beside a run's own figures."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from archscope.core.errors import ArchscopeError, Problem, UsageError
from archscope.training.events import Epoch, Report

FOLDER = "tensorboard"


def require_tensorboard(folder: str | Path | None) -> None:
    """Raises UsageError where there is no folder to write to, and ArchscopeError where TensorBoard is not installed."""
    if folder is None:
        raise UsageError(
            Problem("missing-option", "where are event files to go?", help="--tensorboard --out runs/NAME")
        )
    if find_spec("tensorboard") is None:
        raise ArchscopeError(Problem("missing-package", "event files need tensorboard", help="pip install tensorboard"))


@contextlib.contextmanager
def event_file(folder: Path | None, step: int) -> Iterator[Any]:
    """A writer of event files in a run's folder; None without one. What was written after ``step`` no longer counts."""
    if folder is None:
        yield None
        return
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(folder / FOLDER, purge_step=step + 1) as writer:
        yield writer


def add_event(writer: Any, event: Report | Epoch) -> None:
    """Scalars by step: of a report the losses and accuracy in training, of an epoch those held out, too."""
    scalars = {f"loss/{name}": loss for name, loss in event.losses.items()}
    scalars["accuracy/train"] = event.accuracy
    if isinstance(event, Epoch):
        scalars = {
            "loss/held-out": event.validation_loss,
            "accuracy/held-out": event.validation_accuracy,
            "rate": event.rate,
            "images_per_second": event.images_per_second,
        }
    for name, value in scalars.items():
        writer.add_scalar(name, value, event.step)

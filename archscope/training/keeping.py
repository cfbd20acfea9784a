"""A run's folder while it trains: checkpoints at the end of each epoch, figures as they come."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archscope.training import checkpoints, recording, runs
from archscope.training.event_files import add_event
from archscope.training.events import Epoch, Event, Report
from archscope.training.progress import Progress


@dataclass
class Keeper:
    """Keeps what happens in a folder; in None, and in a process that is not the writing one, nothing.

    board: a writer of event files for TensorBoard, where they are wanted.
    """

    folder: Path | None
    progress: Progress
    board: Any = None

    def note(self, event: Event) -> None:
        """Keeps an event. The end of an epoch is saved, and once more where it is the best so far."""
        if isinstance(event, Epoch):
            better = event.validation_accuracy > self.progress.best
            self.progress.best = max(self.progress.best, event.validation_accuracy)
            self.save("last")
            if better:
                self.save("best")
        if self.folder is None or not self.progress.machine.writes:
            return
        if isinstance(event, Epoch):
            recording.write_history(self.folder, self.progress.history)
        elif isinstance(event, Report):
            recording.add_metrics(self.folder, event)
        if self.board is not None and isinstance(event, Epoch | Report):
            add_event(self.board, event)

    def save(self, name: str) -> None:
        """A checkpoint of the present moment. Raises ArchscopeError where it cannot be written."""
        state = self.progress.state()  # every process takes part in it
        if self.folder is None or not self.progress.machine.writes:
            return
        checkpoints.save(runs.checkpoints_of(self.folder), name, self.progress.model.state_dict(), state)

    def go_on(self) -> dict[str, Any]:
        """Puts the training where the last checkpoint is. Raises as :func:`checkpoints.restore` does."""
        if self.folder is None:
            raise AssertionError("a run without a folder has no checkpoint")
        rest = checkpoints.restore(runs.checkpoints_of(self.folder), "last", self.progress.model)
        self.progress.resume(rest)
        if self.progress.machine.writes:
            recording.cut_metrics(self.folder, self.progress.step)
        return rest

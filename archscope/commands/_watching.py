"""What a command shows while it works: at a terminal, after a second, a line that says what is being done."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from archscope.core.errors import printable

PATIENCE = 1.0
"""Seconds before anything is shown."""


class Watch:
    """The line of one piece of work: what is being done, and how much of it is finished.

    interrupted: Ctrl-C ended the work, and something was finished by then.
    """

    def __init__(self, words: str, total: int | None) -> None:
        self.words, self.total, self.done = printable(words), total, 0
        self.interrupted = False
        self._bar: Any = None
        self._task: Any = None
        self._lock = threading.Lock()
        self._over = False

    def at(self, words: str, done: int | None = None, total: int | None = None) -> None:
        """Says what comes now; ``done`` of ``total`` is finished, or one more than before if that is not said."""
        self.words = printable(words)
        self.total = self.total if total is None else total
        self.done = done if done is not None else self.done
        with self._lock:
            if self._bar is not None:
                self._bar.update(self._task, completed=self.done, total=self.total, description=self.words)

    def finished(self) -> None:
        """One more piece is finished."""
        self.at(self.words, self.done + 1)

    def begin(self) -> None:
        """Shows the line."""
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        counted = (BarColumn(20), TextColumn("{task.description}"), TimeRemainingColumn())
        columns = (TextColumn("{task.description} …"), TimeElapsedColumn()) if self.total is None else counted
        bar = Progress(*columns, console=Console(stderr=True, markup=False, highlight=False), transient=True)
        with self._lock:
            if self._over:
                return
            self._bar, self._task = bar, bar.add_task(self.words, total=self.total, completed=self.done)
            bar.start()

    def end(self) -> None:
        """Takes the line away."""
        with self._lock:
            self._over = True
            if self._bar is not None:
                self._bar.stop()
                self._bar = None

    def reraise(self) -> None:
        """After what is finished has been printed: raises KeyboardInterrupt, exit code 130, where there was one."""
        if self.interrupted:
            of = "" if self.total is None else f" of {self.total:,}"
            sys.stderr.write(f"interrupted; this is what was finished: {self.done:,}{of}\n")
            raise KeyboardInterrupt


@contextmanager
def watched(words: str, total: int | None = None, *, keeps: bool = False) -> Iterator[Watch]:
    """While this lasts, a terminal shows what is being done.

    keeps: Ctrl-C ends the block without an error once something is finished, so that it can be printed; then
    ``reraise`` is to be called.
    """
    watch = Watch(words, total)
    timer = threading.Timer(PATIENCE, watch.begin)
    timer.daemon = True
    if sys.stderr.isatty():
        timer.start()
    try:
        yield watch
    except KeyboardInterrupt:
        watch.interrupted = keeps and watch.done > 0
        if not watch.interrupted:
            raise
    finally:
        timer.cancel()
        watch.end()

"""What a sweep has found so far, in a file beside its output: an interrupted one goes on from there.

Each outcome is a line of JSON and the arrays that it announces. Nothing in it is run, and a part that was being written
when the sweep was interrupted is cut off.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archscope.core.errors import ArchscopeError, Problem, UsageError
from archscope.studies.design_space.selecting import Rows
from archscope.studies.design_space.sweeping import Outcome, Unusable

if TYPE_CHECKING:
    import numpy as np


class Checkpoint:
    """The file, ``points.csv.partial`` for the output ``points.csv``.

    question: what is asked, in words; a file that answers another question is not gone on with.
    """

    def __init__(self, output: Path, question: str) -> None:
        self.path = output.with_name(f"{output.name}.partial")
        self.question = question

    def outcomes(self) -> Iterator[Outcome]:
        """What is there already, in order. Raises UsageError for a file that answers another question.

        Cuts off what is not whole.
        """
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            if file.readline() != self._head():
                message = f"{str(self.path)!r} holds a part of another sweep"
                raise UsageError(Problem("other-sweep", message, help="delete it, or write to another file"))
            whole = file.tell()
            while (outcome := _read(file)) is not None:
                whole = file.tell()
                yield outcome
        with self.path.open("rb+") as file:
            file.truncate(whole)

    def add(self, outcome: Outcome) -> None:
        """Writes an outcome behind those that are there. Raises ArchscopeError where that cannot be done."""
        try:
            with self.path.open("ab") as file:
                if not file.tell():
                    file.write(self._head())
                _write(file, outcome)
        except OSError as error:
            raise ArchscopeError(Problem("cannot-write", f"{str(self.path)!r}: {error.strerror}")) from error

    def remove(self) -> None:
        """Removes the file, once all is in the output."""
        self.path.unlink(missing_ok=True)

    def _head(self) -> bytes:
        return f"{json.dumps({'archscope sweep': self.question}, ensure_ascii=True)}\n".encode()


def _write(file: Any, outcome: Outcome) -> None:
    arrays = io.BytesIO()
    for rows in (outcome.kept, outcome.sample):
        _write_rows(arrays, rows)
    payload = arrays.getvalue()
    head = {
        "points": outcome.points,
        "fitting": outcome.fitting,
        "unusable": outcome.unusable,
        "missing": outcome.missing,
        "columns": list(outcome.kept.columns),
        "bytes": len(payload),
    }
    file.write(f"{json.dumps(head)}\n".encode() + payload)


def _read(file: Any) -> Outcome | None:
    """The next outcome; None at the end, and where the file breaks off or is damaged."""
    try:
        head = json.loads(file.readline())
        arrays = io.BytesIO(file.read(head["bytes"]))
        return _outcome(head, arrays)
    except (ValueError, KeyError, TypeError, EOFError):
        return None


def _outcome(head: dict[str, Any], arrays: io.BytesIO) -> Outcome:
    return Outcome(
        points=head["points"],
        fitting=head["fitting"],
        kept=_read_rows(arrays, head["columns"]),
        sample=_read_rows(arrays, head["columns"]),
        unusable={rule: Unusable(*values) for rule, values in head["unusable"].items()},
        missing={column: tuple(ops) for column, ops in head["missing"].items()},
    )


def _write_rows(file: Any, rows: Rows) -> None:
    """Arrays as NumPy writes them; numbers that no int64 holds as their digits."""
    import numpy as np

    for values in (rows.variants, *rows.columns.values()):
        np.save(file, values.astype(str) if values.dtype == object else values, allow_pickle=False)


def _read_rows(file: Any, names: list[str]) -> Rows:
    variants, *columns = [_read_array(file) for _ in range(len(names) + 1)]
    return Rows(variants, dict(zip(names, columns, strict=True)))


def _read_array(file: Any) -> np.ndarray[Any, Any]:
    import numpy as np

    values: np.ndarray[Any, Any] = np.load(file, allow_pickle=False)
    if values.dtype.kind != "U":
        return values
    exact = np.empty(len(values), object)
    exact[:] = [int(each) for each in values]
    return exact

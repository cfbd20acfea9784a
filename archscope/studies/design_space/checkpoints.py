"""What a sweep has found so far, in a file beside its output: an interrupted one goes on from there.

Each outcome is a line of JSON and the numbers that it announces. Nothing in it is run. What is damaged, or was being
written when the sweep was interrupted, is cut off.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

from archscope.core.errors import ArchscopeError, Problem, UsageError
from archscope.studies.design_space.selecting import Rows
from archscope.studies.design_space.sweeping import Outcome, Unusable

if TYPE_CHECKING:
    import numpy as np

_KIND = re.compile(r"<[if]8|<U[0-9]{1,4}")
"""What arrays may be of."""


class Checkpoint:
    """The file, ``points.csv.partial`` for the output ``points.csv``.

    question: what is asked, in words; a file that answers another question is not gone on with. columns: of its rows;
    variants: how many there are.
    """

    def __init__(self, output: Path, question: str, columns: Sequence[str], variants: int) -> None:
        self.path = output.with_name(f"{output.name}.partial")
        self.question = question
        self.columns = columns
        self.variants = variants

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
            while (outcome := _read(file, self.columns, self.variants)) is not None:
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
    """Numbers as their bytes; those that no int64 holds as their digits."""
    rows = (outcome.kept, outcome.sample)
    arrays = [values for each in rows for values in (each.variants, *each.columns.values())]
    arrays = [values.astype(str) if values.dtype == object else values for values in arrays]
    payload = b"".join(values.tobytes() for values in arrays)
    head = {
        "points": outcome.points,
        "fitting": outcome.fitting,
        "unusable": outcome.unusable,
        "missing": outcome.missing,
        "arrays": [(values.dtype.str, len(values)) for values in arrays],
        "bytes": len(payload),
        "crc32": crc32(payload),
    }
    file.write(f"{json.dumps(head)}\n".encode() + payload)


def _read(file: Any, columns: Sequence[str], variants: int) -> Outcome | None:
    """The next outcome; None at the end, and where the file breaks off or is damaged."""
    try:
        head = json.loads(file.readline())
        if not 0 <= head["bytes"] <= os.fstat(file.fileno()).st_size - file.tell():
            return None
        payload = file.read(head["bytes"])
        return _outcome(head, payload, columns, variants) if crc32(payload) == head["crc32"] else None
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None


def _outcome(head: dict[str, Any], payload: bytes, columns: Sequence[str], variants: int) -> Outcome:
    """What a line and its bytes say. Raises one of the errors above where they say anything else."""
    arrays = list(_arrays(head["arrays"], payload))
    kept, sample = arrays[: len(columns) + 1], arrays[len(columns) + 1 :]
    return Outcome(
        points=_whole(head["points"]),
        fitting=_whole(head["fitting"]),
        kept=_rows(kept, columns, variants),
        sample=_rows(sample, columns, variants),
        unusable={
            rule: Unusable(_whole(points), _whole(variant, variants), _whole(position))
            for rule, (points, variant, position) in head["unusable"].items()
        },
        missing={column: tuple(str(op) for op in ops) for column, ops in head["missing"].items()},
    )


def _whole(value: Any, below: int | None = None) -> int:
    if type(value) is not int or value < 0 or (below is not None and value >= below):
        raise ValueError(value)
    return value


def _rows(arrays: Sequence[np.ndarray[Any, Any]], columns: Sequence[str], variants: int) -> Rows:
    chosen, *values = arrays
    if any(len(each) != len(chosen) for each in values) or not ((chosen >= 0) & (chosen < variants)).all():
        raise ValueError(columns)
    return Rows(chosen, dict(zip(columns, values, strict=True)))


def _arrays(described: Iterable[tuple[str, int]], payload: bytes) -> Iterator[np.ndarray[Any, Any]]:
    import numpy as np

    start = 0
    for kind, length in described:
        if _KIND.fullmatch(kind) is None:
            raise ValueError(kind)
        values = np.frombuffer(payload, np.dtype(kind), _whole(length), start)
        start += values.nbytes
        yield np.array([int(each) for each in values], object) if values.dtype.kind == "U" else values

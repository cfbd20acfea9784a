"""What a training wrote beside its checkpoints, read back as a stranger's: every size, type and number is checked."""

from __future__ import annotations

import csv
import json
import math
import os
from pathlib import Path
from typing import Any, NamedTuple

from archscope.core.errors import ArchscopeError, Problem
from archscope.core.schema import body
from archscope.training.events import Epoch, Report
from archscope.training.folders import opened, read_json
from archscope.training.recording import HISTORY, VERDICT
from archscope.training.runs import METRICS
from archscope.training.signs import FAULT, FINE, ODD, Sign
from archscope.training.verdict import FAILS, LEARNS, UNDECIDED, Verdict

MOST_BYTES = 2**26
"""What a file of figures may hold at most."""

MOST_HEADS, MOST_SIGNS, MOST_CHARACTERS = 20, 1000, 10_000
LARGEST = 2**53
"""Of a count: as far as every float is a whole number of its own."""

_TAIL = "_loss"
_NOT_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
_PLAIN = tuple(name for name in Epoch._fields if name != "losses")
_TEXTS = tuple(name for name in Sign._fields if name != "status")


class Written(NamedTuple):
    """history: an epoch each. reports: between them, in order. verdict: None where the training did not come to one."""

    history: tuple[Epoch, ...]
    reports: tuple[Report, ...]
    verdict: Verdict | None


def read_written(folder: Path) -> Written:
    """The figures and the verdict in a run's folder.

    Raises ArchscopeError where there is neither, and for a file that is damaged, too large or a link.
    """
    own = folder.resolve()
    history = _history(own / HISTORY) if _is_there(own / HISTORY) else ()
    reports = _reports(own / METRICS) if _is_there(own / METRICS) else ()
    verdict = _verdict(own / VERDICT) if _is_there(own / VERDICT) else None
    if not history and verdict is None:
        message = f"{str(folder)!r} has nothing to show: no epoch in {HISTORY!r}, and no {VERDICT!r}"
        raise ArchscopeError(Problem("no-figures", message, help="archscope train … --out writes them"))
    return Written(history, reports, verdict)


def _is_there(path: Path) -> bool:
    """Whether anything has this name: a link to nowhere has, and is refused when it is read."""
    return os.path.lexists(path)


def _lines(path: Path) -> list[str]:
    with opened(path, "bad-run", MOST_BYTES) as file:
        try:
            return file.read(MOST_BYTES + 1).decode("utf-8").splitlines()
        except UnicodeDecodeError as error:
            raise _bad(path, "is no text in UTF-8") from error


def _history(path: Path) -> tuple[Epoch, ...]:
    try:
        names, *rows = [*csv.reader(_lines(path))] or [[]]
    except csv.Error as error:
        raise _bad(path, f"is no table: {error}") from error
    heads = names[len(_PLAIN) :]
    unlike = tuple(names[: len(_PLAIN)]) != _PLAIN or not all(head.endswith(_TAIL) for head in heads)
    if unlike or len(set(heads)) != len(heads) or len(heads) > MOST_HEADS:
        raise _bad(path, "has other columns than a training writes")
    return tuple(_epoch(path, n, heads, row) for n, row in enumerate(rows, start=2))


def _epoch(path: Path, line: int, heads: list[str], row: list[str]) -> Epoch:
    try:
        values = [float(text) for text in row]
    except ValueError as error:
        raise _bad(path, f"has in line {line} what is no number") from error
    if len(values) != len(_PLAIN) + len(heads) or not all(map(_is_count, values[:2])):
        raise _bad(path, f"has in line {line} no epoch: it was cut off, or changed")
    plain = dict(zip(_PLAIN, [int(values[0]), int(values[1]), *values[2:]], strict=False))
    losses = {head.removesuffix(_TAIL): value for head, value in zip(heads, values[len(_PLAIN) :], strict=True)}
    return Epoch(**plain, losses=losses)  # type: ignore[arg-type]  # the first two are whole numbers


def _reports(path: Path) -> tuple[Report, ...]:
    """The reports; a last line that was torn off while it was written is none."""
    lines = _lines(path)
    found = [_report(path, line) for line in lines]
    if None in found[:-1]:
        raise _bad(path, f"has in line {found.index(None) + 1} no report")
    return tuple(each for each in found if each is not None)


def _report(path: Path, line: str) -> Report | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    known = body("metrics", found, repr(str(path)))
    step: Any = known.get("step")
    losses, accuracy = known.get("losses"), _number(known.get("accuracy"))
    if not isinstance(losses, dict) or len(losses) > MOST_HEADS or not _is_count(step) or accuracy is None:
        return None
    numbers = {head: _number(loss) for head, loss in losses.items()}
    return None if None in numbers.values() else Report(step, numbers, accuracy)


def _verdict(path: Path) -> Verdict:
    found = read_json(path, "verdict")
    if not isinstance(found, dict) or found.get("verdict") not in (LEARNS, FAILS, UNDECIDED):
        raise _bad(path, "has no verdict")
    signs, causes = found.get("signs"), found.get("causes")
    if not isinstance(signs, list) or len(signs) > MOST_SIGNS or not all(map(_is_sign, signs)):
        raise _bad(path, "has signs that no training gives")
    if not isinstance(causes, list) or len(causes) > MOST_SIGNS or not all(map(_is_text, causes)):
        raise _bad(path, "has causes that no training gives")
    return Verdict(found["verdict"], tuple(Sign(*map(each.get, Sign._fields)) for each in signs), tuple(causes))


def _is_sign(found: Any) -> bool:
    if not isinstance(found, dict) or not all(_is_text(found.get(name)) for name in _TEXTS):
        return False
    return found.get("status") in (FINE, ODD, FAULT)


def _is_text(found: Any) -> bool:
    return isinstance(found, str) and len(found) <= MOST_CHARACTERS


def _is_count(found: Any) -> bool:
    return _is_number(found) and math.isfinite(found) and 0 <= found <= LARGEST and found == int(found)


def _is_number(found: Any) -> bool:
    """Whether it is one that a float holds."""
    return type(found) is float or (type(found) is int and abs(found) <= LARGEST)


def _number(found: Any) -> Any:
    """A number as it stands, or of the text for one that JSON has not; None for anything else."""
    return found if _is_number(found) else _NOT_FINITE.get(found) if isinstance(found, str) else None


def _bad(path: Path, what: str) -> ArchscopeError:
    return ArchscopeError(Problem("bad-run", f"{str(path)!r} {what}"))

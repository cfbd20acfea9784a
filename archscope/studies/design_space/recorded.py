"""What others wrote down: the designs in a file of a sweep, read back as plain values."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from archscope import analyses
from archscope.core.errors import ArchscopeError, Problem, Unsupported, UsageError
from archscope.core.schema import body

ENDINGS = (".csv", ".json", ".parquet")


class Recorded(NamedTuple):
    """names: of the columns. numbers: those that are totals of designs. rows: of plain values, in the file's order."""

    names: tuple[str, ...]
    numbers: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def recorded_designs(path: Path) -> Recorded:
    """The designs that ``archscope sweep -o`` wrote.

    Raises UsageError for a name that says no format, ArchscopeError for a file that cannot be read or is no sweep's,
    Unsupported for a parquet file without pyarrow.
    """
    if path.suffix not in ENDINGS:
        message = f"the name {str(path)!r} does not say a format"
        raise UsageError(Problem("bad-value", message, expected=f"a name that ends in {', '.join(ENDINGS)}"))
    names, rows = _READERS[path.suffix](path)
    known = set(analyses.columns())
    numbers = tuple(name for name in names if name in known)
    if "network" not in names or not numbers or not rows:
        message = f"{str(path)!r} has no designs: a sweep's file has a column network, and totals"
        raise ArchscopeError(Problem("no-sweep", message, help="archscope sweep NETWORK --vary … -o FILE writes one"))
    if any(len(row) != len(names) for row in rows):
        raise ArchscopeError(Problem("no-sweep", f"{str(path)!r} has rows of unequal length: it was cut off"))
    kept = tuple(tuple(_number(x) if name in numbers else x for name, x in _pairs(names, row)) for row in rows)
    if any(not isinstance(x, int) for row in kept for name, x in _pairs(names, row) if name in numbers):
        raise ArchscopeError(Problem("no-sweep", f"{str(path)!r} has totals that are no whole numbers"))
    return Recorded(tuple(names), numbers, kept)


def _pairs(names: Sequence[str], row: Sequence[Any]) -> zip[tuple[str, Any]]:
    return zip(names, row, strict=True)


def _number(value: Any) -> Any:
    """A whole number of what a file has for it; another value as it stands."""
    if isinstance(value, str) and value.removeprefix("-").isdecimal():
        return int(value)
    return value


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ArchscopeError(Problem("cannot-read", f"{str(path)!r}: {error.strerror}")) from error
    except UnicodeDecodeError as error:
        raise ArchscopeError(Problem("cannot-read", f"{str(path)!r} is no text in UTF-8")) from error


def _of_csv(path: Path) -> tuple[list[str], list[list[Any]]]:
    names, *rows = [*csv.reader(_text(path).splitlines())] or [[]]
    return names, rows


def _of_json(path: Path) -> tuple[list[str], list[list[Any]]]:
    try:
        data = json.loads(_text(path))
    except ValueError as error:
        raise ArchscopeError(Problem("cannot-read", f"{str(path)!r} is no JSON: {error}")) from error
    rows = body("sweep", data, repr(str(path))).get("rows") if isinstance(data, dict) and "kind" in data else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return [], []
    return list(rows[0]) if rows else [], [list(row.values()) for row in rows]


def _of_parquet(path: Path) -> tuple[list[str], list[list[Any]]]:
    try:
        import pyarrow.parquet as pq
    except ImportError as error:
        help_line = 'pip install "archscope[parquet]"'
        raise Unsupported(Problem("missing-package", "parquet files need pyarrow", help=help_line)) from error
    try:
        columns: dict[str, list[Any]] = pq.read_table(path).to_pydict()
    except (OSError, ValueError) as error:
        raise ArchscopeError(Problem("cannot-read", f"{str(path)!r}: {error}")) from error
    return list(columns), [list(row) for row in zip(*columns.values(), strict=True)]


_READERS = {".csv": _of_csv, ".json": _of_json, ".parquet": _of_parquet}

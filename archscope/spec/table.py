"""Reads a table file: TOML with the paper's grid in it, every cell with its place.

Reading a table runs nothing and opens no other file: it is data, and safe to take from a stranger.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from archscope.core.errors import Problem, TableError
from archscope.core.source import Source, Span
from archscope.spec.checks import Key, head_problems, input_problems, network_problems
from archscope.spec.form import form_problems
from archscope.spec.places import key_span, text_span

LARGEST_FILE = 1_000_000
"""Bytes; the longest table of a paper has some thousand."""

MOST_PROBLEMS = 100
"""How many problems of a table are reported at once."""


_HUGE = re.compile(r"[0-9A-Fa-f_]{250,}")
"""What a number of more than 1,000 bits is written with; where this is a part of a text, it is no number."""


class Cell(NamedTuple):
    """What stands in one cell, stripped, and where."""

    text: str
    span: Span


class Grid(NamedTuple):
    """A printed table: its heads, and per row a cell for every head. A cell that spans heads stands at each."""

    heads: tuple[str, ...]
    rows: tuple[dict[str, Cell], ...]


class Table(NamedTuple):
    """A table file: the grid as printed and, in ``data``, what the file says about it below."""

    source: Source
    data: Mapping[str, Any]
    grid: Grid

    def text(self, key: str) -> str:
        """A string at the top of the file; empty when it is not there."""
        return str(self.data.get(key, ""))

    def printed(self) -> Grid:
        """The grid as the paper prints it: where that is on its side, ``grid`` has its columns as rows."""
        return read_grid(self.source, "", self.data["grid"], None) if self.data.get("turned") else self.grid

    def where(self, section: str, key: str = "") -> Span:
        """Where a key stands."""
        return key_span(self.source, section, key)

    def where_text(self, section: str, key: str, text: str) -> Span:
        """Where a string within a key's value stands."""
        return text_span(self.source, section, key, text)


def read_source(path: Path, name: str | None = None) -> Source:
    """The text of a table file. Raises TableError for a directory, a huge file, or one that is not UTF-8."""
    shown = name or str(path)
    nowhere = Span(Source(shown, ""), 1, 1)
    try:
        if path.exists() and not path.is_file():
            kind = "a directory" if path.is_dir() else "no regular file"
            raise TableError(Problem("not-a-file", f"{shown!r} is {kind}", nowhere))
        size = path.stat().st_size
        if size > LARGEST_FILE:
            raise TableError(Problem("too-large", f"{size:,} bytes; a table has at most {LARGEST_FILE:,}", nowhere))
        raw = path.read_bytes()
    except (OSError, ValueError) as error:  # a ValueError for a name with a null character
        why = error.strerror if isinstance(error, OSError) else "no file can be called so"
        raise TableError(Problem("unreadable-file", f"{why}: {shown!r}", nowhere)) from error
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8").split("\n")
        place = Span(Source(shown, raw.decode("utf-8", "replace")), len(before), len(before[-1]) + 1)
        raise TableError(Problem("not-utf-8", f"byte 0x{raw[error.start]:02x} is not UTF-8", place)) from error
    return Source(shown, text.replace("\r\n", "\n"))


def read_table(source: Source) -> Table:
    """The table in a text. Raises TableError with everything that is wrong with its form."""
    huge = _HUGE.search(source.text)
    try:
        data = tomllib.loads(source.text)
    except tomllib.TOMLDecodeError as error:
        raise TableError(_toml_problem(source, error)) from error
    except RecursionError as error:
        raise TableError(Problem("not-toml", "values are nested too deeply", Span(source, 1, 1))) from error
    except ValueError as error:
        if huge is None:  # pragma: no cover: tomllib is known to raise a plain ValueError for long numbers only
            raise
        raise _too_many_digits(source, huge) from error
    if huge is not None and _has_huge(data):
        raise _too_many_digits(source, huge)
    problems = list(islice(form_problems(source, data), MOST_PROBLEMS))
    if not problems:
        problems = [*input_problems(data["input"], Key(source, "", "input")), *network_problems(source, data)]
    if problems:
        raise TableError(*problems)
    turned = data.get("turned", False)
    grid = read_grid(source, "", data["grid"], None if turned else frozenset(data.get("columns", ())))
    grid = _turned(grid, _cells(source, *_grid_lines(source, data["grid"], None)[0])) if turned else grid
    problems = list(head_problems(source, data, grid))
    if problems:
        raise TableError(*problems)
    return Table(source, data, grid)


def _toml_problem(source: Source, error: tomllib.TOMLDecodeError) -> Problem:
    text = str(error)
    found = re.search(r" \(at line (\d+), column (\d+)\)", text)
    line, column = (int(found[1]), int(found[2])) if found else (len(source.lines), len(source.lines[-1]) + 1)
    return Problem("not-toml", re.sub(r" \(at .*\)$", "", text), Span(source, line, column))


def _has_huge(value: Any) -> bool:
    """Whether a number of hundreds of digits is in it: Python does not spell those of thousands."""
    if isinstance(value, dict | list):
        return any(map(_has_huge, value.values() if isinstance(value, dict) else value))
    return isinstance(value, int) and value.bit_length() > 1000


def _too_many_digits(source: Source, found: re.Match[str]) -> TableError:
    before = source.text[: found.start()].split("\n")
    place = Span(source, len(before), len(before[-1]) + 1, len(found[0]))
    return TableError(Problem("not-toml", "a number has hundreds of digits", place))


def read_grid(
    source: Source, section: str, text: str, described: frozenset[str] | None = None, key: str = "grid"
) -> Grid:
    """The grid in the string ``text`` of a key of a section.

    described: the heads that ``[columns]`` describes. The others are networks, and one cell left for all of them
    belongs to each. None for a grid without networks, where every row must be full.
    """
    lines = _grid_lines(source, text, key_span(source, section, key) if text not in source.text else None)
    if len(lines) < 3 or not re.fullmatch(r"[\s|:-]+", lines[1][1]):
        expected = "a line of heads, a line |---|---|, and rows"
        raise TableError(Problem("no-grid", "this grid has no rows", key_span(source, section, key), expected))
    heads = [cell.text for cell in _cells(source, *lines[0])]
    problems = [
        Problem("duplicate-column", f"two columns are headed {head!r}", _cells(source, *lines[0])[number].span)
        for number, head in enumerate(heads)
        if head in heads[:number]
    ]
    undescribed = 0 if described is None else sum(head not in described for head in heads)
    rows: list[dict[str, Cell]] = []
    for row, (number, line) in enumerate(lines[2:], 1):
        cells = _cells(source, number, line)
        if len(cells) not in {len(heads), len(heads) - max(undescribed, 1) + 1}:
            message = f"row {row} has {len(cells)} cells, the head has {len(heads)}"
            problems.append(Problem("wrong-cell-count", message, Span(source, number, 1, len(line))))
        else:
            rows.append(_row(row, heads, cells))
    if problems:
        raise TableError(*problems[:MOST_PROBLEMS])
    return Grid(tuple(heads), tuple(rows))


def _turned(grid: Grid, heads: list[Cell]) -> Grid:
    """A grid that is printed on its side, with its columns as rows: the first one holds the heads."""
    first = grid.heads[0]
    rows = ({first: head} | {row[first].text: row[head.text] for row in grid.rows} for head in heads[1:])
    return Grid((first, *(row[first].text for row in grid.rows)), tuple(rows))


def _grid_lines(source: Source, text: str, escaped: Span | None) -> list[tuple[int, str]]:
    """The lines of a grid with their numbers in the file. Raises TableError for one that is no row."""
    if escaped is not None:
        message = "the grid is not written as it stands: its cells have no place"
        raise TableError(Problem("no-grid", message, escaped, "a text in three single quotes, without escapes"))
    at = source.text.find(text)
    start, indent = source.text.count("\n", 0, at) + 1, at - source.text.rfind("\n", 0, at) - 1
    first, *others = text.split("\n")
    numbered = enumerate([" " * indent + first, *others], start)
    lines = [(number, line) for number, line in numbered if line.strip()]
    odd = [(number, line) for number, line in lines if not line.lstrip().startswith("|")]
    if odd:
        expected = "| cell | cell |"
        spans = [Span(source, number, 1, len(line)) for number, line in odd]
        raise TableError(*(Problem("no-row", "a row begins with |", span, expected) for span in spans[:MOST_PROBLEMS]))
    return lines


def _row(number: int, heads: list[str], cells: list[Cell]) -> dict[str, Cell]:
    """Cells by head. What is missing at the right is filled with the last cell, which then spans those heads."""
    spans = len(cells) < len(heads)
    row = {}
    for index, head in enumerate(heads):
        cell = cells[min(index, len(cells) - 1)]
        across = spans and index >= len(cells) - 1
        place = f"row {number}, {'all columns' if across and len(cells) == 1 else f'column {head}'}"
        row[head] = Cell(cell.text, cell.span.at(place))
    return row


def _cells(source: Source, number: int, line: str) -> list[Cell]:
    cells, at = [], line.index("|") + 1
    for part in line[at:].rstrip().removesuffix("|").split("|"):
        text = part.strip()
        column = at + len(part) - len(part.lstrip()) + 1 if text else at + 1
        cells.append(Cell(text, Span(source, number, column, max(1, len(text)))))
        at += len(part) + 1
    return cells

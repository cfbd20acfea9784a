"""Connection tables: which input maps each output map sees, printed as a grid of X (LeNet-5's Table I)."""

from __future__ import annotations

from archscope.core.errors import Problem, TableError
from archscope.spec.table import Grid


def connected_channels(grid: Grid) -> list[list[tuple[int, int]]]:
    """Per output map, the runs of input maps (start, stop) that it sees, counted from 0.

    The grid has one row per input map, its number first, and one column per output map; X marks a connection.
    Raises TableError for another mark and for an output map that sees nothing.
    """
    _, *outputs = grid.heads
    return [
        _runs(head, [_marked(row[head].text, grid, index, head) for index, row in enumerate(grid.rows)], grid)
        for head in outputs
    ]


def _marked(text: str, grid: Grid, row: int, head: str) -> bool:
    if text.upper() in {"X", ""}:
        return bool(text)
    span = grid.rows[row][head].span
    raise TableError(Problem("bad-connection", f"{text!r} marks nothing", span, expected="X or an empty cell"))


def _runs(head: str, marks: list[bool], grid: Grid) -> list[tuple[int, int]]:
    starts = [i for i, mark in enumerate(marks) if mark and not (i and marks[i - 1])]
    stops = [i + 1 for i, mark in enumerate(marks) if mark and not (i + 1 < len(marks) and marks[i + 1])]
    if not starts:
        span = grid.rows[0][head].span
        raise TableError(Problem("bad-connection", f"output map {head} is connected to nothing", span))
    return list(zip(starts, stops, strict=True))

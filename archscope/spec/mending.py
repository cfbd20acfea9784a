"""Cells that hold something else than what is printed: mended by an erratum, or set by the caller.

A table stands as printed. Where arithmetic refutes a cell that the network is made of, its erratum says what the
network needs ``instead``; the network is compiled from that, and ``check`` holds the printed cell against it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from archscope.core.errors import Problem, TableError, nearest
from archscope.spec.table import Cell, Grid, Table

Erratum = Mapping[str, Any]
"""An entry of ``[[errata]]``."""


def mended(table: Table) -> Table:
    """The table with what its errata say ``instead`` of the printed texts in its cells.

    Raises TableError, at the erratum, for one that names no cell of the grid, or several.
    """
    grid, problems = table.grid, list[Problem]()
    for number, erratum in enumerate(table.data.get("errata", [])):
        if "instead" not in erratum:
            continue
        try:
            row, head = cell_of(table, number, erratum)
        except TableError as error:
            problems += error.problems
            continue
        cell = grid.rows[row][head]
        text = cell.text.replace(str(erratum["printed"]), str(erratum["instead"]))
        grid = _with_text(grid, row, cell, text, "mended by an erratum")
    if problems:
        raise TableError(*problems)
    return table if grid is table.grid else table._replace(grid=grid)


def settled(table: Table) -> Table:
    """The table mended for good: its errata have nothing ``instead`` any more, so that its cells may be set."""
    errata = [{key: its for key, its in each.items() if key != "instead"} for each in table.data.get("errata", [])]
    return mended(table)._replace(data={**table.data, "errata": errata}) if errata else table


def cell_of(table: Table, number: int, erratum: Erratum) -> tuple[int, str]:
    """The row, counted from 0, and the head of the cell that an erratum is about. Raises TableError as ``mended``."""
    head, printed, name = str(erratum["column"]), str(erratum["printed"]), str(erratum["row"])
    heads = table.grid.heads
    if head not in heads:
        span = table.where_text(f"errata[{number}]", "column", head)
        message = f"no column is called {head!r}"
        raise TableError(Problem("unknown-column", message, span, ", ".join(heads), nearest(head, heads)))
    rows = [row for row, its in _rows_with(table, name) if printed in its[head].text]
    times = table.grid.rows[rows[0]][head].text.count(printed) if rows else 0
    if len(rows) == times == 1:
        return rows[0], head
    code, message = "no-such-cell", f"no row with {name!r} has {printed!r} under {head!r}"
    helps = "quote the cell as it is printed"
    if len(rows) > 1:
        code, message = "ambiguous-cell", f"{len(rows)} rows with {name!r} have {printed!r} under {head!r}"
        helps = "name the row by another of its cells"
    elif rows:
        code, message = "ambiguous-cell", f"{printed!r} stands {times} times in this cell"
        helps = "quote more of the cell"
    span = table.where_text(f"errata[{number}]", "printed", printed)
    raise TableError(Problem(code, message, span, help=helps))


def without_instead(table: Table, number: int) -> Table:
    """The table with one cell as it is printed, the others mended."""
    errata = [
        {key: value for key, value in erratum.items() if n != number or key != "instead"}
        for n, erratum in enumerate(table.data["errata"])
    ]
    return table._replace(data={**table.data, "errata": errata})


def _rows_with(table: Table, text: str) -> Iterator[tuple[int, Mapping[str, Cell]]]:
    """The rows that have a cell of that text."""
    for number, row in enumerate(table.grid.rows):
        if any(cell.text == text for cell in row.values()):
            yield number, row


def _with_text(grid: Grid, row: int, cell: Cell, text: str, why: str) -> Grid:
    """The grid with another text in a cell, at each head that the cell stands at."""
    changed = Cell(text, cell.span.at(f"{cell.span.place}, {why}"))
    cells = {head: changed if its.span[1:3] == cell.span[1:3] else its for head, its in grid.rows[row].items()}
    return grid._replace(rows=(*grid.rows[:row], cells, *grid.rows[row + 1 :]))

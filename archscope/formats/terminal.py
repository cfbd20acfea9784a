"""A table for people, by rich. A narrow terminal gives up columns and says which; NO_COLOR is honoured."""

from __future__ import annotations

import io
import sys
from itertools import pairwise
from typing import Any, Literal

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from archscope.core.errors import printable
from archscope.formats import Field, Sheet, spelled

UNLIMITED = 10_000
"""Characters of a line where there is no terminal: a pipe gets every column, unwrapped."""


def render(sheet: Sheet, width: int | None) -> str:
    """The sheet as text, with colours where standard output is a terminal that wants them."""
    kept, dropped = _that_fit(sheet, width)
    table = Table(box=SIMPLE_HEAD, show_footer=sheet.total is not None, pad_edge=False)
    for index in kept:
        each = sheet.fields[index]
        footer = "" if sheet.total is None else _cell(sheet.total[index], each)
        justify: Literal["left", "right"] = "left" if each.unit in {"text", "bar"} else "right"
        table.add_column(each.head, footer=Text(footer), justify=justify, no_wrap=True)
    for part in _parts(sheet):
        # One cell of many lines per column: rich takes a tenth of the time that it takes for as many cells.
        lines = ["\n".join(_cell(row[index], sheet.fields[index]) for row in part) for index in kept]
        table.add_row(*map(Text, lines), end_section=True)
    out = io.StringIO()
    colour = sys.stdout.isatty()
    console = Console(file=out, width=width or UNLIMITED, force_terminal=colour or None, highlight=False)
    console.print(Text(printable(sheet.title), style="bold"))
    console.print(table)
    for note in (*sheet.notes, *dropped):
        console.print(Text(printable(note), style="dim"), soft_wrap=width is None)
    return "\n".join(line.rstrip() for line in out.getvalue().split("\n"))


def _parts(sheet: Sheet) -> list[tuple[tuple[Any, ...], ...]]:
    """The rows, cut where a line is drawn."""
    cuts = [0, *sorted(sheet.ruled), len(sheet.rows)]
    return [sheet.rows[start:stop] for start, stop in pairwise(cuts) if start < stop]


def _cell(value: object, field: Field) -> str:
    return printable("" if value == "" else spelled(value, field.unit))


def _that_fit(sheet: Sheet, width: int | None) -> tuple[list[int], tuple[str, ...]]:
    """Which fields to show in ``width`` characters, and a note on those that had to go."""
    rows = [*sheet.rows, *([sheet.total] if sheet.total is not None else [])]
    need = [
        max([len(each.head), *(len(_cell(row[index], each)) for row in rows)]) + 2
        for index, each in enumerate(sheet.fields)
    ]
    kept = list(range(len(sheet.fields)))
    if width is None:
        return kept, ()
    for index in sorted(kept, key=lambda index: -sheet.fields[index].keep):
        if sum(need[each] for each in kept) <= width or not sheet.fields[index].keep:
            break
        kept.remove(index)
    gone = [each.head for index, each in enumerate(sheet.fields) if index not in kept]
    return kept, (f"not shown in {width} characters: {', '.join(gone)}",) if gone else ()

"""A table for people. A narrow terminal cuts long texts, then gives up columns, and says which.

Text, colours and wrapping are rich's. The columns are laid out here: a paper's table has cells that span columns, and a
terminal that is too narrow should lose whole columns, the least important first; rich's table does neither.
"""

from __future__ import annotations

import io
import os
import sys
from typing import Any

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from archscope.core.errors import printable
from archscope.formats import Field, Sheet, Spanning, spelled

SUFFIX = ".txt"

GAP = 2
"""Characters between two columns."""

_NUMBERS = ("count", "signed", "bytes", "ratio", "share")

Layout = list[tuple[int, int]]
"""The columns to print: the index of the field and its characters."""


def render(sheet: Sheet, width: int | None) -> str:
    """The sheet as text, with bold and dim parts where standard output is a terminal that wants them.

    rich decides that by TERM; NO_COLOR stands for no escape codes at all. Without a terminal no line is wrapped.
    """
    layout, remarks = _that_fit(sheet, width)
    out = io.StringIO()
    colours = width is not None and sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    console = Console(file=out, width=width or 1, force_terminal=colours, highlight=False, emoji=False, markup=False)
    _print_wrapped(console, [sheet.title], "bold", width)
    console.print(Text("\n").append(_grid(sheet, layout, console, width)), soft_wrap=True)
    if sheet.notes or remarks:
        console.print()
        _print_wrapped(console, [*sheet.notes, *remarks], "dim", width)
    if sheet.closing:
        console.print()
        _print_wrapped(console, list(sheet.closing), "", width)
    if sheet.picture:
        console.print()
        console.print(Text("\n".join(map(printable, sheet.picture))), soft_wrap=True)
    return "\n".join(line.rstrip() for line in out.getvalue().split("\n"))


def _print_wrapped(console: Console, texts: list[str], style: str, width: int | None) -> None:
    whole = "\n".join(printable(text).replace("\n", " ") for text in texts)
    console.print(Text(whole, style=style), soft_wrap=width is None)


def _grid(sheet: Sheet, layout: Layout, console: Console, width: int | None) -> Text:
    """Heads, rows and total, each a line."""
    rule = Text("─" * (sum(size for _, size in layout) + GAP * (len(layout) - 1)), style="dim")
    heads = Text(_line(tuple(each.head for each in sheet.fields), sheet, layout).plain, style="bold")
    lines = [heads, rule] if any(each.head for each in sheet.fields) else []
    for number, row in enumerate(sheet.rows):
        if number in sheet.headings:
            lines += [Text()] if number else []
            heading = Text(printable(sheet.headings[number]), style="bold")
            lines += [heading] if width is None else heading.wrap(console, width)
        line = _line(row, sheet, layout)
        lines += [line] if line.plain.strip() else []  # all that it says is in columns that had to go
    if sheet.total is not None:
        lines += [rule, Text(_line(sheet.total, sheet, layout).plain, style="bold")]
    return Text("\n").join(lines)


def _line(values: tuple[Any, ...], sheet: Sheet, layout: Layout) -> Text:
    """One line of cells. Zeros are dim: they are true, and what is not zero is what one looks for."""
    line, at = Text(), 0
    while at < len(layout):
        index, size = layout[at]
        value, field = values[index], sheet.fields[index]
        line.append(" " * GAP if at else "")
        at += 1
        if isinstance(value, Spanning):
            while at < len(layout) and values[layout[at][0]] is value:
                size += GAP + layout[at][1]
                at += 1
            line.append(_aligned(_cell(value, field), size, "centre"))
        else:
            text = _aligned(_cell(value, field), size, "left" if _is_text(field) else "right")
            line.append(text, style="dim" if value == 0 and field.unit in _NUMBERS else None)
    return line


def _is_text(field: Field) -> bool:
    return field.unit in {"text", "bar"}


def _cell(value: Any, field: Field) -> str:
    return "" if value == "" else spelled(value, field.unit)


def _aligned(text: str, size: int, where: str) -> str:
    room = size - cell_len(text)
    if room < 0:
        return f"{set_cell_size(text, size - 1)}…"
    left = {"left": 0, "right": room, "centre": room // 2}[where]
    return " " * left + text + " " * (room - left)


def _that_fit(sheet: Sheet, width: int | None) -> tuple[Layout, list[str]]:
    """The columns that fit into ``width`` characters, and remarks on what had to go."""
    kept = [index for index, each in enumerate(sheet.fields) if not each.heading]
    natural = _sizes(sheet, kept)
    if width is None:
        return list(natural.items()), []
    gone: list[int] = []
    levels = sorted({sheet.fields[index].keep for index in kept} - {0}, reverse=True)
    while levels and _smallest(sheet, natural) > width:
        level = levels.pop(0)
        gone += [index for index in kept if sheet.fields[index].keep == level]
        natural = _sizes(sheet, [index for index in kept if index not in gone])
    layout = _narrowed(sheet, natural, width)
    cut = [sheet.fields[index].head for index, size in layout if size < natural[index]]
    dropped = dict.fromkeys(sheet.fields[index].head for index in sorted(gone) if sheet.fields[index].head)
    remarks = [f"cut to fit {width} characters: {', '.join(cut)}"] if cut else []
    return layout, remarks + ([f"not shown in {width} characters: {', '.join(dropped)}"] if dropped else [])


def _sizes(sheet: Sheet, kept: list[int]) -> dict[int, int]:
    """The characters that each column needs. What spans several widens the last of them, where they are too narrow."""
    rows = [*sheet.rows, *([sheet.total] if sheet.total is not None else [])]
    sizes = {}
    for index in kept:
        field = sheet.fields[index]
        own = (_cell(row[index], field) for row in rows if not isinstance(row[index], Spanning))
        sizes[index] = max([cell_len(spelled(field.head, "text")), *map(cell_len, own)])
    for row in rows:
        for text in {id(row[index]): row[index] for index in kept if isinstance(row[index], Spanning)}.values():
            spanned = [index for index in kept if row[index] is text]
            room = sum(sizes[index] for index in spanned) + GAP * (len(spanned) - 1)
            sizes[spanned[-1]] += max(0, cell_len(spelled(text, "text")) - room)
    return sizes


def _smallest(sheet: Sheet, sizes: dict[int, int]) -> int:
    least = (min(size, sheet.fields[index].least or size) for index, size in sizes.items())
    return sum(least) + GAP * (len(sizes) - 1)


def _narrowed(sheet: Sheet, natural: dict[int, int], width: int) -> Layout:
    """The columns, the widest of those that may be cut made narrower, until all fit."""
    sizes = dict(natural)
    while sum(sizes.values()) + GAP * (len(sizes) - 1) > width:
        able = [index for index, size in sizes.items() if 0 < sheet.fields[index].least < size]
        if not able:
            break
        sizes[max(able, key=lambda index: sizes[index])] -= 1
    return list(sizes.items())

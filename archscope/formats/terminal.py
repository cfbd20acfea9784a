"""A table for people. A narrow terminal cuts long texts, then gives up columns, and says which.

Written without rich, whose import alone would take an eighth of ``archscope summary vgg16``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

from archscope.core.errors import printable
from archscope.formats import Field, Sheet, Spanning, spelled

GAP = 2
"""Characters between two columns."""

_CODES = {"bold": "1", "dim": "2"}
_NUMBERS = ("count", "signed", "bytes", "ratio", "share")

Layout = list[tuple[int, int]]
"""The columns to print: the index of the field and its characters."""


def render(sheet: Sheet, width: int | None) -> str:
    """The sheet as text, with bold and dim parts where standard output is a terminal that wants them."""
    paint = _painter(width)
    layout, remarks = _that_fit(sheet, width)
    rule = paint("─" * (sum(size for _, size in layout) + GAP * (len(layout) - 1)), "dim")
    lines = [*(paint(line, "bold") for line in _wrapped(sheet.title, width)), ""]
    lines.append(paint(_line(tuple(each.head for each in sheet.fields), sheet, layout, _plain), "bold"))
    lines.append(rule)
    for number, row in enumerate(sheet.rows):
        if number in sheet.headings:
            heading = _wrapped(sheet.headings[number], width)
            lines += ["", *(paint(line, "bold") for line in heading)] if number else [paint(h, "bold") for h in heading]
        line = _line(row, sheet, layout, paint)
        lines += [line] if line.strip() else []  # all that it says is in columns that had to go
    if sheet.total is not None:
        lines += [rule, paint(_line(sheet.total, sheet, layout, _plain), "bold")]
    notes = [line for note in (*sheet.notes, *remarks) for line in _wrapped(note, width)]
    lines += ["", *(paint(line, "dim") for line in notes)] if notes else []
    lines += ["", *(line for text in sheet.closing for line in _wrapped(text, width))] if sheet.closing else []
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _painter(width: int | None) -> Callable[[str, str], str]:
    """What makes a text bold or dim. Only for a terminal (one has a width), and not where NO_COLOR is set."""
    able = width is not None and sys.stdout.isatty() and os.environ.get("TERM") not in {"dumb", "unknown"}
    if not able or os.environ.get("NO_COLOR"):
        return _plain
    return lambda text, style: f"\x1b[{_CODES[style]}m{text}\x1b[0m" if text.strip() else text


def _plain(text: str, style: str) -> str:  # noqa: ARG001  a painter's signature
    return text


def _line(values: tuple[Any, ...], sheet: Sheet, layout: Layout, paint: Callable[[str, str], str]) -> str:
    """One line of cells. Zeros are dim: they are true, and what is not zero is what one looks for."""
    cells, at = [], 0
    while at < len(layout):
        index, size = layout[at]
        value, field = values[index], sheet.fields[index]
        at += 1
        if isinstance(value, Spanning):
            while at < len(layout) and values[layout[at][0]] is value:
                size += GAP + layout[at][1]
                at += 1
            cells.append(_aligned(_cell(value, field), size, "centre"))
            continue
        text = _aligned(_cell(value, field), size, "left" if _is_text(field) else "right")
        cells.append(paint(text, "dim") if value == 0 and field.unit in _NUMBERS else text)
    return (" " * GAP).join(cells)


def _is_text(field: Field) -> bool:
    return field.unit in {"text", "bar"}


def _cell(value: Any, field: Field) -> str:
    return "" if value == "" else spelled(value, field.unit)


def _aligned(text: str, size: int, where: str) -> str:
    room = size - cells(text)
    if room < 0:
        return _cut(text, size)
    left = {"left": 0, "right": room, "centre": room // 2}[where]
    return " " * left + text + " " * (room - left)


def _cut(text: str, size: int) -> str:
    while cells(text) >= size:
        text = text[:-1]
    return f"{text}…{' ' * (size - cells(text) - 1)}"


def cells(text: str) -> int:
    """How many characters of a terminal a text takes: two for a wide one, none for one that combines.

    >>> cells("64×224"), cells("卷积"), cells("e\u0301")
    (6, 4, 1)
    """
    if not text or max(text) < "\u0300":
        return len(text)
    from unicodedata import category, east_asian_width

    return sum(0 if category(c) in {"Mn", "Me"} else 1 + (east_asian_width(c) in {"W", "F"}) for c in text)


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
        sizes[index] = max([cells(spelled(field.head, "text")), *map(cells, own)])
    for row in rows:
        for text in {id(row[index]): row[index] for index in kept if isinstance(row[index], Spanning)}.values():
            spanned = [index for index in kept if row[index] is text]
            room = sum(sizes[index] for index in spanned) + GAP * (len(spanned) - 1)
            sizes[spanned[-1]] += max(0, cells(spelled(text, "text")) - room)
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


def _wrapped(text: str, width: int | None) -> Iterator[str]:
    """The lines of a text, cut at spaces where they are longer than ``width``."""
    text = printable(text).replace("\n", " ")
    if width is None or cells(text) <= width:
        yield text
        return
    line = ""
    for word in text.split(" "):
        if line and cells(line) + 1 + cells(word) > width:
            yield line
            line = word
        else:
            line = f"{line} {word}" if line else word
    yield line

"""A table for a README or an issue."""

from __future__ import annotations

from typing import Any

from archscope.core.errors import printable
from archscope.formats import Field, Sheet, Spanning, spelled

SUFFIX = ".md"

_MARKS = {"&": "&amp;", "<": "&lt;", **{mark: f"\\{mark}" for mark in "\\|*_`[]#>~$"}}
"""What Markdown, or HTML within it, would read as more than text."""


def render(sheet: Sheet, width: int | None) -> str:  # noqa: ARG001  the contract: a file has no width
    """The sheet as a pipe table, its total in bold, its notes below."""
    marks = [":--" if each.unit in {"text", "bar"} else "--:" for each in sheet.fields]
    lines = [f"**{_escaped(sheet.title)}**", "", _line([_escaped(each.head) for each in sheet.fields]), _line(marks)]
    lines += [_line(_cells(row, sheet.fields)) for row in sheet.rows]
    if sheet.total is not None:
        lines.append(_line([f"**{cell}**" if cell else "" for cell in _cells(sheet.total, sheet.fields)]))
    lines += ["", *(f"{_escaped(note)}  " for note in (*sheet.notes, *sheet.closing))]
    lines += ["", "```", *map(printable, sheet.picture), "```"] if sheet.picture else []
    return "\n".join(lines).rstrip() + "\n"


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(row: tuple[Any, ...], fields: tuple[Field, ...]) -> list[str]:
    """The cells of a row; what spans several stands in the first of them."""
    cells, before = [], None
    for value, each in zip(row, fields, strict=True):
        repeated = isinstance(value, Spanning) and value is before
        cells.append("" if repeated or value == "" else _escaped(spelled(value, each.unit)))
        before = value
    return cells


def _escaped(text: str) -> str:
    return "".join(_MARKS.get(character, character) for character in spelled(text, "text"))

"""A table for a README or an issue."""

from __future__ import annotations

from archscope.core.errors import printable
from archscope.formats import Sheet, spelled


def render(sheet: Sheet, width: int | None) -> str:  # noqa: ARG001  the contract: a file has no width
    """The sheet as a pipe table, its total in bold, its notes below."""
    marks = [":--" if each.unit in {"text", "bar"} else "--:" for each in sheet.fields]
    lines = [f"**{_escaped(sheet.title)}**", "", _line([_escaped(each.head) for each in sheet.fields]), _line(marks)]
    lines += [_line([_cell(v, each.unit) for v, each in zip(row, sheet.fields, strict=True)]) for row in sheet.rows]
    if sheet.total is not None:
        cells = [_cell(value, each.unit) for value, each in zip(sheet.total, sheet.fields, strict=True)]
        lines.append(_line([f"**{cell}**" if cell else "" for cell in cells]))
    return "\n".join([*lines, "", *(f"{_escaped(note)}  " for note in sheet.notes)]).rstrip() + "\n"


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(value: object, unit: str) -> str:
    return "" if value == "" else _escaped(spelled(value, unit))


def _escaped(text: str) -> str:
    """Without what Markdown, or HTML within it, would read as more than text."""
    text = printable(text).replace("\n", " ").replace("&", "&amp;").replace("<", "&lt;")
    for mark in "\\|*_`[]":
        text = text.replace(mark, f"\\{mark}")
    return text

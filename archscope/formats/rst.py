"""A table for Sphinx: reStructuredText, as a grid, in which cells may span columns."""

from __future__ import annotations

import re
from itertools import groupby
from typing import Any
from unicodedata import east_asian_width

from archscope.core.errors import printable
from archscope.formats import Field, Sheet, Spanning, spelled

SUFFIX = ".rst"

_MARKS = re.compile(r"[\\*`|<>@]|:(?=\S|$)|(?<![^\W_])_|_(?![^\W_])")
"""What begins or ends markup within a line; an underscore between letters and digits is only itself."""

_OPENING = re.compile(r"\w+[.)]|[^\w\\]")
"""What makes a list, an option, a title or a directive of a paragraph that begins with it: ``1.``, ``-``, ``..``."""

Line = list[tuple[str, int]]
"""The cells of a row, each with the number of columns that it spans."""


def render(sheet: Sheet, width: int | None) -> str:  # noqa: ARG001  the contract: a file has no width
    """The sheet as a ``table`` directive, its total in bold, its notes below as paragraphs."""
    lines = [_cells(row, sheet.fields) for row in sheet.rows]
    if sheet.total is not None:
        lines.append([(f"**{cell}**" if cell else "", span) for cell, span in _cells(sheet.total, sheet.fields)])
    lines = lines or [[("", 1) for _ in sheet.fields]]  # a table without a body is none to docutils
    heads: Line = [(_escaped(each.head), 1) for each in sheet.fields]
    title = _escaped(sheet.title)
    out = [f".. table:: {title}".rstrip(), "   :widths: auto", ""]
    out += [f"   {line}" for line in _grid(heads, lines, len(sheet.fields))]
    for note in (*sheet.notes, *sheet.closing):
        out += ["", _escaped(note)]
    out += ["", "::", "", *(f"    {printable(line)}".rstrip() for line in sheet.picture)] if sheet.picture else []
    return "\n".join(out).rstrip() + "\n"


def _cells(row: tuple[Any, ...], fields: tuple[Field, ...]) -> Line:
    """The cells of a row; what spans several columns spans them here too."""
    cells: Line = []
    for _, group in groupby(range(len(row)), key=lambda n: (id(row[n]), 0) if isinstance(row[n], Spanning) else (0, n)):
        first, *others = group
        value = row[first]
        cells.append(("" if value == "" else _escaped(spelled(value, fields[first].unit)), 1 + len(others)))
    return cells


def _grid(heads: Line, lines: list[Line], columns: int) -> list[str]:
    """The lines of a grid table."""
    widths = _widths([heads, *lines], columns)
    out = [
        _rule(heads, heads, widths, "-"),
        _text(heads, widths),
        _rule(heads, lines[0] if lines else heads, widths, "="),
    ]
    for number, line in enumerate(lines):
        below = lines[number + 1] if number + 1 < len(lines) else line
        out += [_text(line, widths), _rule(line, below, widths, "-")]
    return out


def _widths(lines: list[Line], columns: int) -> list[int]:
    """Characters per column; what spans several takes what it needs besides from the last of them."""
    widths = [1] * columns
    for spanning in (False, True):
        for line in lines:
            at = 0
            for text, span in line:
                at += span
                if (span > 1) == spanning:
                    others = sum(widths[at - span : at - 1]) + 3 * (span - 1)
                    widths[at - 1] = max(widths[at - 1], _columns(text) - others)
    return widths


def _text(line: Line, widths: list[int]) -> str:
    out, at = "|", 0
    for text, span in line:
        room = sum(widths[at : at + span]) + 3 * (span - 1)
        out += f" {text}{' ' * (room - _columns(text))} |"
        at += span
    return out


def _rule(above: Line, below: Line, widths: list[int], mark: str) -> str:
    """The line between two rows; it has a corner wherever a cell of one of them ends."""
    ends = {sum(span for _, span in line[:n]) for line in (above, below) for n in range(1, len(line) + 1)}
    return "+" + "".join(mark * (size + 2) + ("+" if n in ends else mark) for n, size in enumerate(widths, 1))


def _columns(text: str) -> int:
    """Columns that a text takes: a wide character two, as docutils counts them."""
    return len(text) + sum(east_asian_width(character) in "WF" for character in text)


def _escaped(text: str) -> str:
    text = _MARKS.sub(r"\\\g<0>", spelled(text, "text").strip())
    if not text.strip("\\"):
        return f"\\ {text}" if text else ""  # a line of nothing but backslashes would be a title's
    return f"\\{text}" if _OPENING.match(text) else text

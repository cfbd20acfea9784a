"""The rows of a table in the order they run in, what each is read in, and which block it builds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from archscope.core.errors import Problem, TableError
from archscope.core.source import Span
from archscope.spec.items import key_of
from archscope.spec.reading import MOST_REPEATS, Context, Repeats, Scope
from archscope.spec.table import Cell, Table
from archscope.spec.template import is_number, match

Row = dict[str, Cell]

REPEATED = "repeated"
"""What ``[rows]`` says of labels such as ``{times}× {label}``."""


def rows_of(table: Table, repeats: Repeats) -> list[tuple[Row, Cell]]:
    """Each row with its label. Rows one after another that are repeated as often are repeated together.

    Raises TableError at a label whose number is none.
    """
    template = next((key for key, role in table.data.get("rows", {}).items() if role == REPEATED), None)
    plain = [(row, label_of(table, row)) for row in table.grid.rows]
    return plain if template is None else list(_unrolled(plain, template, repeats))


def label_of(table: Table, row: Row) -> Cell:
    """The cell in the column that is the label; empty without one."""
    labels = [head for head, role in table.data.get("columns", {}).items() if role == "label" and head in row]
    return row[labels[0]] if labels else Cell("", next(iter(row.values())).span)


def _unrolled(rows: list[tuple[Row, Cell]], template: str, repeats: Repeats) -> Iterator[tuple[Row, Cell]]:
    for times, group in groupby(rows, key=lambda entry: (match(template, entry[1].text) or {}).get("times")):
        if times is None:
            yield from group
            continue
        repeated = [(row, label._replace(text=(match(template, label.text) or {})["label"])) for row, label in group]
        if not is_number(times) or not 1 <= int(times) <= MOST_REPEATS:
            message = f"rows cannot be repeated {times!r} times"
            expected = f"a whole number from 1 to {MOST_REPEATS:,}"
            raise TableError(Problem("bad-repeat", message, repeated[0][1].span, expected))
        for _ in range(repeats.of(int(times))):
            yield from repeated


def row_scope(context: Context, row: dict[str, Cell], label: Cell, cell: Cell, following: Mapping[str, Cell]) -> Scope:
    """Values of the row's placeholders: every field by its head, and what ``[columns]`` takes apart.

    A column may also say what a row takes from the cell of the ``next`` one, whose input is its output.
    """
    columns = context.section("columns")
    values: dict[str, str] = {}
    cells: dict[str, Span] = {}
    for head, its in row.items():
        role = columns.get(head, "field")
        template = role if isinstance(role, str) else str(role.get("cell", ""))
        parts = {head: its.text}
        if "{" in template and its.text:
            parts |= _taken_apart(template, its)
        ahead = "" if isinstance(role, str) else str(role.get("next", ""))
        if ahead and head in following and following[head].text:
            parts |= _taken_apart(ahead, following[head])
        values |= parts
        cells |= dict.fromkeys(parts, its.span)
    values |= context.network.get("values", {})
    place = cell.span.place if cell is not label else f"{cell.span.place.split(',')[0]}, {label.text!r}"
    return Scope(values, cells, cell.span.at(place))


def _taken_apart(template: str, cell: Cell) -> Mapping[str, str]:
    found = match(template, cell.text)
    if found is None:
        raise TableError(Problem("unreadable-cell", f"cannot read {cell.text!r}", cell.span, expected=template))
    return found


def block_of_row(
    context: Context, row: dict[str, Cell], label: Cell, cell: Cell, scope: Scope
) -> tuple[Mapping[str, Any], Scope] | None:
    """The ``[[blocks]]`` entry for a row, and the scope to read it in; None where the cell speaks for itself.

    Its ``row`` fits the label and its ``cell`` the network's cell, the cells that it wants ``filled`` are, and values
    are as ``where`` says. Of several the one that asks for most is taken, then the first.
    """
    fitting = []
    for number, block in enumerate(context.section("blocks")):
        found = _fit(block, row, label, cell, scope)
        if found is not None:
            asked = len(block.get("filled", ())) + len(block.get("where", ())) + ("cell" in block)
            fitting.append((asked, -number, block, found))
    if not fitting:
        return None
    _, number, block, found = max(fitting, key=lambda entry: entry[:2])
    values = {**scope.values, **found}
    return block, scope._replace(values=values, section=f"blocks[{-number}]", key=key_of(block))


def _fit(
    block: Mapping[str, Any], row: dict[str, Cell], label: Cell, cell: Cell, scope: Scope
) -> dict[str, str] | None:
    """What the placeholders of a block's ``row`` and ``cell`` are here; None where it is not for this row."""
    if "cell" not in block and ("row" not in block or cell is not label):
        return None
    found: dict[str, str] = {}
    for key, text in (("row", label.text), ("cell", cell.text)):
        if key in block:
            parts = match(block[key], text)
            if parts is None:
                return None
            found |= parts
    filled = all(head in row and row[head].text for head in block.get("filled", ()))
    where = all(scope.values.get(name) == value for name, value in block.get("where", {}).items())
    return found if filled and where else None

"""The rows of a table in the order they run in, those that a brace repeats together as often as it says."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from archscope.core.errors import Problem, TableError
from archscope.spec.items import MOST_REPEATS
from archscope.spec.table import Cell, Table
from archscope.spec.template import is_number, match

Row = dict[str, Cell]

REPEATED = "repeated"
"""What ``[rows]`` says of labels such as ``{times}× {label}``."""


def rows_of(table: Table) -> list[tuple[Row, Cell]]:
    """Each row with its label. Rows one after another that are repeated as often are repeated together.

    Raises TableError at a label whose number is none.
    """
    template = next((key for key, role in table.data.get("rows", {}).items() if role == REPEATED), None)
    plain = [(row, label_of(table, row)) for row in table.grid.rows]
    return plain if template is None else list(_unrolled(plain, template))


def label_of(table: Table, row: Row) -> Cell:
    """The cell in the column that is the label; empty without one."""
    labels = [head for head, role in table.data.get("columns", {}).items() if role == "label" and head in row]
    return row[labels[0]] if labels else Cell("", next(iter(row.values())).span)


def _unrolled(rows: list[tuple[Row, Cell]], template: str) -> Iterator[tuple[Row, Cell]]:
    for times, group in groupby(rows, key=lambda entry: (match(template, entry[1].text) or {}).get("times")):
        if times is None:
            yield from group
            continue
        repeated = [(row, label._replace(text=(match(template, label.text) or {})["label"])) for row, label in group]
        if not is_number(times) or not 1 <= int(times) <= MOST_REPEATS:
            message = f"rows cannot be repeated {times!r} times"
            expected = f"a whole number from 1 to {MOST_REPEATS:,}"
            raise TableError(Problem("bad-repeat", message, repeated[0][1].span, expected))
        for _ in range(int(times)):
            yield from repeated

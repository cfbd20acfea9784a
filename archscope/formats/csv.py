"""A table for a spreadsheet: raw numbers, the fields' names as heads; shapes as 64x224x224."""

from __future__ import annotations

import csv
import io
from typing import Any

from archscope.core.errors import printable
from archscope.formats import Sheet

SUFFIX = ".csv"


def render(sheet: Sheet, width: int | None) -> str:  # noqa: ARG001  the contract: a file has no width
    """The rows, without total and notes: a spreadsheet adds up by itself. Unknown values are empty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    kept = [index for index, each in enumerate(sheet.fields) if each.unit != "bar"]
    writer.writerow([_plain(sheet.fields[index].name) for index in kept])
    for row in sheet.rows:
        writer.writerow([_plain(row[index]) for index in kept])
    return out.getvalue()


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return "x".join(str(part) for part in value)
    if not isinstance(value, str):
        return "" if value is None else value
    text = printable(value).replace("\n", " ")
    # A spreadsheet runs what begins like this as a formula, also after spaces; the quote makes it a text.
    return f"'{text}" if text.lstrip()[:1] in {"=", "+", "-", "@"} else text

"""A table for a spreadsheet: raw numbers, the fields' names as heads; shapes as 64x224x224."""

from __future__ import annotations

import csv
import io
from typing import Any

from archscope.formats import Sheet


def render(sheet: Sheet, width: int | None) -> str:  # noqa: ARG001  the contract: a file has no width
    """The rows, without total and notes: a spreadsheet adds up by itself. Unknown values are empty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    kept = [index for index, each in enumerate(sheet.fields) if each.unit != "bar"]
    writer.writerow([sheet.fields[index].name for index in kept])
    for row in sheet.rows:
        writer.writerow([_plain(row[index]) for index in kept])
    return out.getvalue()


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return "x".join(str(part) for part in value)
    if isinstance(value, str) and value[:1] in {"=", "+", "-", "@"}:
        return f"'{value}"  # a spreadsheet would run it as a formula
    return "" if value is None else value

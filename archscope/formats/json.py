"""Everything, for machines: plain values and a schema version."""

from __future__ import annotations

import json

from archscope.formats import SCHEMA_VERSION, Sheet


def render(sheet: Sheet, width: int | None) -> str:  # noqa: ARG001  the contract: a file has no width
    """The sheet's ``data`` under its name, with ``schema_version``. Unknown values are null, shapes lists."""
    return (
        json.dumps({"schema_version": SCHEMA_VERSION, "kind": sheet.name, **sheet.data}, indent=2, ensure_ascii=False)
        + "\n"
    )

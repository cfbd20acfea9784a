"""Everything, for machines: plain values and a schema version."""

from __future__ import annotations

import json

from archscope.formats import SCHEMA_VERSION, Sheet

SUFFIX = ".json"


def render(sheet: Sheet, width: int | None) -> str:  # noqa: ARG001  the contract: a file has no width
    """The sheet's ``data`` with ``schema_version`` and its kind. Unknown values are null, shapes lists."""
    data = {"schema_version": SCHEMA_VERSION, "kind": sheet.name, **sheet.data}
    text = json.dumps(data, indent=2, ensure_ascii=False)
    if not text.replace("\n", "").isprintable():
        text = json.dumps(data, indent=2)  # spells out what could steer a terminal
    return f"{text}\n"

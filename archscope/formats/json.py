"""Everything, for machines: plain values under the head that :mod:`archscope.core.schema` describes."""

from __future__ import annotations

import json

from archscope.core.schema import dumped, headed
from archscope.formats import Sheet

SUFFIX = ".json"


def render(sheet: Sheet, width: int | None) -> str:  # noqa: ARG001  the contract: a file has no width
    """The sheet's ``data`` with ``schema_version`` and its kind. Unknown values are null, shapes lists."""
    text = dumped(headed(sheet.name, sheet.data), indent=2)
    if not text.replace("\n", "").isprintable():
        text = json.dumps(json.loads(text), indent=2)  # spells out what could steer a terminal
    return f"{text}\n"

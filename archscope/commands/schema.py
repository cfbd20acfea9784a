"""``archscope schema summary``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from archscope.commands import emit
from archscope.core import schema as schemas
from archscope.formats import Field, Sheet


def schema(
    kind: Annotated[
        str | None, typer.Argument(help="The kind of an object, as its field kind says.", metavar="KIND")
    ] = None,
) -> None:
    """The JSON Schema (2020-12) of what --format json prints and of the JSON files in a run; without KIND, the kinds.

    Examples:

        archscope schema

        archscope schema summary
    """
    if kind is not None:
        sys.stdout.write(f"{schemas.dumped(schemas.schema(kind), indent=2)}\n")
        return
    rows = tuple((each, schemas.schema(each)["description"]) for each in schemas.kinds())
    fields = (Field("kind", "kind"), Field("means", "what it is", least=30))
    notes = (f"schema version {schemas.VERSION}: fields may be added to it; one that changes or goes makes a new one",)
    emit(Sheet("schemas", f"{len(rows)} kinds of JSON objects", fields, rows, notes=notes), None, None, force=False)

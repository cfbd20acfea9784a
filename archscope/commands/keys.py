"""``archscope keys``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from archscope.commands import ForceFlag, FormatFlag, OutputFlag, emit
from archscope.core.errors import unknown_name
from archscope.formats import Field, Sheet
from archscope.spec.form import FORM, Form, type_words


def keys(
    section: Annotated[
        str, typer.Argument(help="One section: blocks, networks, published …; all without it.", metavar="[SECTION]")
    ] = "",
    format_: FormatFlag = None,
    output: OutputFlag = None,
    force: ForceFlag = False,
) -> None:
    """What may stand in a table file: every key, the type of its value, and what it means.

    Examples:

        archscope keys

        archscope keys blocks
    """
    names = [key for key, entry in FORM.items() if _within(entry.type)]
    if section and section not in names:
        raise unknown_name("section", section, names)
    found = [each for each in _sections("", FORM, "at the top of the file") if section in {"", each[0].split(".")[0]}]
    rows: list[tuple[str, ...]] = []
    headings: dict[int, str] = {}
    for name, form, means in found:
        plain = [
            (key, entry) for key, entry in form.items() if isinstance(entry.type, tuple) or not _within(entry.type)
        ]
        shown = f"[[{name}]]" if name and isinstance(FORM.get(name, FORM["columns"]).type, list) else f"[{name}]"
        headings[len(rows)] = f"{shown} {means}".strip() if name else means
        rows += [(name, key, _words(its.type), its.means) for key, its in plain]
    fields = (
        Field("section", "section", heading=True),
        Field("key", "key", keep=2),
        Field("type", "type", keep=1),
        Field("means", "means", least=20),
    )
    notes = (
        "* is any name",
        "what may stand in a cell: archscope ops; a file to begin with: archscope new mypaper.toml",
    )
    data = {"keys": [dict(zip([each.name for each in fields], row, strict=True)) for row in rows]}
    sheet = Sheet("keys", f"{len(rows)} keys", fields, tuple(rows), notes=notes, data=data, headings=headings)
    emit(sheet, format_, output, force=force)


def _sections(name: str, form: Form, means: str) -> Iterator[tuple[str, Form, str]]:
    """The sections of a file, the outer one first: each with its name, its keys, and what it means."""
    yield name, form, means
    for key, entry in form.items():
        beside = isinstance(entry.type, tuple)  # a plain value does as well, and its line says what it means
        if _within(entry.type):
            yield from _sections(f"{name}.{key}".strip("."), _within(entry.type), "" if beside else entry.means)


def _words(kind: Any) -> str:
    return type_words(kind).removeprefix("a ").replace(" or a ", " or ").replace("list of ", "")


def _within(kind: Any) -> Form:
    """The keys of a section, be it one, one of several, or one beside plain values; none of anything else."""
    for each in kind if isinstance(kind, tuple | list) else (kind,):
        if isinstance(each, Mapping):
            return each
    return {}

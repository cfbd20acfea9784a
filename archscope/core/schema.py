"""The JSON that archscope prints and writes: objects with a head, each kind with a schema (JSON Schema 2020-12).

A kind's schema is a file of the folder ``schemas``, which is the register; ``defs.json`` holds what several of them
share. Numbers that follow from a register of another folder, the columns of analyses above all, are open in it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from archscope.core.errors import ArchscopeError, Problem, UnknownName, nearest

VERSION = 1
"""Of all kinds. It changes when a field changes its meaning or goes; one may be added without."""

_FOLDER = Path(__file__).parent / "schemas"
_SHARED = "defs"


def kinds() -> list[str]:
    """The kinds of objects, by name."""
    return sorted(path.stem for path in _FOLDER.glob("*.json") if path.stem != _SHARED)


def schema(kind: str) -> dict[str, Any]:
    """The schema of a kind's objects, whole. Raises UnknownName for a kind that there is not."""
    if kind not in kinds():
        message = f"no JSON of archscope's is of kind {kind!r}"
        raise UnknownName(Problem("unknown-kind", message, expected=", ".join(kinds()), help=nearest(kind, kinds())))
    own, shared = _read(kind), _read(_SHARED)
    head = {"schema_version": {"const": VERSION}, "kind": {"const": kind}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:archscope:{kind}:{VERSION}",
        **own,
        "properties": head | own["properties"],
        "required": [*head, *own["required"]],
        "$defs": {name: shared[name] for name in sorted(_needed(own, shared))},
    }


def headed(kind: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """The data of an object with its head: the version and the kind."""
    return {"schema_version": VERSION, "kind": kind, **data}


def body(kind: str, found: Mapping[str, Any], where: str) -> dict[str, Any]:
    """What an object says besides its head, if it has one: files from before there were heads are read as well.

    where: it was read. Raises ArchscopeError for another kind, and for a version that only a newer archscope reads.
    """
    version, its = found.get("schema_version", VERSION), found.get("kind", kind)
    if type(version) is not int or version < 1:
        message = f"{where} has schema version {str(version)[:60]!r}"
        raise ArchscopeError(Problem("schema-version", message, expected=f"a whole number up to {VERSION}"))
    if version > VERSION:
        message = f"{where} has schema version {version}, and this archscope reads up to {VERSION}"
        raise ArchscopeError(Problem("schema-version", message, help="pip install --upgrade archscope"))
    if its != kind:
        raise ArchscopeError(Problem("other-kind", f"{where} is of kind {str(its)[:60]!r}, not {kind!r}"))
    return {name: value for name, value in found.items() if name not in {"schema_version", "kind"}}


def dumped(data: Any, indent: int | None = None) -> str:
    """As JSON, which has no number for nan and infinities: they become the texts ``nan``, ``inf`` and ``-inf``.

    >>> dumped({"loss": float("nan"), "step": 1})
    '{"loss": "nan", "step": 1}'
    """
    try:
        return json.dumps(data, indent=indent, ensure_ascii=False, allow_nan=False)
    except ValueError:  # some number is none that JSON has
        return json.dumps(_spelled_out(data), indent=indent, ensure_ascii=False, allow_nan=False)


def _spelled_out(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {name: _spelled_out(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_spelled_out(each) for each in value]
    return value


def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return found


def _needed(part: Any, shared: Mapping[str, Any]) -> set[str]:
    """The names of the shared definitions that a part of a schema refers to, and those that they refer to."""
    if isinstance(part, list):
        return {name for each in part for name in _needed(each, shared)}
    if not isinstance(part, dict):
        return set()
    names = {name for each in part.values() for name in _needed(each, shared)}
    if "$ref" in part:
        name = part["$ref"].removeprefix("#/$defs/")
        names |= {name} | _needed(shared[name], shared)
    return names

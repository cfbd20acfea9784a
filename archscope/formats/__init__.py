"""One rendering of a sheet per file. The folder is the register, and the file's name the format's.

A module here defines ``render(sheet, width) -> str`` and ``SUFFIX``, how the names of its files end. ``width`` is the
room that a terminal has; None means no limit. A format shows every value as :func:`spelled` does, or raw for machines,
and lets nothing that stands in a table be more than text.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from archscope.core.errors import Problem, UsageError, printable


class Field(NamedTuple):
    """A column of a sheet.

    name: what machines call it. unit: ``text``, ``count``, ``signed``, ``bytes``, ``shape``, ``side`` (a number, or one
    per axis), ``ratio``, ``share`` or ``bar``. keep: the order in which a narrow terminal gives columns up, the highest
    first and equal ones together; 0 is never given up. least: to how many characters it may cut them before that; 0 is
    never cut. heading: a terminal has no such column, since the headings of the sheet say it.
    """

    name: str
    head: str
    unit: str = "text"
    keep: int = 0
    least: int = 0
    heading: bool = False


class Spanning(str):
    """A text that spans all neighbouring columns in whose cells the very same object stands."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table ready to be rendered: plain values, and what must be printed with them.

    rows and total: a value per field; None is "unknown". notes: conventions, one a line. closing: what it comes to, in
    a line or two, printed last. name: the kind of its JSON; data: what that says, everything. headings: by index, a
    text above that row in a terminal, where a group of rows begins. picture: lines of block characters, for where all
    are equally wide.
    """

    name: str
    title: str
    fields: tuple[Field, ...]
    rows: tuple[tuple[Any, ...], ...]
    total: tuple[Any, ...] | None = None
    notes: tuple[str, ...] = ()
    closing: tuple[str, ...] = ()
    data: dict[str, Any] = field(default_factory=dict)
    headings: dict[int, str] = field(default_factory=dict)
    picture: tuple[str, ...] = ()


def named() -> list[str]:
    """The formats, by name."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem != "__init__")


def render(sheet: Sheet, name: str, width: int | None = None) -> str:
    """The sheet in the format called ``name``. Raises UsageError for one that there is not."""
    if name not in named():
        raise UsageError(Problem("bad-value", f"format is {name!r}", expected=", ".join(named())))
    return str(_module(name).render(sheet, width))


def of_file(path: str) -> str:
    """The format that a file's name asks for. Raises UsageError when its ending says nothing."""
    suffix = Path(path).suffix
    for name in named():
        if suffix == _module(name).SUFFIX:
            return name
    expected = f"--format, or a name that ends in {', '.join(_module(name).SUFFIX for name in named())}"
    raise UsageError(Problem("bad-value", f"the name {path!r} does not say a format", expected=expected))


def _module(name: str) -> Any:
    return import_module(f"archscope.formats.{name}")


def spelled(value: Any, unit: str) -> str:
    """A value as people read it, on one line and without control characters.

    >>> spelled(138357544, "count"), spelled((64, 224, 224), "shape"), spelled(60950432, "bytes")
    ('138,357,544', '64×224×224', '58.13 MiB')
    >>> spelled(None, "count"), spelled(0.8936, "share"), spelled(0.0002, "share")
    ('?', '89.4 %', '<0.1 %')
    """
    if value is None:
        return "?"
    if isinstance(value, str) or unit not in _SPELLINGS:
        return printable(str(value)).replace("\n", " ")
    return _SPELLINGS[unit](value)


def _bytes(value: float) -> str:
    """Binary units: 1 KiB is 1024 B."""
    size = float(value)
    for unit in ("B", "KiB", "MiB"):
        if abs(size) < 1024:
            return f"{size:.0f} B" if unit == "B" else f"{size:.2f} {unit}"
        size /= 1024
    return f"{size:.2f} GiB"


_SPELLINGS: dict[str, Callable[[Any], str]] = {
    "shape": lambda value: "×".join(str(size) for size in value),
    "side": lambda value: "×".join(f"{size:,}" for size in value) if isinstance(value, tuple) else f"{value:,}",
    "count": lambda value: f"{value:,}",
    "signed": lambda value: f"{value:+,}" if value else "0",
    "bytes": _bytes,
    "ratio": lambda value: "<0.01×" if 0 < value < 0.005 else f"{value:.2f}×",
    "share": lambda value: "<0.1 %" if 0 < value < 0.0005 else f"{100 * value:.1f} %",
}

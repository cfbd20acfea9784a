"""What a table's texts are read in, and how one cell lists several layers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from archscope.core.errors import Problem, TableError
from archscope.core.source import Source, Span
from archscope.ops import Op
from archscope.spec.table import Table
from archscope.spec.template import LONGEST, match

MOST_REPEATS = 1000
"""How often a block may be repeated; more is a slip of the keyboard."""


DEEPEST = 20
"""How many cells may be made of one another."""


class Scope(NamedTuple):
    """What a text is read in: values of placeholders and their cells, and where the text itself stands.

    follows: what comes after each layer instead of what the table implies; None for the table's word.
    taken, takes: values that only one layer of a sequence gets, and the template of that layer. repeated: it is within
    a block that is repeated. shrinks: a width below 1 narrows it.
    """

    values: Mapping[str, str] = {}
    cells: Mapping[str, Span] = {}
    span: Span | None = None
    section: str = ""
    key: str = ""
    within: tuple[str, ...] = ()
    follows: tuple[str, ...] | None = None
    taken: tuple[str, ...] = ()
    takes: str = ""
    repeated: bool = False
    shrinks: bool = True


class Repeats:
    """How often a table repeats its blocks, one after another: as it prints, or as a caller wants.

    counting: nothing but that is asked, and each is read once. given: how often each was, so far. begun: the number of
    the block that is read, counted over all of them; met: how many were met, read or not; blocks: how many there are,
    where the table was read before.
    """

    def __init__(self, wanted: Sequence[int] = (), *, counting: bool = False) -> None:
        self.wanted = tuple(wanted)
        self.counting = counting
        self.given: list[int] = []
        self.begun = self.met = 0
        self.blocks = 1

    def numbers(self) -> dict[str, str]:
        """What ``{block}`` and ``{blocks}`` are, unless a table calls something else so."""
        return {"block": str(self.begun), "blocks": str(self.blocks)}

    def of(self, printed: int) -> int:
        """How often the next block is repeated."""
        at = len(self.given)
        self.given.append(self.wanted[at] if at < len(self.wanted) else printed)
        return self.given[at]


class Context(NamedTuple):
    """The table being compiled, the problems found so far, a counter of the values read, and of the repeats.

    counts_turns: whether a text of the table says ``{turn}``, the number of a repeat, or ``{block}``, that over all
    rows.
    """

    table: Table | None
    network: Mapping[str, Any]
    extra: tuple[type[Op], ...]
    problems: list[Problem]
    reads: Iterator[int]
    repeats: Repeats
    counts_turns: bool = True

    def section(self, key: str) -> Any:
        """A section of the table; empty where there is none."""
        empty: Any = [] if key in {"blocks", "side_branches"} else {}
        return self.table.data.get(key, empty) if self.table is not None else empty


def python_span(place: str, text: str = "") -> Span:
    """Where a value stands that a program gives: its place among the others, such as ``item 3, branch 2``."""
    return Span(Source("<python>", text), 1, 1, max(1, len(text)), place)


def parts_of(value: Any, scope: Scope) -> list[Any]:
    """The layers that a text of several names; a placeholder may stand for all of them."""
    if not isinstance(value, str):
        return [value]
    return split(whole(value, scope.values))


def whole(text: str, values: Mapping[str, str]) -> str:
    """A text that is nothing but a placeholder, filled where that has a value; any other as it is."""
    return values.get(text.strip()[1:-1], text) if re.fullmatch(r"\s*\{[^{}]*\}\s*", text) else text


def split(cell: str) -> list[str]:
    """The layers that one cell lists: parted by semicolons, those within brackets left alone.

    >>> split("3×3, 64; [1×1, 64; 3×3, 64] ×2")
    ['3×3, 64', '[1×1, 64; 3×3, 64] ×2']
    """
    parts, depth = [""], 0
    for character in cell:
        depth += (character == "[") - (character == "]")
        if character == ";" and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]


def refuse_endless(cell: str, within: Sequence[str]) -> None:
    """Raises TableError for a cell that is too long, made of itself, or in too many others."""
    if len(cell) > LONGEST:
        message = f"{cell[:40]!r}… has {len(cell):,} characters, the most are {LONGEST:,}"
        raise TableError(Problem("too-long", message))
    if cell in within:
        message = f"{cell!r} is made of itself: {' → '.join([*within, cell])}"
        raise TableError(Problem("refers-to-itself", message))
    if len(within) > DEEPEST:
        message = f"cells are made of one another {len(within)} deep, the most are {DEEPEST}"
        raise TableError(Problem("too-deep", message))


def is_taker(text: str, template: str) -> bool:
    """Whether a layer is the one that a block's ``takes`` describes; any is where it describes none."""
    return not template or match(template, text.partition(": ")[2] or text) is not None

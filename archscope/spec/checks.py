"""What a table must be beyond the types of its values: sizes, heads that it speaks of, keys that belong together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from archscope.core.errors import Problem, nearest
from archscope.core.source import Source, Span
from archscope.spec.options import BATCH_NORMS
from archscope.spec.places import key_span, text_span

LARGEST_INPUT = 100_000
"""The largest height or width, and channel count, of an input; more is a slip of the keyboard."""

ROLES = ("label", "field")
"""What a column of a grid may be, besides one that is taken apart."""

_NEEDED = {
    "": ("title", "input", "grid"),
    "side_branches": ("name", "after", "layers"),
    "published": ("source",),
    "errata": ("row", "column", "printed", "says"),
}


class _Grid(Protocol):
    @property
    def heads(self) -> tuple[str, ...]: ...


class Key(NamedTuple):
    """A key of a file, to say where something is wrong."""

    source: Source
    section: str
    key: str

    @property
    def span(self) -> Span:
        """Where it stands."""
        return key_span(self.source, self.section, self.key)


def missing_keys(source: Source, section: str, data: Mapping[str, Any]) -> Iterator[Problem]:
    """A problem for each key that a section must have and has not."""
    kind = section.partition("[")[0]
    what = {"": "a table", "side_branches": "a side branch", "published": "a source", "errata": "an erratum"}
    for key in _NEEDED.get(kind, ()):
        if key not in data:
            expected = ", ".join(_NEEDED[kind])
            yield Problem("missing-key", f"{what[kind]} needs {key!r}", key_span(source, section), expected)


def input_problems(value: Any, where: Key) -> Iterator[Problem]:
    """A problem for an input that is no (channels, height, width), or no vector of so many numbers."""
    if len(value) in {1, 3} and all(_is_size(size) for size in value):
        return
    message = f"{where.key!r} is {value!r}"
    expected = f"[channels, height, width], whole numbers from 1 to {LARGEST_INPUT:,}"
    yield Problem("impossible-input", message, where.span, expected)


def head_problems(source: Source, data: Mapping[str, Any], grid: _Grid) -> Iterator[Problem]:
    """A problem for each head that the file speaks of and its grid does not have."""
    if "" in grid.heads and "" not in data.get("columns", {}):
        yield Problem("no-head", "a column has no head", key_span(source, "", "grid"), help="describe it in [columns]")
    for head, role in data.get("columns", {}).items():
        span = key_span(source, "columns", head)
        if head not in grid.heads:
            yield _no_column(head, grid, span)
        elif isinstance(role, str) and role not in ROLES and "{" not in role:
            expected = f"{', '.join(ROLES)}, or a text with {{placeholders}}"
            yield Problem("bad-value", f"column {head!r} is {role!r}", span, expected, nearest(role, ROLES))
    for number, block in enumerate(data.get("blocks", [])):
        for head in block.get("filled", ()):
            if head not in grid.heads:
                yield _no_column(head, grid, text_span(source, f"blocks[{number}]", "filled", head))


def network_problems(source: Source, data: Mapping[str, Any]) -> Iterator[Problem]:
    """A problem for each name or alias that two networks bear, and for an input of a network that is none."""
    taken: dict[str, str] = {}
    for network, entry in data.get("networks", {}).items():
        described = entry if isinstance(entry, Mapping) else {}
        for name in (network, *described.get("aliases", ())):
            if name in taken:
                message = f"{taken[name]} and {network} are both called {name!r}"
                span = text_span(source, "networks", network, name)
                yield Problem("duplicate-network", message, span)
            taken.setdefault(name, network)
        if "bn" in described and described["bn"] not in BATCH_NORMS:
            message = f"bn is {described['bn']!r}"
            span = text_span(source, "networks", network, described["bn"])
            yield Problem("bad-value", message, span, ", ".join(BATCH_NORMS))
        if described.get("round_to", 1) < 1:
            message = f"round_to is {described['round_to']}"
            span = text_span(source, "networks", network, "round_to")
            yield Problem("bad-value", message, span, "a whole number from 1 on")
        if "input" in described:
            yield from input_problems(described["input"], Key(source, "networks", network))


def block_problems(block: Mapping[str, Any], known: Mapping[str, Any]) -> Iterator[Problem]:
    """A problem, without its place, for each key of a block that means nothing, and for a block with nothing in it."""
    for key in block:
        if key not in known:
            yield Problem("unknown-key", f"{key!r} means nothing here", None, ", ".join(known), nearest(key, known))
    filled = "branches" in block or "layers" in block
    if not filled or ("connections" in block and "layers" not in block) or block.get("branches") == []:
        expected = "layers, branches with a join, or connections with layers"
        yield Problem("empty-block", "a block has nothing in it", None, expected)
    for key in ("layers", "branches"):
        if not isinstance(block.get(key, []), list | tuple):
            yield Problem("wrong-type", f"{key!r} is {block[key]!r}, and must be a list")


def _no_column(head: str, grid: _Grid, span: Span) -> Problem:
    expected = ", ".join(grid.heads)
    return Problem("unknown-column", f"no column is called {head!r}", span, expected, nearest(head, grid.heads))


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= LARGEST_INPUT

"""Items: what a cell, a list or a block of a table stands for, as layers and blocks.

A block's keys are the grammar of structure. One after another: ``layers``. Side by side: ``branches`` with a ``join``;
``connections``. Again: ``repeat``, with ``first`` for values that only the first time has, which ``takes`` hands to one
of its layers; ``{turn}`` counts, ``{block}`` of ``{blocks}`` over all rows. Around: ``skip`` with a ``projection``
where it is needed, ``joined`` for what the layers pass besides where there is a sum; ``dense``. What follows layers:
``follows``, ``last``, ``after``. Not narrowed: ``shrinks = false``. Modules: layers one after another are those of what
they stand in, unless ``module = true`` (``numbered``: by numbers); branches are their own, unless ``module = false``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from archscope.core.errors import ArchscopeError, Problem, TableError, located
from archscope.core.source import Span
from archscope.ops import Op
from archscope.spec.checks import block_problems
from archscope.spec.form import FORM
from archscope.spec.network import Block, Item, Layer, as_one, called, copied, layers_of
from archscope.spec.notation import read
from archscope.spec.reading import (
    MOST_REPEATS,
    Context,
    Scope,
    is_taker,
    parts_of,
    python_span,
    refuse_endless,
    split,
    whole,
)
from archscope.spec.table import read_grid
from archscope.spec.template import fill, is_number, match, placeholders

MOST_ITEMS = 5_000
"""How many values a network of a table may be read from: a kilobyte could otherwise ask for a billion layers, and a
thousand takes seconds. ResNet-1202 takes 3,604."""

MOST_OF_PYTHON = 20_000
"""The same for items that are written in Python."""


def items_of(context: Context, value: Any, scope: Scope) -> list[Item]:
    """The items that a value stands for: a cell's text, an op, a list, or a block.

    Raises TableError, at the cell or the text, for what cannot be read.
    """
    _count(context, scope)
    if isinstance(value, str):
        return _items_of_text(context, value, scope)
    if isinstance(value, Op):
        return [Layer(value, span=scope.span, follows=scope.follows, shrinks=scope.shrinks)]
    if isinstance(value, Layer | Block):
        return [value]
    if isinstance(value, list | tuple):
        return _sequence(context, value, scope)
    if isinstance(value, Mapping):
        return _items_of_block(context, value, scope)
    raise TableError(Problem("not-an-item", f"{value!r} is no cell, op, list or block", _where(context, scope)))


def _count(context: Context, scope: Scope) -> None:
    most = MOST_OF_PYTHON if context.table is None else MOST_ITEMS
    if next(context.reads) > most:
        raise TableError(Problem("too-many-items", f"more than {most:,} layers and blocks", scope.span))


def key_of(block: Mapping[str, Any]) -> str:
    """The key that holds what a block is made of."""
    return next((key for key in ("connections", "branches") if key in block), "layers")


def _sequence(context: Context, values: Sequence[Any], scope: Scope) -> list[Item]:
    """Items one after another. Values that only one layer takes are 1 for the others."""
    if not scope.taken:
        if len(values) == 1:
            return items_of(context, values[0], scope)
        scoped = [(value, _within(context, scope, f"item {n}")) for n, value in enumerate(values, 1)]
        return [item for value, inner in scoped for item in items_of(context, value, inner)]
    parts = [part for value in values for part in parts_of(value, scope)]
    chosen = next((n for n, part in enumerate(parts) if isinstance(part, str) and is_taker(part, scope.takes)), 0)
    others = scope._replace(values={**scope.values, **dict.fromkeys(scope.taken, "1")}, taken=(), takes="")
    taker = scope._replace(taken=(), takes="")
    return [item for n, part in enumerate(parts) for item in items_of(context, part, taker if n == chosen else others)]


def _items_of_block(context: Context, block: Mapping[str, Any], scope: Scope) -> list[Item]:
    problem = next(block_problems(block, FORM["blocks"].type[0]), None)
    if problem is not None:
        raise TableError(problem._replace(span=_where(context, scope)))
    if "follows" in block:
        scope = scope._replace(follows=tuple(block["follows"]))
    if "shrinks" in block:
        scope = scope._replace(shrinks=bool(block["shrinks"]))
    if "repeat" not in block:
        return _once(context, block, scope)
    times = _number(fill(str(block["repeat"]), scope.values), scope)
    return _repeated(context, block, scope, times if scope.repeated else context.repeats.of(times))


def _repeated(context: Context, block: Mapping[str, Any], scope: Scope, times: int) -> list[Item]:
    """A block's items, again and again. The third time on is the second time once more, where no name counts."""
    only_first = {name: fill(str(value), scope.values) for name, value in block.get("first", {}).items()}
    others = dict.fromkeys(only_first, "1")
    taken = tuple(only_first) if "takes" in block else ()
    takes = whole(str(block.get("takes", "")), scope.values)
    turns: list[list[Item]] = []
    context.repeats.met += 0 if scope.repeated else times
    for turn in range(1 if context.repeats.counting else times):
        context.repeats.begun += not scope.repeated
        if turn > 1 and not context.counts_turns:
            turns.append(_again(context, turns[1], scope))
            continue
        values = {
            **context.repeats.numbers(),
            **scope.values,
            "turn": str(turn + 1),
            **(others if turn else only_first),
        }
        turned = scope._replace(values=values, taken=taken, takes=takes, repeated=True)
        turns.append(_once(context, block, turned))
    return [item for items in turns for item in items]


def _again(context: Context, items: Sequence[Item], scope: Scope) -> list[Item]:
    """Copies of items: each layer is one of its own. They count as if they were read."""
    for _ in (layer for item in items for layer in layers_of(item)):
        _count(context, scope)
    return [copied(item) for item in items]


def _join(context: Context, text: str, scope: Scope) -> Op:
    op = read(text, context.extra)
    if not op.joins:
        message = f"{text!r} makes nothing of several tensors: branches cannot be joined with it"
        raise TableError(Problem("not-a-join", message, _where(context, scope), "concat, add, mul"))
    return op


def _where(context: Context, scope: Scope) -> Span | None:
    """Where the value stands that is being read."""
    if context.table is None or not scope.section:
        return scope.span
    return context.table.where(scope.section, scope.key).at(scope.span.place if scope.span else "")


def _number(text: str, scope: Scope) -> int:
    if not is_number(text) or not 1 <= int(text) <= MOST_REPEATS:
        expected = f"a whole number from 1 to {MOST_REPEATS:,}"
        raise TableError(Problem("bad-repeat", f"a block cannot be repeated {text!r} times", scope.span, expected))
    return int(text)


def _once(context: Context, block: Mapping[str, Any], scope: Scope) -> list[Item]:
    kind = kind_of(block)
    if "connections" in block:
        return [_connected(context, block, scope, kind)]
    if "branches" in block:
        items: list[Item] = [_branched(context, block, scope, kind)]
    else:
        items = _sequence(context, block.get("layers", []), scope)
    if "last" in block:
        items = _with_last(items, tuple(block["last"]))
    if block.get("dense"):
        return [Block(tuple(items), kind=kind, wiring="dense", span=scope.span)]
    if "skip" in block:
        return [_residual(context, block, scope, items, kind)]
    items = [*items, *items_of(context, block.get("after", []), scope._replace(taken=()))]
    if block.get("module") and "branches" not in block:
        return [Block(tuple(items), kind=kind, numbered=bool(block.get("numbered")), span=scope.span)]
    return items


def kind_of(block: Mapping[str, Any]) -> str:
    """What a block's class is called: its name, or the words of the row or cell that it is for."""
    words = block.get("kind") or block.get("name") or block.get("row") or ""
    return str(words).split("{", maxsplit=1)[0].strip(" (")


def _branched(context: Context, block: Mapping[str, Any], scope: Scope, kind: str) -> Block:
    join = _join(context, str(block.get("join", "concat")), scope)
    within = block.get("module") is False
    branches = []
    for number, branch in enumerate(block["branches"], 1):
        items = items_of(context, branch, _within(context, scope, f"branch {number}"))
        shared = within and len(items) != 1
        branches.append(Block(tuple(items), inline=True) if shared else as_one(items, f"branch{number}"))
    return Block(tuple(branches), kind=kind, join=join, inline=within, span=scope.span)


def _with_last(items: list[Item], follows: tuple[str, ...]) -> list[Item]:
    """The items with what comes after the last layer that has weights."""
    at = max((n for n, item in enumerate(items) if isinstance(item, Layer) and item.op.weight_layer), default=None)
    if at is None:
        return items
    return [*items[:at], cast("Layer", items[at])._replace(follows=follows), *items[at + 1 :]]


def _residual(context: Context, block: Mapping[str, Any], scope: Scope, items: list[Item], kind: str) -> Block:
    """The items with a way around them, joined; then what comes ``after`` the join.

    project: ``when shapes differ`` (the default) runs the projection there and is the identity elsewhere; ``always``;
    ``never`` is the identity, and where shapes differ then nothing is joined.
    """
    plain = scope._replace(taken=())
    join = _join(context, str(block["skip"]), scope)
    project = str(block.get("project", "when shapes differ" if "projection" in block else "never"))
    if project not in {"when shapes differ", "always", "never"}:
        expected = "when shapes differ, always, never"
        raise TableError(Problem("bad-value", f"project is {project!r}", scope.span, expected))
    main = Block(
        tuple(items), name=str(block.get("main", "main")), inline="main" not in block, numbered="main" in block
    )
    around = items_of(context, block.get("projection", []), plain) if project != "never" else []
    when = "shapes differ" if project == "when shapes differ" else ""
    shortcut = Block(
        tuple(around),
        name=str(block.get("shortcut", "shortcut")),
        inline=not around,
        when=when,
        numbered=not any(item.name for item in around),
    )
    when = "shapes agree" if project == "never" else ""
    passed = Block(tuple(items_of(context, block.get("joined", []), plain)), inline=True, when="joined")
    ways = (main, shortcut, passed) if passed.items else (main, shortcut)
    joined = Block(ways, join=join, inline=True, when=when, span=scope.span)
    after = items_of(context, block.get("after", []), plain)
    return Block((joined, *after), kind=kind, span=scope.span)


def _connected(context: Context, block: Mapping[str, Any], scope: Scope, kind: str) -> Block:
    """One copy of ``layers`` for each output map of a connection table, on the input maps marked for it."""
    if context.table is None:
        raise TableError(Problem("no-grid", "connections are a grid of a table file, and this is none", scope.span))
    from archscope.spec.connections import connected_channels

    grid = read_grid(context.table.source, scope.section, str(block["connections"]), key="connections")
    concat = read("concat")
    branches = []
    for number, runs in enumerate(connected_channels(grid)):
        parts = [Layer(read(f"slice{start}:{stop}"), span=scope.span) for start, stop in runs]
        seen = parts[0]._replace(name="maps") if len(parts) == 1 else Block(tuple(parts), join=concat, name="maps")
        branches.append(Block((seen, *items_of(context, block["layers"], scope)), name=f"map{number}"))
    return Block(tuple(branches), kind=kind, join=concat, span=scope.span)


def _items_of_text(context: Context, text: str, scope: Scope) -> list[Item]:
    span = _span_of(context, text, scope)
    scope = scope if span is scope.span else scope._replace(span=span)
    try:
        name, colon, rest = text.partition(": ")
        name = fill(name, scope.values) if colon and "{" in name else name
        if colon and (name.isidentifier() or is_number(name)):
            items = _items_of_text(context, rest.strip(), scope)
            return [called(as_one(items, name), name)]
        cell = fill(text, scope.values) if "{" in text else text
        return _items_of_cell(context, cell, scope)
    except ArchscopeError as error:
        raise located(error, _place(context, text, scope)) from error


def _within(context: Context, scope: Scope, place: str) -> Scope:
    """The scope of a part of what a program gives, which has no cell to tell it by."""
    if context.table is not None or scope.span is None:
        return scope
    return scope._replace(span=python_span(f"{scope.span.place}, {place}"))


def _span_of(context: Context, text: str, scope: Scope) -> Span | None:
    """The cell that a text is filled from, where it is one; else where the text itself stands, or its row."""
    if context.table is None:
        return python_span(scope.span.place if scope.span is not None else "", text)
    used = {name for name in placeholders(text) if name in scope.cells}
    if len(used) == 1:
        return scope.cells[used.pop()]
    if scope.span is not None:
        return scope.span
    return context.table.where_text(scope.section, scope.key, text)


def _items_of_cell(context: Context, cell: str, scope: Scope) -> list[Item]:
    refuse_endless(cell, scope.within)
    within = (*scope.within, cell)
    if ";" in cell and len(split(cell)) > 1:
        inner = scope._replace(within=within)
        return [item for part in split(cell) for item in _items_of_text(context, part, inner)]
    for template, value in context.section("notation").items():
        found = match(template, cell)
        if found is not None:
            values = {**scope.values, **found}
            cells = {name: span for name, span in scope.cells.items() if name not in found}
            inner = scope._replace(values=values, cells=cells, section="notation", key=template, within=within)
            return items_of(context, value, inner)
    for number, block in enumerate(context.section("blocks")):
        if block.get("name") == cell:
            inner = scope._replace(section=f"blocks[{number}]", key=key_of(block), within=within)
            return items_of(context, block, inner)
    op = read(cell, context.extra)
    if op.joins:
        raise TableError(Problem("nothing-to-join", f"{cell!r} joins branches, and cannot stand alone"))
    return [Layer(op, text=cell, span=scope.span, follows=scope.follows, shrinks=scope.shrinks)]


def _place(context: Context, text: str, scope: Scope) -> Span | None:
    """Where to point when ``text`` cannot be read: the odd cell that filled it, else the text itself."""
    used = [name for name in placeholders(text) if name in scope.cells]
    odd = [name for name in used if not is_number(scope.values[name]) or not int(scope.values[name])]
    if used:
        return scope.cells[odd[0]] if odd else scope.span
    if context.table is not None and scope.section:
        return context.table.where_text(scope.section, scope.key, text).at(scope.span.place if scope.span else "")
    return scope.span

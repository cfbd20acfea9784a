"""Table -> Spec: reads the cells of one network and lays out the layers and blocks they stand for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any

from archscope.core.errors import ArchscopeError, Problem, TableError, located, unknown_name
from archscope.core.source import Span
from archscope.ops import Op
from archscope.spec.implied import with_implied
from archscope.spec.items import items_of
from archscope.spec.knobs import with_batch_norm
from archscope.spec.mending import mended
from archscope.spec.network import Block, Item, Spec, called
from archscope.spec.reading import Context, Repeats, Scope, python_span
from archscope.spec.rows import REPEATED, block_of_row, row_scope, rows_of
from archscope.spec.sections import in_sections, nested
from archscope.spec.table import Cell, Table
from archscope.spec.template import fill, match

Network = Mapping[str, Any]
"""What ``[networks]`` says of one: ``{column = "D", aliases = [...], after = {...}}``."""

_COUNTS = re.compile(r"\b(turn|blocks?)\b(?=[^{}\n]*\})")
"""What counts repeats, within braces."""

MOST_PROBLEMS = 100
"""How many problems of a table are reported at once."""


def networks(table: Table) -> dict[str, Network]:
    """The networks of a table by name. A column that ``[networks]`` does not name goes by its head."""
    declared = {
        name: {"column": entry} if isinstance(entry, str) else entry
        for name, entry in table.data.get("networks", {}).items()
    }
    columns = _network_heads(table)
    if not declared and not columns:
        return {_identifier(table.text("title")): {}}
    named = {str(entry.get("column", "")) for entry in declared.values()}
    unnamed = {head: {"column": head} for head in columns if head not in named}
    return {**declared, **unnamed}


def compile_table(table: Table, name: str, extra: Iterable[type[Op]] = (), repeats: Sequence[int] = ()) -> Spec:
    """The Spec of the network called ``name``. Raises TableError with all that is wrong in its rows at once.

    repeats: how often each block that the table repeats is repeated instead.
    """
    network = networks(table)[name]
    table = mended(table)
    wanted = Repeats(repeats or network.get("blocks", ()))
    counts = set(_COUNTS.findall(table.source.text))
    context = Context(table, network, tuple(extra), [], count(1), wanted, bool(counts))
    column = str(network.get("column", ""))
    if column not in (_network_heads(table) or [""]):
        raise _no_such_column(table, name, column)
    if "blocks" in counts:  # how many there are is known when all rows were read once
        counting = Repeats(wanted.wanted, counting=True)
        _rows(context._replace(problems=[], reads=count(1), repeats=counting), table, column)
        wanted.blocks = max(1, counting.met)
    items = _rows(context, table, column)
    if not context.problems:
        items = _with_insertions(context, name, _with_side_branches(context, items))
    if not context.problems:
        context.problems.extend(_problems_of_all(context, table, name, items))
    if context.problems:
        raise TableError(*context.problems)
    root = Block(tuple(in_sections(table, nested(items))), name=name)
    root = with_implied(root, table.data.get("implied", {}), context.extra, lambda key: table.where("implied", key))
    spec = Spec(
        name=name,
        root=root,
        input_shape=tuple(network.get("input", table.data["input"])),
        title=table.text("title"),
        paper=paper(table),
        table=table.source.name,
        column=column,
        aliases=tuple(network.get("aliases", ())),
        names=dict(table.data.get("names", {})),
        torchvision=str(network.get("torchvision", "")),
        headless=bool(network.get("headless", False)),
        transform_input=bool(network.get("transform_input", False)),
        repeats=tuple(context.repeats.given),
        round_to=int(network.get("round_to", 1)),
        changes=tuple(network.get("changes", ())),
    )
    return with_batch_norm(spec, str(network["bn"])) if "bn" in network else spec


def _problems_of_all(context: Context, table: Table, name: str, items: Sequence[Item]) -> Iterator[Problem]:
    """What is wrong with rows that can all be read."""
    if not items:
        yield Problem("no-layers", f"no row is a layer of {name}", table.where("", "grid"))
    given = context.repeats.given
    wanted = context.network.get("blocks", given)
    if len(wanted) != len(given) or min(wanted, default=1) < 1:
        expected = f"{len(given)} whole numbers, one for each block that the table repeats"
        span = table.where_text("networks", name, "blocks")
        yield Problem("bad-value", f"blocks of {name} is {wanted}", span, expected)


def _no_such_column(table: Table, name: str, column: str) -> ArchscopeError:
    heads = _network_heads(table)
    if not column:
        message = f"{name} names no column, and every column is a network of its own"
        return TableError(Problem("missing-key", message, table.where("networks", name), ", ".join(heads)))
    return unknown_name("column", column, heads, table.where_text("networks", name, column))


def paper(table: Table) -> str:
    """How to cite the table in a few characters: ``arXiv:1409.1556, Table 1``."""
    prefixed = [f"{name}:{table.text(key)}" for key, name in (("arxiv", "arXiv"), ("doi", "doi")) if table.text(key)]
    reference = prefixed[0] if prefixed else table.text("url")
    return ", ".join(part for part in (reference, table.text("table")) if part)


def compile_items(values: Iterable[Any], extra: Iterable[type[Op]] = ()) -> tuple[Item, ...]:
    """Items written in Python: cells, ops, lists (one after another), ``{"join": "concat", "branches": [...]}``."""
    context = Context(None, {}, tuple(extra), [], count(1), Repeats())
    try:
        scoped = ((value, Scope(span=python_span(f"item {n}"))) for n, value in enumerate(values, 1))
        return tuple(item for value, scope in scoped for item in items_of(context, value, scope))
    except RecursionError as error:
        raise TableError(_too_deep(None)) from error


def _rows(context: Context, table: Table, column: str) -> list[Item]:
    """The items of all rows in order, each row's named as ``[names]`` says for its label."""
    items: list[Item] = []
    counts: dict[str, int] = {}
    rows = rows_of(table, context.repeats)
    for number, (row, label) in enumerate(rows, 1):
        cell = row[column] if column else label
        if not cell.text or _is_no_layer(context, cell.text) or _is_no_layer(context, label.text):
            continue
        try:
            scope = row_scope(context, row, label, cell, rows[number][0] if number < len(rows) else {})
            items = _with_row(context, items, row, label, cell, scope, counts)
        except ArchscopeError as error:
            context.problems.extend(located(error, cell.span).problems)
        except RecursionError:
            context.problems.append(_too_deep(cell.span))
        if context.problems and (
            len(context.problems) >= MOST_PROBLEMS or context.problems[-1].code == "too-many-items"
        ):
            break
    return items


def _too_deep(span: Span | None) -> Problem:
    return Problem("too-deep", "blocks are nested too deeply", span)


def _with_row(
    context: Context,
    items: list[Item],
    row: dict[str, Cell],
    label: Cell,
    cell: Cell,
    scope: Scope,
    counts: dict[str, int],
) -> list[Item]:
    """The items with those of a row: behind them, or within the last one where its block ``continues`` that."""
    value, scope = block_of_row(context, row, label, cell, scope) or (cell.text, scope)
    found = items_of(context, value, scope)
    if isinstance(value, Mapping) and value.get("continues"):
        last = items[-1] if items else None
        if not isinstance(last, Block):
            raise TableError(Problem("nothing-to-continue", "the row above is no block that a row could continue"))
        return [*items[:-1], last._replace(items=(*last.items, *found))]
    repeated = isinstance(value, Mapping) and "repeat" in value
    return [*items, *_named_row(context, found, (label.text, cell.text), scope.values, counts, repeated=repeated)]


def _network_heads(table: Table) -> list[str]:
    described = table.data.get("columns", {})
    return [head for head in table.grid.heads if head not in described]


def _is_no_layer(context: Context, text: str) -> bool:
    roles = context.section("rows").items()
    return bool(text) and any(match(template, text) is not None for template, role in roles if role != REPEATED)


def _named_row(
    context: Context,
    items: list[Item],
    texts: tuple[str, str],
    values: Mapping[str, str],
    counts: dict[str, int],
    *,
    repeated: bool,
) -> list[Item]:
    """A row's items with the name that ``[names]`` has for its label or cell, else the label as an identifier.

    A name with ``{n}`` counts up for each item. Under one without, several items are a block of that name, and so is
    what is repeated, be it once.
    """
    if not texts[0]:
        return items
    name = _pattern_of_row(context, texts, values) or _identifier(texts[0])
    if "{n}" not in name and (len(items) > 1 or repeated) and not any(item.name for item in items):
        items = [Block(tuple(items), numbered=True, span=items[0].span)]
    return [item if item.name else called(item, _counted(name, counts)) for item in items]


def _pattern_of_row(context: Context, texts: tuple[str, str], values: Mapping[str, str]) -> str:
    for template, name in context.section("names").items():
        for text in texts:
            found = match(template, text)
            if found is not None:
                return fill(str(name), {**values, **found, "n": "{n}"})
    return ""


def _counted(name: str, counts: dict[str, int]) -> str:
    """The name with its number: in place of ``{n}``, else from the second one on behind it."""
    counts[name] = counts.get(name, 0) + 1
    if "{n}" in name:
        return name.replace("{n}", str(counts[name]))
    return name if counts[name] == 1 else f"{name}_{counts[name]}"


def _identifier(label: str) -> str:
    return re.sub(r"\W+", "_", label.lower()).strip("_") or "network"


def _with_side_branches(context: Context, items: list[Item]) -> list[Item]:
    for number, branch in enumerate(context.section("side_branches")):
        section = f"side_branches[{number}]"
        try:
            inner = items_of(context, branch["layers"], Scope(section=section, key="layers"))
            loss_weight = float(branch.get("loss_weight", 0.0))
            block = Block(tuple(inner), name=branch["name"], kind="auxiliary head", side=True, loss_weight=loss_weight)
            items = _inserted(context, items, branch["after"], [block], (section, "after"))
        except ArchscopeError as error:
            context.problems.extend(error.problems)
    return items


def _with_insertions(context: Context, network: str, items: list[Item]) -> list[Item]:
    """The items with what this network has ``after`` some of them."""
    for after, values in context.network.get("after", {}).items():
        try:
            new = items_of(context, values, Scope(section="networks", key=network))
            items = _inserted(context, items, after, new, ("networks", network))
        except ArchscopeError as error:
            context.problems.extend(error.problems)
    return items


def _inserted(context: Context, items: list[Item], after: str, new: list[Item], where: tuple[str, str]) -> list[Item]:
    at = next((number for number, item in enumerate(items, 1) if item.name == after), 0)
    if not at:
        span = context.table.where_text(*where, after) if context.table is not None else None
        raise unknown_name("layer", after, [item.name for item in items if item.name], span)
    return [*items[:at], *new, *items[at:]]

"""Table -> Spec: reads the cells of one network and lays out the layers and blocks they stand for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from archscope.core.errors import ArchscopeError, Problem, TableError, located, unknown_name
from archscope.core.source import Span
from archscope.ops import Op
from archscope.spec.implied import with_implied
from archscope.spec.network import Block, Item, Layer, Spec
from archscope.spec.notation import read
from archscope.spec.table import Cell, Table, read_grid
from archscope.spec.template import fill, match, placeholders

Network = Mapping[str, Any]
"""What ``[networks]`` says of one: ``{column = "D", aliases = [...], after = {...}}``."""


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


def compile_table(table: Table, name: str, extra: Iterable[type[Op]] = ()) -> Spec:
    """The Spec of the network called ``name``. Raises TableError with all that is wrong in its rows at once."""
    network = networks(table)[name]
    context = _Context(table, network, tuple(extra), [])
    column = str(network.get("column", ""))
    if column and column not in table.grid.heads:
        raise unknown_name("column", column, table.grid.heads, table.where_text("networks", name, column))
    items = _rows(context, table, column)
    if not context.problems:
        items = _with_insertions(context, _with_side_branches(context, items))
    if context.problems:
        raise TableError(*context.problems)
    root = Block(tuple(_in_sections(table, items)), name=name)
    root = with_implied(root, table.data.get("implied", {}), context.extra)
    return Spec(
        name=name,
        root=root,
        input_shape=tuple(table.data["input"]),
        title=table.text("title"),
        paper=paper(table),
        table=table.source.name,
        column=column,
        aliases=tuple(network.get("aliases", ())),
        names=dict(table.data.get("names", {})),
        torchvision=str(network.get("torchvision", "")),
        headless=bool(network.get("headless", False)),
        transform_input=bool(network.get("transform_input", False)),
    )


def paper(table: Table) -> str:
    """How to cite the table in a few characters: ``arXiv:1409.1556, Table 1``."""
    reference = f"arXiv:{table.text('arxiv')}" if table.text("arxiv") else table.text("doi") or table.text("url")
    return ", ".join(part for part in (reference, table.text("table")) if part)


def compile_items(values: Iterable[Any], extra: Iterable[type[Op]] = ()) -> tuple[Item, ...]:
    """Items written in Python: cells, ops, lists (one after another), ``{"join": "concat", "branches": [...]}``."""
    context = _Context(None, {}, tuple(extra), [])
    return tuple(item for value in values for item in _items(context, value, _Scope()))


class _Scope(NamedTuple):
    """What a text is read in: values of placeholders and their cells, and where the text itself stands."""

    values: Mapping[str, str] = {}
    cells: Mapping[str, Span] = {}
    span: Span | None = None
    section: str = ""
    key: str = ""
    within: tuple[str, ...] = ()
    bare: bool = False


class _Context(NamedTuple):
    """The table being compiled, and the problems found so far."""

    table: Table | None
    network: Network
    extra: tuple[type[Op], ...]
    problems: list[Problem]

    def section(self, key: str) -> Any:
        empty: Any = [] if key in {"blocks", "side_branches"} else {}
        return self.table.data.get(key, empty) if self.table is not None else empty


def _rows(context: _Context, table: Table, column: str) -> list[Item]:
    """The items of all rows in order, each row's named as ``[names]`` says for its label."""
    items: list[Item] = []
    counts: dict[str, int] = {}
    for row in table.grid.rows:
        label = _label(table, row)
        cell = row[column] if column else label
        if not cell.text or _is_no_layer(context, cell.text) or _is_no_layer(context, label.text):
            continue
        try:
            items.extend(_row_items(context, row, label, cell, counts))
        except ArchscopeError as error:
            context.problems.extend(located(error, cell.span).problems)
    return items


def _row_items(context: _Context, row: dict[str, Cell], label: Cell, cell: Cell, counts: dict[str, int]) -> list[Item]:
    scope = _row_scope(context, row, label, cell)
    block = _block_of_row(context, row, label) if cell is label else None
    if block is None:
        found = _items(context, cell.text, scope)
    else:
        values, theirs = block
        scope = scope._replace(values={**scope.values, **theirs.values}, section=theirs.section, key=theirs.key)
        found = _items(context, values, scope)
    return [_named_by_label(context, item, label.text, counts) for item in found]


def _row_scope(context: _Context, row: dict[str, Cell], label: Cell, cell: Cell) -> _Scope:
    """Values of the row's placeholders: every field by its head, and what ``[columns]`` takes apart."""
    columns = context.section("columns")
    values: dict[str, str] = {}
    cells: dict[str, Span] = {}
    for head, its in row.items():
        role = columns.get(head, "field")
        template = role if isinstance(role, str) else str(role.get("cell", ""))
        parts = {head: its.text}
        if "{" in template and its.text:
            parts |= _taken_apart(template, its)
        values |= parts
        cells |= dict.fromkeys(parts, its.span)
    place = cell.span.place if cell is not label else f"{cell.span.place.split(',')[0]}, {label.text!r}"
    return _Scope(values, cells, cell.span.at(place))


def _taken_apart(template: str, cell: Cell) -> dict[str, str]:
    found = match(template, cell.text)
    if found is None:
        raise TableError(Problem("unreadable-cell", f"cannot read {cell.text!r}", cell.span, expected=template))
    return found


def _label(table: Table, row: dict[str, Cell]) -> Cell:
    labels = [head for head, role in table.data.get("columns", {}).items() if role == "label" and head in row]
    return row[labels[0]] if labels else Cell("", next(iter(row.values())).span)


def _network_heads(table: Table) -> list[str]:
    described = table.data.get("columns", {})
    return [head for head in table.grid.heads if head not in described]


def _is_no_layer(context: _Context, text: str) -> bool:
    return bool(text) and any(match(template, text) is not None for template in context.section("rows"))


def _block_of_row(context: _Context, row: dict[str, Cell], label: Cell) -> tuple[Mapping[str, Any], _Scope] | None:
    """The ``[[blocks]]`` entry for a row: its label fits, and all cells it wants filled are; the choosiest wins."""
    fitting = []
    for number, block in enumerate(context.section("blocks")):
        found = match(block["row"], label.text) if "row" in block and label.text else None
        filled = block.get("filled", [])
        if found is not None and all(head in row and row[head].text for head in filled):
            fitting.append((len(filled), number, block, found))
    if not fitting:
        return None
    _, number, block, found = max(fitting, key=lambda entry: (entry[0], -entry[1]))
    return block, _Scope(values=found, section=f"blocks[{number}]", key="branches" if "branches" in block else "layers")


def _items(context: _Context, value: Any, scope: _Scope) -> list[Item]:
    """The items that a value stands for: a cell's text, an op, a list, or a table of branches."""
    if isinstance(value, str):
        return _items_of_text(context, value, scope)
    if isinstance(value, Op):
        return [Layer(value, span=scope.span, bare=scope.bare)]
    if isinstance(value, Layer | Block):
        return [value]
    if isinstance(value, list | tuple):
        return [item for each in value for item in _items(context, each, scope)]
    if isinstance(value, Mapping):
        return _items_of_block(context, value, scope._replace(bare=scope.bare or value.get("implied") is False))
    raise TableError(Problem("not-an-item", f"{value!r} is no cell, op, list or table of branches", scope.span))


def _items_of_block(context: _Context, block: Mapping[str, Any], scope: _Scope) -> list[Item]:
    name = str(block.get("name", ""))
    kind = name or (str(block.get("row", "")).split("{")[0].strip(" (") if "row" in block else "")
    if "connections" in block:
        return [_connected(context, block, scope, kind)]
    if "branches" not in block:
        return _items(context, block.get("layers", []), scope)
    join = read(str(block.get("join", "concat")), context.extra)
    branches = []
    for number, branch in enumerate(block["branches"], 1):
        items = _items(context, branch, scope)
        branches.append(_as_one(items, f"branch{number}"))
    return [Block(tuple(branches), kind=kind, join=join, span=scope.span)]


def _as_one(items: list[Item], name: str) -> Item:
    """A branch: its single item, or its items as a numbered block. An explicit name stays."""
    if len(items) == 1:
        return replace(items[0], name=items[0].name or name)
    return Block(tuple(items), name=name, numbered=not any(item.name for item in items))


def _connected(context: _Context, block: Mapping[str, Any], scope: _Scope, kind: str) -> Block:
    """One copy of ``layers`` for each output map of a connection table, on the input maps marked for it."""
    if context.table is None:
        raise TableError(Problem("no-grid", "connections are a grid of a table file, and this is none", scope.span))
    from archscope.spec.connections import connected_channels

    grid = read_grid(context.table.source, scope.section, str(block["connections"]), key="connections")
    concat = read("concat")
    branches = []
    for number, runs in enumerate(connected_channels(grid)):
        parts = [Layer(read(f"slice{start}:{stop}"), span=scope.span) for start, stop in runs]
        seen = replace(parts[0], name="maps") if len(parts) == 1 else Block(tuple(parts), join=concat, name="maps")
        branches.append(Block((seen, *_items(context, block["layers"], scope)), name=f"map{number}"))
    return Block(tuple(branches), kind=kind, join=concat, span=scope.span)


def _items_of_text(context: _Context, text: str, scope: _Scope) -> list[Item]:
    try:
        name, colon, rest = text.partition(": ")
        name = fill(name, scope.values) if colon and "{" in name else name
        if colon and name.isidentifier():
            items = _items_of_text(context, rest.strip(), scope)
            return [replace(_as_one(items, name), name=name)]
        cell = fill(text, scope.values) if "{" in text else text
        return _items_of_cell(context, cell, scope)
    except ArchscopeError as error:
        raise located(error, _place(context, text, scope)) from error


def _items_of_cell(context: _Context, cell: str, scope: _Scope) -> list[Item]:
    if len(scope.within) > 20 or cell in scope.within:
        raise TableError(
            Problem("refers-to-itself", f"{cell!r} is made of itself: {' → '.join([*scope.within, cell])}")
        )
    for template, value in context.section("notation").items():
        found = match(template, cell)
        if found is not None:
            inner = scope._replace(values={**scope.values, **found}, section="notation", key=template)
            return _items(context, value, inner._replace(within=(*scope.within, cell)))
    for number, block in enumerate(context.section("blocks")):
        if block.get("name") == cell:
            key = "branches" if "branches" in block else "layers"
            inner = scope._replace(section=f"blocks[{number}]", key=key, within=(*scope.within, cell))
            return _items(context, block, inner)
    return [Layer(read(cell, context.extra), text=cell, span=scope.span, bare=scope.bare)]


def _place(context: _Context, text: str, scope: _Scope) -> Span | None:
    """Where to point when ``text`` cannot be read: the odd cell that filled it, else the text itself."""
    used = [name for name in placeholders(text) if name in scope.cells]
    odd = [name for name in used if not scope.values[name].isdigit() or not int(scope.values[name])]
    if used:
        return scope.cells[odd[0]] if odd else scope.span
    if context.table is not None and scope.section:
        return context.table.where_text(scope.section, scope.key, text).at(scope.span.place if scope.span else "")
    return scope.span


def _named_by_label(context: _Context, item: Item, label: str, counts: dict[str, int]) -> Item:
    """The item with the name that ``[names]`` has for the row's label, else the label as an identifier."""
    if not label or item.name:
        return item
    for template, name in context.section("names").items():
        found = match(template, label)
        if found is not None:
            counts[template] = counts.get(template, 0) + 1
            return replace(item, name=fill(name, {**found, "n": str(counts[template])}))
    plain = _identifier(label)
    counts[plain] = counts.get(plain, 0) + 1
    return replace(item, name=plain if counts[plain] == 1 else f"{plain}_{counts[plain]}")


def _identifier(label: str) -> str:
    return re.sub(r"\W+", "_", label.lower()).strip("_")


def _with_side_branches(context: _Context, items: list[Item]) -> list[Item]:
    for number, branch in enumerate(context.section("side_branches")):
        section = f"side_branches[{number}]"
        try:
            inner = _items(context, branch["layers"], _Scope(section=section, key="layers"))
            loss_weight = float(branch.get("loss_weight", 0.0))
            block = Block(tuple(inner), name=branch["name"], kind="auxiliary head", side=True, loss_weight=loss_weight)
            items = _inserted(context, items, branch["after"], [block], section)
        except ArchscopeError as error:
            context.problems.extend(error.problems)
    return items


def _with_insertions(context: _Context, items: list[Item]) -> list[Item]:
    """The items with what this network has ``after`` some of them."""
    for after, values in context.network.get("after", {}).items():
        try:
            items = _inserted(context, items, after, _items(context, values, _Scope()), "networks")
        except ArchscopeError as error:
            context.problems.extend(error.problems)
    return items


def _inserted(context: _Context, items: list[Item], after: str, new: list[Item], section: str) -> list[Item]:
    at = next((number for number, item in enumerate(items, 1) if item.name == after), 0)
    if not at:
        span = context.table.where(section, "after") if context.table is not None else None
        raise unknown_name("layer", after, [item.name for item in items if item.name], span)
    return [*items[:at], *new, *items[at:]]


def _in_sections(table: Table, items: list[Item]) -> list[Item]:
    """Items grouped as ``[sections]`` says: each section begins at the first layer with its cell's text."""
    grouped = items
    for name, first in reversed(table.data.get("sections", {}).items()):
        at = next((n for n, item in enumerate(grouped) if isinstance(item, Layer) and item.text == first), None)
        if at is None:
            continue
        tail = [item for item in grouped[at:] if not (isinstance(item, Block) and item.section)]
        later = [item for item in grouped[at:] if isinstance(item, Block) and item.section]
        grouped = [*grouped[:at], Block(tuple(tail), name=name, section=True, numbered=True), *later]
    return grouped

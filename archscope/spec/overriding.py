"""Cells that a caller sets: ``{"inception (4a).#3×3": "192"}``. A cell is compiled as if that were printed.

A cell is named by its row and its column, ``row.column``: the row by its label or by its number (``row 5.D``, counted
as errors count them), the column by its head. A layer that a cell spells out goes by its name as well (``conv3_2``). An
empty text is an empty cell: no layer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from archscope.core.errors import ArchscopeError, Problem, UsageError, nearest
from archscope.spec.compiler import compile_table, networks
from archscope.spec.mending import settled
from archscope.spec.naming import named
from archscope.spec.network import Block, Layer, made_of
from archscope.spec.rows import label_of
from archscope.spec.table import Cell, Table

if TYPE_CHECKING:
    from archscope.ops import Op


class _Place(NamedTuple):
    """A cell of a grid: the number of its row, from 0, and its head."""

    row: int
    head: str


def with_cells(
    table: Table, network: str, cells: Mapping[str, str], extra: tuple[type[Op], ...] = (), *, checks: bool = True
) -> Table:
    """The table with the texts that a caller gives for cells of one of its networks. extra: op classes of the caller.

    Raises UsageError for a name that is no cell, or several, and for a cell that the network is not made of; TableError
    at a cell whose new text cannot be read. checks: whether to look if the network is made of them, which takes time.
    """
    plain = settled(table)
    changed = plain
    for name, text in cells.items():
        place = _cell(plain, network, name) or _layers_cell(plain, network, name, extra)
        before = made_of(compile_table(changed, network, extra).root) if checks else None
        cell = plain.grid.rows[place.row][place.head]
        changed = _with_text(changed, place, Cell(text, cell.span.at(f"{cell.span.place}, set to {text!r}")))
        if checks and text != cell.text and made_of(compile_table(changed, network, extra).root) == before:
            message = f"{name}={text} changes nothing: {network} is not made of this cell"
            raise UsageError(Problem("no-effect", message, cell.span))
    return changed


def check_cell(table: Table, network: str, name: str, texts: Iterable[str] = ()) -> None:
    """Raises UsageError for a name that is no cell of a network, or several, and for texts of which none changes it."""
    plain = settled(table)
    place = _cell(plain, network, name) or _layers_cell(plain, network, name, ())
    idle: UsageError | None = None
    for text in texts:
        if text == _at(plain, place).text:
            continue
        try:
            with_cells(table, network, {name: text})
        except UsageError as error:
            idle = error
        except ArchscopeError:
            return  # not read as it is, so it matters
        else:
            return
    if idle is not None:
        raise idle


def cells_of(table: Table, network: str) -> dict[str, str]:
    """The cells that may hold layers of a network, by how a caller names them, with their texts."""
    plain = settled(table)
    mine = str(networks(table)[network].get("column", ""))
    places = [_Place(n, head) for n, row in enumerate(plain.grid.rows) for head in row if head == mine or not mine]
    return {_spelled(plain, place): _at(plain, place).text for place in places if _is_set(plain, place)}


def _with_text(table: Table, place: _Place, cell: Cell) -> Table:
    rows = list(table.grid.rows)
    rows[place.row] = {**rows[place.row], place.head: cell}
    return table._replace(grid=table.grid._replace(rows=tuple(rows)))


def _cell(table: Table, network: str, name: str) -> _Place | None:
    """The cell that ``row.column`` names; None where neither side of a point is a row or a column."""
    splits = [(name[:at].strip(), name[at + 1 :].strip()) for at, character in enumerate(name) if character == "."]
    heads = {_plain(head): head for head in table.grid.heads}
    for row, head in splits:
        rows = _rows(table, row)
        if _plain(head) in heads:
            return _Place(_the_row(table, name, row, rows), _own_head(table, network, name, heads[_plain(head)]))
        if rows:
            expected = ", ".join(table.grid.heads)
            message = f"{name!r}: no column is called {head!r}"
            raise UsageError(Problem("unknown-column", message, None, expected, nearest(head, table.grid.heads)))
    return None


def _rows(table: Table, row: str) -> list[int]:
    """The numbers of the rows, from 0, that have a label, or the number of one as errors count it."""
    labels = _labels(table)
    numbers = [n for n, label in enumerate(labels) if label and _plain(label) == _plain(row)]
    word, _, number = row.partition(" ")
    counted = word.lower() == "row" and number.isdecimal() and 1 <= int(number[:6]) <= len(labels)
    return numbers or ([int(number) - 1] if counted else [])


def _the_row(table: Table, name: str, row: str, numbers: list[int]) -> int:
    labels = _labels(table)
    if not numbers:
        known = [*(label for label in dict.fromkeys(labels) if label), f"row 1 to row {len(labels)}"]
        message = f"{name!r}: no row is called {row!r}"
        raise UsageError(Problem("unknown-row", message, None, ", ".join(known), nearest(row, labels)))
    if len(numbers) > 1:
        which = ", ".join(f"row {n + 1}" for n in numbers)
        message = f"{name!r}: {len(numbers)} rows are called {labels[numbers[0]]!r}"
        raise UsageError(Problem("ambiguous-row", message, None, which, "name the row by its number"))
    return numbers[0]


def _own_head(table: Table, network: str, name: str, head: str) -> str:
    """The head, if it is no other network's."""
    mine = str(networks(table)[network].get("column", ""))
    others = [other for other, entry in networks(table).items() if str(entry.get("column", "")) == head]
    if others and head != mine:
        message = f"{name!r} is a cell of {others[0]}, and {network} stands in column {mine}"
        raise UsageError(Problem("other-network", message))
    return head


def _layers_cell(table: Table, network: str, name: str, extra: tuple[type[Op], ...]) -> _Place:
    """The cell that spells out the layer of that name."""
    layers = dict(_named_layers(named(compile_table(table, network, extra)).root, ""))
    mine = str(networks(table)[network].get("column", ""))
    places = [_Place(n, head) for n, row in enumerate(table.grid.rows) for head in row if head == mine or not mine]
    if name not in layers:
        cells = [_spelled(table, place) for place in places if _is_set(table, place)]
        example = next((cell for cell in cells if not cell.startswith("row ")), cells[0])
        expected = f"a row and a column, such as {example!r}, or the name of a layer that a cell spells out"
        help_line = nearest(name, [*cells, *layers])
        raise UsageError(Problem("unknown-cell", f"no cell is called {name!r}", None, expected, help_line))
    layer = layers[name]
    here = [place for place in places if layer.span is not None and _at(table, place).span[1:3] == layer.span[1:3]]
    if here and _at(table, here[0]).text == layer.text:
        return here[0]
    message = f"{name} is no cell of its own"
    helps = f"it comes from {_spelled(table, here[0])!r}, which holds {_at(table, here[0]).text!r}" if here else ""
    raise UsageError(Problem("no-cell", message, layer.span, help=helps))


def _named_layers(block: Block, prefix: str) -> Iterator[tuple[str, Layer]]:
    """The layers of a named block by the names that summaries print."""
    for item in block.items:
        if isinstance(item, Layer):
            yield prefix + item.name, item
        elif item.inline:
            yield from _named_layers(item, prefix)
        else:
            yield from _named_layers(item, prefix if item.section else f"{prefix}{item.name}.")


def _at(table: Table, place: _Place) -> Cell:
    return table.grid.rows[place.row][place.head]


def _is_set(table: Table, place: _Place) -> bool:
    """Whether a cell holds something that a network may be made of."""
    role = table.data.get("columns", {}).get(place.head, "field")
    return bool(_at(table, place).text) and role != "label" and (isinstance(role, str) or "cell" in role)


def _labels(table: Table) -> list[str]:
    return [label_of(table, each).text for each in table.grid.rows]


def _spelled(table: Table, place: _Place) -> str:
    """How a caller names a cell: by its row's label where only that row has it, else by its number."""
    labels = _labels(table)
    label = labels[place.row]
    return f"{label if label and labels.count(label) == 1 else f'row {place.row + 1}'}.{place.head}"


def _plain(text: str) -> str:
    """A name as it is compared: case and blanks aside, × for x."""
    return "".join(text.lower().split()).replace("×", "x")

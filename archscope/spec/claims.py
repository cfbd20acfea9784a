"""Claims: every number that a table prints, or that another source prints about its networks, with its place.

The columns and rows of the grid that are declared ``published``, and the ``[[published]]`` sections below it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from archscope.core.errors import Problem, TableError, nearest
from archscope.core.printed import Printed, number
from archscope.core.source import Span
from archscope.spec.compiler import networks
from archscope.spec.options import Options
from archscope.spec.table import Cell, Table, read_grid
from archscope.spec.template import match

TOTAL = "TOTAL"
"""The row that an erratum names for a number about a whole network."""


class Claim(NamedTuple):
    """A printed number about a network.

    lines: the lines of the file whose layers it is about; None for the whole network, ``(0,)`` for its input.
    row, column, source: as an erratum names them; the source is empty for the table itself. thousand: 1024 where the
    table says so, 0 where it does not. significant: how many digits the source prints. changes: options under which it
    is printed (``width``, ``input_size``).
    """

    network: str
    quantity: str
    text: str
    lines: tuple[int, ...] | None
    row: str
    column: str
    source: str = ""
    unit: str = ""
    thousand: int = 0
    significant: int | None = None
    span: Span | None = None
    changes: tuple[tuple[str, Any], ...] = ()

    @property
    def where(self) -> str:
        """The quantity and its place, in words."""
        place = "total" if self.row == TOTAL else self.row
        return f"{self.quantity} of {place}" + (f" ({self.source})" if self.source else "")

    def printed(self) -> Printed:
        """The number in the cell. Raises TableError at the cell for what is none."""
        return number(self.text, self.unit, self.span)


def claims_of(table: Table) -> Iterator[Claim]:
    """All claims of a table. Raises TableError at a cell that is declared published and holds no number."""
    yield from _of_columns(table)
    yield from _of_rows(table)
    for index, section in enumerate(table.data.get("published", [])):
        yield from _of_section(table, index, section)


def papers_networks(table: Table) -> dict[str, str]:
    """For each column the network that is the paper's own: the first one declared. A row-wise table's column is ''."""
    own: dict[str, str] = {}
    for name, entry in networks(table).items():
        own.setdefault(str(entry.get("column", "")), name)
    return own


def label_at(table: Table, line: int) -> str:
    """The label of the row on a line of the file; empty where no row is."""
    rows = (row for row in table.grid.rows if next(iter(row.values())).span.line == line)
    return next((_row_name(table, row) for row in rows), "")


def _of_columns(table: Table) -> Iterator[Claim]:
    for head, role in table.data.get("columns", {}).items():
        if not isinstance(role, Mapping) or "published" not in role:
            continue
        groups = _last_of_label(table) if role["published"] == "output" else {}
        for index, row in enumerate(table.grid.rows):
            cell = row.get(head)
            if cell is None or not cell.text or groups.get(index, index) != index:
                continue
            for column, network in papers_networks(table).items():
                if column and not row[column].text:
                    continue
                lines = (0,) if _is_input(table, row) else (cell.span.line,)
                yield Claim(
                    network, str(role["published"]), cell.text, lines, _row_name(table, row), head,
                    unit=str(role.get("unit", "")), thousand=int(role.get("K", 0)), span=cell.span,
                )  # fmt: skip


def _last_of_label(table: Table) -> dict[int, int]:
    """For each row the last of the neighbouring rows that share its label: a printed size is theirs together."""
    rows = table.grid.rows
    last: dict[int, int] = {}
    for index in reversed(range(len(rows))):
        follows = index + 1 < len(rows) and _row_name(table, rows[index]) == _row_name(table, rows[index + 1])
        spans = follows and bool(_network_columns(table))
        last[index] = last[index + 1] if spans else index
    return last


def _network_columns(table: Table) -> list[str]:
    return [column for column in papers_networks(table) if column]


def _of_rows(table: Table) -> Iterator[Claim]:
    """Rows that are no layers: numbers in a pattern (``{weight_layers} weight layers``), or cells of one quantity."""
    for template, role in table.data.get("rows", {}).items():
        if not str(role).startswith("published"):
            continue
        quantity = str(role).partition(":")[2].strip()
        for row in table.grid.rows:
            for column, network in papers_networks(table).items():
                head = column or _label_head(table) or table.grid.heads[0]
                if row[head].text:
                    yield from _row_claims(table, template, quantity, row, head, network)


def _row_claims(
    table: Table, template: str, quantity: str, row: dict[str, Cell], head: str, network: str
) -> Iterator[Claim]:
    name, cell = _row_name(table, row), row[head]
    if quantity and match(template, name) is not None and cell.text != name:
        yield Claim(network, quantity, cell.text, None, name, head, span=cell.span)
    elif not quantity:
        for found, text in (match(template, cell.text) or {}).items():
            lines = (0,) if found == "input" else None
            yield Claim(network, found, text, lines, cell.text, head, span=cell.span)


def _of_section(table: Table, index: int, section: Mapping[str, Any]) -> Iterator[Claim]:
    source = str(section["source"])
    place = f"published[{index}]"
    unit, significant = str(section.get("unit", "")), section.get("digits")
    thousand = int(section.get("K", 0))
    for quantity, text in section.get("totals", {}).items():
        span = table.where_text(place, "totals", str(text))
        network = _network(table, section, place)
        yield Claim(network, quantity, str(text), None, TOTAL, quantity, source, unit, thousand, significant, span)
    if "grid" not in section:
        return
    columns = section.get("columns", {})
    plain = Claim("", "", "", None, "", "", source, unit, thousand, significant)
    rows = section.get("rows", {})
    grid = read_grid(table.source, place, section["grid"])
    label = section.get("label", grid.heads[0])
    for index_, row in enumerate(grid.rows):
        first = row[label].text
        for head, cell in row.items():
            claim = plain._replace(text=cell.text, row=first, column=head, span=cell.span)
            role = columns.get(head)
            if not cell.text or role is None:
                continue
            if isinstance(role, str) and not rows:
                network = _network(table, section, place)
                yield claim._replace(network=network, quantity=role, lines=(-1 - index_,))
            elif isinstance(role, str) and first in rows:
                yield _of_row(table, section, place, claim._replace(quantity=role))
            elif first in rows:
                yield from (claim._replace(network=name, quantity=str(rows[first])) for name in role)


def _of_row(table: Table, section: Mapping[str, Any], place: str, claim: Claim) -> Claim:
    """A claim with what ``rows`` says its row is about: a network, layers of it, options. Raises TableError."""
    its = section["rows"][claim.row]
    entry: Mapping[str, Any] = {"network": its} if isinstance(its, str) else its
    lines, changes = None, list[tuple[str, Any]]()
    for key, value in entry.items():
        if key == "where":
            lines = _rows_where(table, value, place)
        elif key in Options.__dataclass_fields__:
            changes.append((key, _settled(value)))
        elif key != "network":
            expected = ", ".join(("network", "where", *Options.__dataclass_fields__))
            message, span = f"{key!r} means nothing here", table.where_text(f"{place}.rows", claim.row, key)
            raise TableError(
                Problem("unknown-key", message, span, expected, nearest(key, Options.__dataclass_fields__))
            )
    network = _network(table, {**section, **entry}, place)
    return claim._replace(network=network, lines=lines, changes=tuple(changes))


def _settled(value: Any) -> Any:
    """A value of a file as one that can be compared and kept: lists as tuples, tables as tuples of pairs."""
    if isinstance(value, Mapping):
        return tuple(value.items())
    return tuple(value) if isinstance(value, list) else value


def _rows_where(table: Table, where: Mapping[str, str], place: str) -> tuple[int, ...]:
    """The lines of the rows of the grid whose cells fit the templates. Raises TableError where none does."""
    for head in where:
        if head not in table.grid.heads:
            expected = ", ".join(table.grid.heads)
            message, span = f"no column is called {head!r}", table.where(f"{place}.rows")
            raise TableError(Problem("unknown-column", message, span, expected, nearest(head, table.grid.heads)))
    lines = tuple(
        next(iter(row.values())).span.line
        for row in table.grid.rows
        if all(match(template, row[head].text) is not None for head, template in where.items())
    )
    if not lines:
        wanted = ", ".join(f"{head} = {template!r}" for head, template in where.items())
        raise TableError(Problem("no-row", f"no row of the grid has {wanted}", table.where(f"{place}.rows")))
    return lines


def _network(table: Table, section: Mapping[str, Any], place: str) -> str:
    name = str(section.get("network", ""))
    if name not in networks(table):
        known = ", ".join(networks(table))
        raise TableError(Problem("unknown-network", f"{name!r} is no network of this table", table.where(place), known))
    return name


def _row_name(table: Table, row: dict[str, Cell]) -> str:
    head = _label_head(table)
    return row[head].text if head else next(iter(row.values())).text


def _label_head(table: Table) -> str:
    columns = table.data.get("columns", {})
    return next((head for head in table.grid.heads if columns.get(head) == "label"), "")


def _is_input(table: Table, row: dict[str, Cell]) -> bool:
    return _row_name(table, row).lower().startswith("input")

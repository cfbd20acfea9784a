"""``archscope show vgg``."""

from __future__ import annotations

from typing import Annotated

import typer

from archscope import catalog, commands
from archscope.commands import FormatFlag, OutputFlag
from archscope.core.errors import unknown_name
from archscope.formats import Field, Sheet
from archscope.spec.compiler import networks, paper
from archscope.spec.table import Cell, Table


def show(
    table: Annotated[str, typer.Argument(help="A table (vgg), a network of it (vgg16) or a file.")],
    network: Annotated[
        str | None, typer.Option("--network", help="Only this column: a head or a network's name.")
    ] = None,
    format_: FormatFlag = None,
    output: OutputFlag = None,
) -> None:
    """A paper's table as the paper prints it.

    Examples:

        archscope show vgg

        archscope show vgg --network D

        archscope show googlenet
    """
    found = catalog.table_at(table)
    heads = list(found.grid.heads)
    marked = None if network is None else _column(found, network)
    fields = tuple(
        Field(head, f"[{head}]" if head == marked else head, keep=0 if head == marked else n)
        for n, head in enumerate(heads)
    )
    rows = tuple(tuple(_cell(row, heads, n, marked) for n in range(len(heads))) for row in found.grid.rows)
    notes = [note for note in (found.text("note"),) if note]
    if marked is not None:
        notes.append(f"[{marked}] is the column of {network}")
    title = " · ".join(part for part in (found.text("title"), paper(found)) if part)
    data = {
        "title": found.text("title"),
        "source": paper(found),
        "heads": heads,
        "rows": [[row[head].text for head in heads] for row in found.grid.rows],
        "networks": {name: dict(entry) for name, entry in networks(found).items()},
    }
    commands.emit(Sheet("table", title, fields, rows, notes=tuple(notes), data=data), format_, output)


def _column(table: Table, network: str) -> str:
    by_name = {name: str(entry.get("column", "")) for name, entry in networks(table).items()}
    column = by_name.get(network, network)
    if column not in table.grid.heads:
        raise unknown_name("column", network, [*table.grid.heads, *by_name])
    return column


def _cell(row: dict[str, Cell], heads: list[str], n: int, marked: str | None) -> str:
    """A cell's text; one that spans columns is printed once, in the first, or in the marked one."""
    cell = row[heads[n]]
    spanned = [index for index, head in enumerate(heads) if row[head].span.column == cell.span.column]
    shown = heads.index(marked) if marked is not None and heads.index(marked) in spanned else spanned[0]
    return cell.text if n == shown else ""

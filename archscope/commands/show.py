"""``archscope show vgg``."""

from __future__ import annotations

from typing import Annotated

import typer

from archscope import catalog, commands
from archscope.api.papers import beside as beside_text
from archscope.api.papers import findings_by_place
from archscope.commands import ForceFlag, FormatFlag, OutputFlag
from archscope.core.errors import Problem, UsageError
from archscope.evidence import Finding
from archscope.formats import Field, Sheet, Spanning
from archscope.spec.compiler import networks, paper
from archscope.spec.table import Cell, Table


def show(
    table: Annotated[str, typer.Argument(help="A table (vgg), a network of it (vgg16) or a file.", metavar="TABLE")],
    network: Annotated[
        str | None,
        typer.Option("--network", help="Mark a column, by its head or its network's name.", metavar="NAME"),
    ] = None,
    computed: Annotated[
        bool, typer.Option("--computed", help="Set computed values beside printed ones, and mark refuted cells.")
    ] = False,
    format_: FormatFlag = None,
    output: OutputFlag = None,
    force: ForceFlag = False,
) -> None:
    """A paper's table as the paper prints it.

    Examples:

        archscope show vgg

        archscope show vgg --network D

        archscope show googlenet

        archscope show googlenet --computed
    """
    found = catalog.table_at(table)
    beside = findings_by_place(table, found) if computed else {}
    heads = list(found.printed().heads)
    marked = None if network is None else _column(found, network)
    fields = tuple(_field(found, head, n, marked) for n, head in enumerate(heads))
    notes = [note for note in (found.text("note"),) if note]
    notes += (
        ["in parentheses: computed; ✓: the same; ✗: arithmetic refutes what is printed (archscope check says why)"]
        if computed
        else []
    )
    closing = [f"[{marked}] is {network}" if network != marked else f"[{marked}] is marked"] if marked else []
    data = {
        "title": found.text("title"),
        "source": paper(found),
        "heads": heads,
        "rows": [[row[head].text for head in heads] for row in found.printed().rows],
        "networks": {name: dict(entry) for name, entry in networks(found).items()},
    }
    sheet = Sheet(
        name="table",
        title=" · ".join(part for part in (found.text("title"), paper(found)) if part),
        fields=fields,
        rows=tuple(_cells(row, heads, beside) for row in found.printed().rows),
        notes=tuple(notes),
        closing=tuple(closing),
        data=data,
    )
    commands.emit(sheet, format_, output, force=force)


def _field(table: Table, head: str, n: int, marked: str | None) -> Field:
    """A narrow terminal gives up the last columns first, but never the label or the marked one."""
    if head == marked:
        return Field(head, f"[{head}]")
    return Field(head, head, keep=0 if table.data.get("columns", {}).get(head) == "label" else n + (marked is not None))


def _column(table: Table, network: str) -> str:
    """The head that ``--network`` means. Raises UsageError where rows, not columns, make the network."""
    by_name: dict[str, str] = {}
    for name, entry in networks(table).items():
        column = str(entry.get("column", ""))
        by_name |= dict.fromkeys((name, *entry.get("aliases", ()), column), column)
    if not any(by_name.values()):
        message = f"{table.source.name} has a row per layer: all of it is one network, and no column is"
        raise UsageError(Problem("bad-value", message, help="leave --network out"))
    if not by_name.get(network):
        expected = ", ".join(each for each in by_name if each)
        raise UsageError(Problem("unknown-network", f"no column is called {network!r}", expected=expected))
    return by_name[network]


def _cells(row: dict[str, Cell], heads: list[str], beside: dict[tuple[int, int], Finding]) -> tuple[str, ...]:
    """The texts of a row; one that spans columns is the same object in each."""
    texts: dict[int, str] = {}
    columns = [row[head].span.column for head in heads]
    for head, column in zip(heads, columns, strict=True):
        text = beside_text(row[head].text, beside.get((row[head].span.line, column)))
        texts.setdefault(column, Spanning(text) if columns.count(column) > 1 else text)
    return tuple(texts[column] for column in columns)

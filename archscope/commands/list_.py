"""``archscope list``."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from archscope import catalog
from archscope.api.networks import lower
from archscope.commands import ForceFlag, FormatFlag, OutputFlag, emit
from archscope.core.errors import ArchscopeError, Problem, TableError, UnknownName, nearest
from archscope.core.records import Setting
from archscope.formats import Field, Sheet
from archscope.spec.compiler import networks, paper
from archscope.studies.profiling import profile_graph

FIELDS = (
    Field("network", "network"),
    Field("table", "table", heading=True),
    Field("input", "input", "shape", keep=2),
    Field("params", "params", "count"),
    Field("paper", "paper", heading=True),
    Field("title", "title", heading=True),
    Field("note", "note", keep=1, least=16),
)

Row = tuple[str, str, tuple[int, ...], int, str, str, str]


def list_(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            help="Only networks in whose name, table, paper or title one of these stands.", metavar="WORD..."
        ),
    ] = None,
    format_: FormatFlag = None,
    output: OutputFlag = None,
    force: ForceFlag = False,
) -> None:
    """The networks there are, each with its paper, input and params.

    A table that cannot be read does not hide the others: it is reported behind them, and the exit code is 1.

    Examples:

        archscope list

        archscope list vgg

        archscope list --format csv -o networks.csv
    """
    rows, problems = _rows(words or [])
    tables = [row[1] for row in rows]
    headings = {n: _heading(row) for n, row in enumerate(rows) if n == tables.index(row[1])}
    names = [each.name for each in FIELDS]
    data = {"networks": [dict(zip(names, row, strict=True)) for row in rows]}
    notes = (
        "params: learnable numbers, auxiliary heads not counted",
        f"next: archscope summary {rows[0][0]}, or archscope show {rows[0][1]} for a table as the paper prints it",
    )
    title = f"{len(rows)} network{'s' * (len(rows) != 1)} in {len(headings)} table{'s' * (len(headings) != 1)}"
    emit(
        Sheet("list", title, FIELDS, tuple(rows), notes=notes, data=data, headings=headings),
        format_,
        output,
        force=force,
    )
    if problems:
        raise TableError(*problems)


def _rows(words: list[str]) -> tuple[list[Row], list[Problem]]:
    """A row per network in which one of the words stands, all of them for none; and what is wrong with the others.

    Raises UnknownName without any network, TableError where only broken tables are left.
    """
    rows: list[Row] = []
    known, problems = catalog.readable()
    for name, entry in known.items():
        table, title, source = entry.table.source.name, entry.table.text("title"), paper(entry.table)
        stem = table.rpartition("/")[2].removesuffix(".toml")
        if words and not any(_has(f"{name} {stem} {title} {source}", word) for word in words):
            continue
        try:
            graph = lower(name)
        except ArchscopeError as error:
            problems.extend(error.problems)
            continue
        total = profile_graph(graph, Setting(), ("params",)).totals["params"].value
        note = str(networks(entry.table)[name].get("note", ""))
        rows.append((name, stem, graph.tensors[graph.inputs[0]].shape[1:], total, source, title, note))
    if not rows and problems:
        raise TableError(*problems)
    if not rows:
        message = f"no network's name, table, paper or title has {' or '.join(map(repr, words))}"
        raise UnknownName(Problem("unknown-network", message, help=nearest(words[0], known)))
    return rows, problems


def _heading(row: Row) -> str:
    _, table, _, _, source, title, _ = row
    return f"{table} · {title} · {source}"


def _has(text: str, word: str) -> bool:
    """Whether a word begins in the text: ``lenet`` in LeNet-5, and not in MobileNet."""
    return re.search(rf"(?<![a-z0-9]){re.escape(word.lower())}", text.lower()) is not None

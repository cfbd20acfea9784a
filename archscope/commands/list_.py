"""``archscope list``."""

from __future__ import annotations

from typing import Annotated

import typer

from archscope import api, catalog
from archscope.commands import FormatFlag, OutputFlag, emit
from archscope.core.records import Setting
from archscope.formats import Field, Sheet
from archscope.spec.compiler import paper
from archscope.studies.profiling import profile_graph


def list_(
    words: Annotated[
        list[str] | None, typer.Argument(help="Only networks whose name or paper has one of these.")
    ] = None,
    format_: FormatFlag = None,
    output: OutputFlag = None,
) -> None:
    """The networks there are, each with its paper, input and params.

    Examples:

        archscope list

        archscope list vgg

        archscope list --format csv -o networks.csv
    """
    rows = []
    for name, entry in catalog.everything().items():
        title, source = entry.table.text("title"), paper(entry.table)
        if words and not any(word.lower() in f"{name} {title} {source}".lower() for word in words):
            continue
        graph = api.lower(name)
        total = profile_graph(graph, Setting(), ("params",)).totals["params"].value
        rows.append((name, graph.tensors[graph.inputs[0]].shape[1:], total, source, title))
    fields = (
        Field("network", "network"),
        Field("input", "input", "shape"),
        Field("params", "params", "count"),
        Field("paper", "paper", keep=1),
        Field("title", "title", keep=2),
    )
    names = [each.name for each in fields]
    data = {"networks": [dict(zip(names, row, strict=True)) for row in rows]}
    notes = ("params: learnable numbers, auxiliary heads not counted",)
    emit(Sheet("list", f"{len(rows)} networks", fields, tuple(rows), notes=notes, data=data), format_, output)

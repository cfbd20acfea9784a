"""``archscope check ./mine.toml``."""

from __future__ import annotations

from typing import Annotated

import typer

from archscope import catalog
from archscope.core.errors import ArchscopeError, Problem, TableError
from archscope.graph.lowering import lower
from archscope.spec.compiler import compile_table, networks
from archscope.spec.naming import named


def check(
    table: Annotated[str, typer.Argument(help="A table file, or the name of a shipped table.")],
) -> None:
    """Reads every network of a table and reports everything that is wrong with it; needs no torch.

    Examples:

        archscope check vgg
    """
    found = catalog.table_at(table)
    problems: dict[str, Problem] = {}
    counts = []
    for name in networks(found):
        try:
            graph = lower(named(compile_table(found, name)))
            counts.append(f"{name}: {sum(node.op.weight_layer for node in graph.nodes if not node.side)} weight layers")
        except ArchscopeError as error:
            problems |= {str(problem): problem for problem in error.problems}
    if problems:
        raise TableError(*problems.values())
    typer.echo(f"{found.source.name}: {len(counts)} networks, {len(found.grid.rows)} rows, no mistakes")
    for line in counts:
        typer.echo(f"  {line}")

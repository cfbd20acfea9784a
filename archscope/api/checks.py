"""``check``: what independent witnesses say of a network's numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from archscope import catalog
from archscope.core.errors import ArchscopeError, Problem, TableError
from archscope.graph.graph import Graph
from archscope.spec.compiler import networks
from archscope.spec.network import Spec

if TYPE_CHECKING:
    from archscope.evidence import Finding
    from archscope.spec.table import Table


def check(network: str, *, witnesses: Sequence[str] | None = None) -> tuple[Finding, ...]:
    """What independent witnesses say of every number of a network, or of every network of a table file.

    witnesses: names of :mod:`archscope.evidence`; all of them when left out. A finding is ``agrees``, ``explained`` (by
    an erratum), ``refuted``, ``stale`` (an erratum whose number agrees), ``undecided`` or ``unavailable``. Raises
    TableError with everything that is wrong in a table, UnknownName for a network or a witness that there is not.
    """
    from archscope import evidence

    entry = catalog.find(network) if not catalog.is_file(network) or ".toml:" in network else None
    table = catalog.table_at(network) if entry is None else entry.table
    chosen = evidence.named() if witnesses is None else list(witnesses)
    names = list(networks(table))
    if entry is not None:
        names = [entry.network] if any(evidence.concerned(each, table, entry.network) for each in chosen) else []
    return tuple(
        finding
        for spec, lowered in _all_or_problems(table, names)
        for witness in chosen
        for finding in evidence.examined(evidence.Case(table, spec, lowered), witness)
    )


def _all_or_problems(table: Table, names: Iterable[str]) -> list[tuple[Spec, Graph]]:
    """The networks of a table with their graphs. Raises TableError with all problems of all of them at once."""
    from archscope.evidence import published

    found, problems = [], dict[str, Problem]()
    for name in names:
        try:
            found.append(catalog.lowered(table, name))
        except ArchscopeError as error:
            earlier = published.parting(table, name, error)
            found_here = (*([earlier] if earlier is not None else []), *error.problems)
            problems |= {str(problem): problem for problem in found_here}
    if problems:
        raise TableError(*problems.values())
    return found

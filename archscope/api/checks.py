"""``check``: what independent witnesses say of a network's numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from archscope import catalog
from archscope.api import modules
from archscope.core.errors import ArchscopeError, Problem, TableError, UsageError
from archscope.graph.graph import Graph
from archscope.spec.compiler import networks
from archscope.spec.network import Spec

if TYPE_CHECKING:
    from archscope.evidence import Finding
    from archscope.spec.table import Table


def check(
    network: Any,
    *,
    witnesses: Sequence[str] | None = None,
    input: Any = None,  # noqa: A002  as capture has it
) -> tuple[Finding, ...]:
    """What independent witnesses say of every number of a network, of every network of a table file, or of a module.

    network: a name, a table file, a module or its address. input: of a module; see :func:`archscope.capture`. A module
    stays as it was: the tools that count it are given a copy without weights. witnesses: names of
    :mod:`archscope.evidence`; all of them when left out. A finding is ``agrees``, ``explained`` (by an erratum),
    ``refuted``, ``stale`` (an erratum whose number agrees), ``undecided`` or ``unavailable``. Raises TableError with
    everything that is wrong in a table, UnknownName for a network or a witness that there is not, and what capture
    raises.
    """
    from archscope import evidence

    if modules.is_module(network):
        return _of_module(network, input, witnesses)
    if input is not None:
        message = "input is of a module: the networks of a table are checked at their own"
        raise UsageError(Problem("bad-value", message))
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


def _of_module(module: Any, given: Any, witnesses: Sequence[str] | None) -> tuple[Finding, ...]:
    """What witnesses say of a captured module; those that know only tables are not asked unless they are named."""
    from archscope import evidence
    from archscope.capturing.examples import example_for

    found, name, address = modules.made(module)
    address = address or name
    example = example_for(found, given, address)
    case = evidence.Case(None, None, modules.capture(found, example), found, example, address)
    if witnesses is None:
        silent = {"published"} if address.startswith("torchvision.models") else {"published", "torchvision"}
        witnesses = [each for each in evidence.named() if each not in silent]
    return tuple(finding for witness in witnesses for finding in evidence.examined(case, witness))


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

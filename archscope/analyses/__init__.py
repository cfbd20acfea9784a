"""One analysis per file: Graph × Setting -> columns. The file name is the analysis, and the folder is the register.

A module here defines ``COLUMNS``, a :class:`Column` for each column that it gives, and
``analyse(graph, setting) -> {column: values}``, one value per node of the graph, in order, and behind them any that
belong to no node. None is a value that could not be worked out: it makes the total a lower bound, and is never counted
as 0. Where a total does not follow from the values, the module has ``totals(graph, setting) -> {column: Total}`` too.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from archscope.core.errors import unknown_name
from archscope.core.records import Setting
from archscope.graph.graph import Graph

Values = Sequence[Any]


class Column(NamedTuple):
    """A column: its name, its head in print, and what it means (the convention, printed with the numbers).

    unit: ``count``, ``bytes``, ``shape``, ``side`` (a number, or one per axis) or ``text``; it says how a value is
    printed. total: ``sum``; ``largest`` of all values, of layers that run in another mode too; ``path`` for what is
    summed along the longest path; ``own`` where the analysis has a function ``totals``; ``none`` where a total means
    nothing. A block has what its output has where there is nothing to sum.
    """

    name: str
    head: str
    means: str
    unit: str = "count"
    total: str = "sum"


class Total(NamedTuple):
    """A network's value and how far it can be trusted: ``exact``; ``bound`` when it is not; ``unavailable``.

    missing: the ops whose values could not be worked out. at_most: a bound is not passed, and not reached perhaps.
    """

    value: Any
    status: str = "exact"
    missing: tuple[str, ...] = ()
    at_most: bool = False


class Analysis(Protocol):
    """What a module of this folder looks like."""

    COLUMNS: tuple[Column, ...]

    def analyse(self, graph: Graph, setting: Setting) -> dict[str, Values]:
        """Values per column, one per node of the graph."""


def named() -> list[str]:
    """The analyses, by name."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem != "__init__")


@lru_cache(maxsize=64)
def find(name: str) -> Analysis:
    """The analysis called ``name``."""
    module: Any = import_module(f"archscope.analyses.{name}")
    return module  # type: ignore[no-any-return]


@lru_cache(maxsize=256)
def of_column(column: str) -> tuple[Analysis, Column]:
    """The analysis that gives a column: the one of that name, else whichever lists it. Raises UnknownName."""
    names = named()
    for name in [column] if column in names else names:
        for each in find(name).COLUMNS:
            if each.name == column:
                return find(name), each
    raise unknown_name("column", column, columns())


def own_totals(analysis: Analysis, graph: Graph, setting: Setting) -> dict[str, Total]:
    """The totals that an analysis works out itself; none for one whose totals are sums."""
    totals = getattr(analysis, "totals", None)
    return {} if totals is None else totals(graph, setting)


def columns() -> list[str]:
    """The names of all columns that there are."""
    return [each.name for name in named() for each in find(name).COLUMNS]

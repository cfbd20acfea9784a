"""How tests hold the error of a bad table: its code, its place and what it says."""

from __future__ import annotations

import pytest

from archscope.core.errors import ArchscopeError, Problem
from archscope.core.source import Source
from archscope.graph.lowering import lower
from archscope.spec.compiler import compile_table, networks
from archscope.spec.naming import named
from archscope.spec.table import read_table

LABELLED = """[columns]
layer = "label"
k = "field"
"""
"""Two columns that are no networks: a label and a value."""


def table(*rows: str, heads: str = "| A | B |", below: str = "", top: str = "") -> str:
    """A table file: its first row stands on line 6, what comes ``below`` two lines after the last one."""
    line = "|---" * (heads.count("|") - 1) + "|"
    grid = "\n".join([heads, line, *rows])
    return f"title = 'Net'\n{top or 'input = [3, 8, 8]'}\ngrid = '''\n{grid}\n'''\n{below}"


def lowered(text: str) -> None:
    """Everything that is ever done with a table: all its networks, with their shapes."""
    found = read_table(Source("net.toml", text))
    for name in networks(found):
        lower(named(compile_table(found, name)))


def problems_of(text: str) -> tuple[Problem, ...]:
    with pytest.raises(ArchscopeError) as caught:
        lowered(text)
    return caught.value.problems


def check_error(text: str, code: str, line: int, column: int, message: str, place: str | None = None) -> Problem:
    """Holds that a table has exactly one problem: this one, there."""
    (problem,) = problems_of(text)
    assert problem.span is not None
    assert (problem.code, problem.span.line, problem.span.column) == (code, line, column), str(problem)
    assert message in problem.message
    assert place is None or problem.span.place == place
    return problem

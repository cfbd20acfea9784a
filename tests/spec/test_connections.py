"""Connection tables: the errors of one that cannot be read."""

from __future__ import annotations

import pytest

from archscope.core.errors import TableError
from archscope.core.source import Source
from archscope.spec.compiler import compile_items, compile_table
from archscope.spec.table import read_table

TABLE = """title = "Two maps of three"
input = [3, 8, 8]
grid = '''
| layer |
|-------|
| C3    |
'''
[columns]
layer = "label"
[[blocks]]
row = "C3"
layers = ["conv3-1"]
connections = '''
|   | 0 | 1 |
|---|---|---|
| 0 | X |   |
| 1 | X | Y |
| 2 |   |   |
'''
"""


def _error(text: str) -> TableError:
    with pytest.raises(TableError) as caught:
        compile_table(read_table(Source("net.toml", text)), "two_maps_of_three")
    return caught.value


def test_a_mark_other_than_x_is_an_error_at_its_cell() -> None:
    (problem,) = _error(TABLE).problems
    assert problem.message == "'Y' marks nothing"
    assert problem.expected == "X or an empty cell"
    assert problem.span is not None
    assert (problem.span.line, problem.span.column) == (17, 11)


def test_a_map_without_connections_is_an_error_in_its_column() -> None:
    (problem,) = _error(TABLE.replace("Y", " ")).problems
    assert problem.message == "output map 1 is connected to nothing"
    assert problem.span is not None
    assert (problem.span.line, problem.span.column) == (16, 10)


def test_connections_outside_a_table_file_are_an_error() -> None:
    with pytest.raises(TableError, match="connections are a grid of a table file, and this is none"):
        compile_items([{"connections": "| | 0 |", "layers": ["conv3-1"]}])

"""Rows that a brace repeats, rows that continue a block, grids on their side, named sections, and counted turns."""

from __future__ import annotations

import pytest
from errors_at import problems_of, table

from archscope.core.source import Source
from archscope.graph.lowering import lower
from archscope.spec.compiler import compile_table, networks
from archscope.spec.naming import named
from archscope.spec.table import read_table

LABEL = '[columns]\nlayer = "label"\ncell = "field"\n'

BLOCKS = """
[[blocks]]
row = "{any}"
layers = ["{cell}"]
"""


def _paths(text: str) -> list[str]:
    found = read_table(Source("net.toml", text))
    graph = lower(named(compile_table(found, next(iter(networks(found))))))
    return [node.path for node in graph.nodes]


def _labelled(*rows: str, below: str) -> str:
    return table(*rows, heads="| layer | cell |", below=f"{LABEL}\n{below}")


def test_neighbouring_rows_with_one_brace_are_repeated_together() -> None:
    below = f'[rows]\n"{{times}}× {{label}}" = "repeated"\n{BLOCKS}\n[names]\nc = "c{{n}}"\nd = "d{{n}}"'
    rows = ("| c | conv3-4 |", "| 2× d | conv1-4 |", "| 2× c | conv3-4 |", "| 3× c | conv3-8 |")
    assert _paths(_labelled(*rows, below=below)) == ["c1", "d1", "c2", "d2", "c3", "c4", "c5", "c6"]


@pytest.mark.parametrize("times", ["0", "many", "1001"])
def test_a_brace_with_no_usable_number_is_an_error_at_its_label(times: str) -> None:
    below = f'[rows]\n"{{times}}× {{label}}" = "repeated"\n{BLOCKS}'
    (problem,) = problems_of(_labelled(f"| {times}× c | conv3-4 |", below=below))
    assert (problem.code, problem.message) == ("bad-repeat", f"rows cannot be repeated {times!r} times")
    assert problem.span is not None
    assert (problem.span.line, problem.span.column) == (6, 3)


def test_a_row_may_continue_the_block_of_the_row_above() -> None:
    below = """
[[blocks]]
row = "transition"
cell = "conv{k}"
module = true
layers = ["norm: batchnorm", "conv: conv{k}-4"]

[[blocks]]
row = "transition"
cell = "maxpool"
continues = true
layers = ["pool: maxpool"]
"""
    text = table(
        "| transition | conv1 |", "| transition | maxpool |", heads="| layer | A |",
        below='[columns]\nlayer = "label"\n' + below,
    )  # fmt: skip
    assert _paths(text) == ["transition.norm", "transition.conv", "transition.pool"]


def test_a_first_row_has_nothing_to_continue() -> None:
    below = '[[blocks]]\nrow = "pool"\ncontinues = true\nlayers = ["maxpool"]'
    (problem,) = problems_of(_labelled("| pool | x |", below=below))
    assert problem.code == "nothing-to-continue"
    assert problem.span is not None
    assert problem.span.line == 6


def test_a_grid_on_its_side_is_read_by_its_columns() -> None:
    rows = ("| channels | 4 | 8 |", "| kernel | 1 | 3 |")
    below = """turned = true
[columns]
stage = "label"
channels = "field"
kernel = "field"

[[blocks]]
row = "{any}"
layers = ["conv{kernel}-{channels}"]
"""
    text = table(*rows, heads="| stage | first | second |", below=below)
    grid = read_table(Source("net.toml", text)).grid
    assert grid.heads == ("stage", "channels", "kernel")
    assert [[cell.text for cell in row.values()] for row in grid.rows] == [["first", "4", "1"], ["second", "8", "3"]]
    assert _paths(text) == ["first", "second"]


def test_an_error_in_a_grid_on_its_side_stands_at_the_printed_cell() -> None:
    rows = ("| channels | 4 | x |",)
    below = 'turned = true\n[columns]\nstage = "label"\nchannels = "field"\n'
    below += '[[blocks]]\nrow = "{any}"\nlayers = ["conv3-{channels}"]\n'
    (problem,) = problems_of(table(*rows, heads="| stage | first | second |", below=below))
    assert problem.span is not None
    assert (problem.span.line, problem.span.column, problem.span.length) == (6, 18, 1)


def test_a_named_section_keeps_the_names_of_its_layers_and_ends_where_the_nameless_one_begins() -> None:
    below = '[sections]\nfeatures = { first = "conv3-4", named = true }\n"" = "conv3-8"'
    rows = ("| conv3-4 |", "| maxpool |", "| conv3-8 |")
    text = table(*rows, heads="| A |", below=f'{below}\n[names]\nconv = "conv{{layer}}"\nmaxpool = "pool"')
    assert _paths(text) == ["features.conv1", "features.pool", "conv2"]


def test_a_repeated_block_may_count_its_turns() -> None:
    below = '[[blocks]]\nname = "twice"\nrepeat = 2\nlayers = ["part{turn}: conv3-{4*turn}"]'
    assert _paths(table("| twice |", heads="| A |", below=below)) == ["part1", "part2"]


def test_the_name_of_a_row_is_not_taken_for_an_ops() -> None:
    below = '[names]\n"conv2d 1x1" = "last"\n\n[notation]\n"conv2d 1x1" = "conv1-4"'
    text = table("| conv3-4 |", "| conv2d 1x1 |", heads="| A |", below=below)
    assert _paths(text) == ["0", "1"]


def test_layers_in_lists_within_a_block_are_layers_beside_the_one_that_takes_the_stride():
    below = """[[blocks]]
cell = "[{body}] x{n}"
repeat = "{n}"
first = { stride = "2" }
takes = "conv3-4/{stride}"
layers = [["relu", "tanh"], "{body}"]
"""
    found = read_table(Source("net.toml", table("| [conv3-4/{stride}] x2 |", heads="| A |", below=below)))
    layers = [layer.op for layer in compile_table(found, "A").layers()]
    assert [type(op).__name__ for op in layers] == ["ReLU", "Tanh", "Conv"] * 2
    assert [op.window.stride for op in layers if op.window is not None] == [(2, 2), (1, 1)]

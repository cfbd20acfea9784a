"""Blocks that are counted over all rows, what only passes where there is a sum, and rows named with their values."""

from __future__ import annotations

import pytest
from errors_at import problems_of, table

from archscope.core.source import Source
from archscope.graph.graph import Graph
from archscope.graph.lowering import lower
from archscope.spec.compiler import compile_table, networks
from archscope.spec.naming import named
from archscope.spec.notation import write
from archscope.spec.table import read_table

HEADS = "| stage | times | channels |"
COLUMNS = '[columns]\nstage = "label"\ntimes = "field"\nchannels = "field"\n'
ROWS = ("| a | 2 | 4 |", "| b | 3 | 8 |")


def graph_of(text: str, repeats: tuple[int, ...] = ()) -> Graph:
    found = read_table(Source("net.toml", text))
    return lower(named(compile_table(found, next(iter(networks(found))), repeats=repeats)))


def ops_of(text: str, repeats: tuple[int, ...] = ()) -> list[str]:
    return [write(node.op) for node in graph_of(text, repeats).nodes]


def with_block(block: str) -> str:
    return table(*ROWS, heads=HEADS, below=f'{COLUMNS}\n[[blocks]]\nrow = "{{any}}"\nrepeat = "{{times}}"\n{block}')


def test_block_counts_over_all_rows_where_turn_begins_again() -> None:
    assert ops_of(with_block('layers = ["conv1-{10*block+turn}"]')) == [
        "conv1-11", "conv1-22", "conv1-31", "conv1-42", "conv1-53",
    ]  # fmt: skip


def test_blocks_is_how_many_there_are_also_where_a_caller_repeats_them_otherwise() -> None:
    text = with_block('layers = ["dropout 0.{blocks-block}"]')
    assert ops_of(text) == ["dropout 0.4", "dropout 0.3", "dropout 0.2", "dropout 0.1", "dropout 0.0"]
    assert ops_of(text, repeats=(1, 1)) == ["dropout 0.1", "dropout 0.0"]


def test_a_field_of_the_table_may_be_called_block() -> None:
    text = table(
        "| a | 2 | 4 |",
        heads="| stage | block | channels |",
        below='[columns]\nstage = "label"\nblock = "field"\nchannels = "field"\n'
        '[[blocks]]\nrow = "{any}"\nrepeat = "{block}"\nlayers = ["conv1-{block}"]',
    )
    assert ops_of(text) == ["conv1-2", "conv1-2"]


def test_what_is_joined_passes_only_where_shapes_agree_and_there_is_a_sum() -> None:
    block = 'skip = "add"\nlayers = ["conv3-{channels}"]\njoined = ["dropout 0.2"]'
    graph = graph_of(with_block(block))
    ops = [write(node.op) for node in graph.nodes]
    # 3 channels become 4, and 4 become 8: those blocks have no sum, and nothing is dropped in them.
    assert ops == ["conv3-4", *["conv3-4", "dropout 0.2", "add"], "conv3-8", *["conv3-8", "dropout 0.2", "add"] * 2]
    dropped = [node for node in graph.nodes if write(node.op) == "dropout 0.2"]
    sums = [node for node in graph.nodes if write(node.op) == "add"]
    assert all(drop.outputs[0] in add.inputs for drop, add in zip(dropped, sums, strict=True))


def test_a_row_is_named_with_the_values_of_its_cells() -> None:
    text = with_block('layers = ["conv1-{channels}"]') + '\n[names]\n"{any}" = "stage_{channels}"\n'
    assert [node.path for node in graph_of(text).nodes] == [
        "stage_4.0", "stage_4.1", "stage_8.0", "stage_8.1", "stage_8.2",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["blocks", "block"])
def test_outside_of_what_is_repeated_nothing_is_called_so(name: str) -> None:
    below = f'{COLUMNS}\n[[blocks]]\nrow = "{{any}}"\nlayers = ["conv1-{{{name}}}"]'
    problems = problems_of(table(*ROWS, heads=HEADS, below=below))
    assert {problem.message for problem in problems} == {f"nothing is called {{{name}}} here"}

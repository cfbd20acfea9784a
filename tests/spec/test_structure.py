"""What is a module of its own and what is not, sections that end, and columns that speak of the next row."""

from __future__ import annotations

import pytest

import archscope
from archscope.core.errors import TableError
from archscope.core.source import Source
from archscope.graph.lowering import lower
from archscope.spec.compiler import compile_table
from archscope.spec.naming import named
from archscope.spec.table import read_table

HEAD = """\
title = "t"
input = [3, 8, 8]
grid = '''
| row | channels |
|-----|----------|
| one | 4        |
| two | 4        |
'''
[columns]
row = "label"
"""


def _paths(text: str, *, functions: bool = False) -> list[str]:
    """Where the layers of a table stand."""
    graph = lower(named(compile_table(read_table(Source("t.toml", text)), "t")))
    modules = [node for node in graph.nodes if functions or node.op.torch(*graph.shapes_in(node)).is_module]
    return [node.path for node in modules]


@pytest.mark.parametrize(
    ("module", "paths"),
    [
        ("", ["first", "second", "first", "second"]),
        ("module = true\n", ["one.first", "one.second", "two.first", "two.second"]),
    ],
)
def test_named_layers_are_modules_of_the_network_unless_their_block_is_one(module: str, paths: list[str]) -> None:
    layers = 'layers = ["first: conv1-{channels}", "second: relu"]\n'
    text = f'{HEAD}channels = "field"\n[[blocks]]\nrow = "{{any}}"\n{module}{layers}'
    if module:
        assert _paths(text) == paths
    else:
        with pytest.raises(TableError, match="two parts of one block are called 'first'"):
            _paths(text)


def test_branches_that_are_no_modules_give_their_layers_to_the_row() -> None:
    inner = '{ join = "concat", module = false, branches = [["d: conv1-2"], ["e: conv1-2", "f: relu"]] }'
    branches = f'branches = [["a: conv1-2", "b: conv1-2"], ["c: conv1-2", {inner}]]'
    text = f'{HEAD}channels = "field"\n[[blocks]]\nrow = "{{any}}"\njoin = "concat"\nmodule = false\n{branches}'
    assert _paths(text, functions=True) == [
        f"{row}.{part}" for row in ("one", "two") for part in ("a", "b", "c", "d", "e", "f", "concat", "concat_2")
    ]


def test_branches_are_modules_otherwise() -> None:
    branches = '[["a: conv1-2", "b: conv1-2"], ["conv1-2"]]'
    text = f'{HEAD}channels = "field"\n[[blocks]]\nrow = "{{any}}"\njoin = "concat"\nbranches = {branches}'
    assert _paths(text) == [f"{row}.{part}" for row in ("one", "two") for part in ("branch1.a", "branch1.b", "branch2")]


def test_a_section_without_a_name_puts_what_follows_into_the_network_again() -> None:
    sections = '[sections]\nfeatures = "conv1-4"\n"" = "flatten"\n'
    first = '[[blocks]]\nrow = "one"\nlayers = ["conv1-{channels}"]\n'
    second = '[[blocks]]\nrow = "two"\nlayers = ["flatten: flatten", "fc: FC-2"]\n'
    text = f'{HEAD}channels = "field"\n{sections}{first}{second}'
    assert _paths(text, functions=True) == ["features.0", "flatten", "fc"]


def test_a_row_may_take_its_channels_from_the_next_ones_cell() -> None:
    text = HEAD.replace("| two | 4        |", "| two | 6        |\n| end | 5        |") + (
        'channels = { cell = "{in channels}", next = "{out}" }\n'
        '[rows]\nend = "published"\n'
        '[[blocks]]\nrow = "{any}"\nlayers = ["conv1-{out}"]\n'
    )
    graph = lower(named(compile_table(read_table(Source("t.toml", text)), "t")))
    assert [graph.shape_out(node)[1] for node in graph.nodes] == [6, 5]


def test_the_last_row_has_no_next_one() -> None:
    text = f'{HEAD}channels = {{ next = "{{width}}" }}\n[[blocks]]\nrow = "{{any}}"\nlayers = ["conv1-{{width}}"]\n'
    with pytest.raises(TableError, match=r"t\.toml:14:12: unknown-placeholder: nothing is called \{width\} here"):
        _paths(text)


def test_a_next_cell_that_cannot_be_taken_apart_is_shown() -> None:
    text = f'{HEAD}channels = {{ next = "{{h}}×{{out}}" }}\n[[blocks]]\nrow = "{{any}}"\nlayers = ["conv1-4"]\n'
    with pytest.raises(TableError, match=r"t\.toml:7:9: unreadable-cell: cannot read '4'"):
        _paths(text)


def test_a_kernel_that_waits_for_channels_is_named_before_they_are_known() -> None:
    graph = archscope.lower(["conv{in}-{in}", "avgpool{in-1}", "relu"], input=(3, 8, 8))
    assert [node.op.out_shape(*graph.shapes_in(node)) for node in graph.nodes] == [
        (1, 3, 8, 8),
        (1, 3, 4, 4),
        (1, 3, 4, 4),
    ]

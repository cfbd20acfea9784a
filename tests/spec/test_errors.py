"""What is wrong in the cells of a table: one error each, at its cell, in words."""

from __future__ import annotations

import pytest
from errors_at import LABELLED, check_error, problems_of, table

UNKNOWN = """net.toml:7:13: unknown-op: cannot read 'cnv3-128' as an op
    7 | | conv3-4 | cnv3-128 |
      |             ^^^^^^^^
  in:       row 2, column B
  expected: {expected}
  help:     did you mean conv3-128?"""


def test_an_error_shows_the_line_with_row_and_column_and_what_was_expected():
    (problem,) = problems_of(table("| conv3-4 | conv3-4 |", "| conv3-4 | cnv3-128 |"))
    assert str(problem) == UNKNOWN.format(expected=problem.expected)
    assert "conv{kernel_size}-{out_channels}[/{stride}]" in problem.expected


def test_a_misspelt_word_of_a_cell_is_shown_with_those_that_there_are():
    problem = check_error(
        table("| conv3-4 vlid | relu |"), "unknown-word", 6, 3, "cannot read 'vlid' of 'conv3-4 vlid'"
    )
    assert str(problem).splitlines() == [
        "net.toml:6:3: unknown-word: cannot read 'vlid' of 'conv3-4 vlid'",
        "    6 | | conv3-4 vlid | relu |",
        "      |   ^^^^^^^^^^^^",
        "  in:       row 1, column A",
        "  expected: valid, no-bias, kernel_size=, out_channels=, stride=, padding=, dilation=, groups=",
        "  help:     did you mean valid?",
    ]


def test_all_errors_of_a_network_are_reported_at_once_in_the_order_of_the_file():
    rows = ("| cnv3-4 | relu |", "| conv3-x | relu |", "| conv0-4 | relu |", "| relu | relu |", "| conv3-4 ceil | |")
    found = problems_of(table(*rows))
    assert [problem.code for problem in found] == ["unknown-op", "bad-notation", "impossible-size", "unknown-word"]
    assert [problem.span and (problem.span.line, problem.span.column) for problem in found] == [
        (6, 3), (7, 3), (8, 3), (10, 3),
    ]  # fmt: skip


def test_no_more_than_a_hundred_problems_are_reported():
    assert len(problems_of(table(*["| cnv3-4 | relu |"] * 300))) == 100
    assert len(problems_of(table("| relu | relu |", below="".join(f"a{n} = 1\n" for n in range(300))))) == 100
    assert len(problems_of(table(*["| relu | relu | relu |"] * 300))) == 100


@pytest.mark.parametrize(
    ("cell", "code", "message"),
    [
        ("cnv3-4", "unknown-op", "cannot read 'cnv3-4' as an op"),
        ("conv3-x", "bad-notation", "cannot read 'conv3-x'"),
        ("conv0-4", "impossible-size", "kernel_size of 'conv0-4' is 0"),
        ("conv3-0", "impossible-size", "out_channels of 'conv3-0' is 0"),
        ("conv3-4/0", "impossible-size", "stride of 'conv3-4/0' is 0"),
        ("conv3--4", "bad-notation", "cannot read 'conv3--4'"),
        ("conv3-999999999", "impossible-size", "out_channels of 'conv3-999999999' is 999,999,999"),
        ("conv11-4 valid", "impossible-shape", "a kernel that reaches 11 is larger than its padded input 8"),
        ("maxpool9", "impossible-shape", "a pool of 9 is larger than its padded input 8"),
        ("maxpool2 padding=2", "impossible-shape", "a padding of 2 is more than half of the pool's kernel 2"),
        ("conv3-4 groups=2", "impossible-shape", "2 groups do not divide 3 incoming channels"),
        ("conv3-4 groups=3", "impossible-shape", "3 groups do not divide 4 outgoing channels"),
        ("dropout 1.5", "impossible-shape", "dropout cannot drop a share of 1.5: it is from 0 to 1"),
        ("dropout -1", "impossible-shape", "dropout cannot drop a share of -1.0: it is from 0 to 1"),
        ("times 1e999", "impossible-size", "factor of 'times 1e999' is 1e999, which is too large"),
        ("conv3-{in-3}", "impossible-shape", "{in-3} is 0 here, and a size is at least 1"),
        ("conv3-4/{in-3}", "impossible-shape", "{in-3} is 0 here, and a size is at least 1"),
        ("conv3-{in*9999999}", "impossible-shape", "{in*9999999} is 29999997 here, and a size is at most 10,000,000"),
        ("conv3-4 groups={in//(in-3)}", "unreadable-expression", "it divides by zero"),
        ("conv3-{q}", "unknown-placeholder", "nothing is called {q} here"),
        ("{0.__class__}", "unknown-placeholder", "nothing is called {0.__class__} here"),
        ("add", "nothing-to-join", "'add' joins branches, and cannot stand alone"),
        ("a.b: relu", "unknown-op", "cannot read 'a.b: relu' as an op"),
        ("__class__: relu", "bad-name", "'__class__' cannot name a part of a module"),
        ("class: relu", "bad-name", "'class' cannot name a part of a module"),
    ],
)
def test_a_bad_cell_is_one_error_at_that_cell(cell: str, code: str, message: str):
    text = table("| relu |", f"| {cell} |", heads="| A |")
    check_error(text, code, 7, 3, message, "row 2, column A")


def test_a_cell_that_spans_all_columns_is_in_all_of_them():
    check_error(table("| relu | relu |", "| cnv |"), "unknown-op", 7, 3, "cannot read 'cnv'", "row 2, all columns")


def test_a_convolution_behind_an_fc_layer_is_an_error_at_its_cell():
    text = table("| FC-4 |", "| conv3-4 |", heads="| A |")
    check_error(text, "wrong-rank", 7, 3, "'conv3-4' needs a feature map, and gets 4", "row 2, column A")


@pytest.mark.parametrize(
    ("layers", "line", "column", "code", "message"),
    [
        ('["conv{q}-4"]', 13, 12, "unknown-placeholder", "nothing is called {q} here"),
        ('["relu", "rulu"]', 13, 20, "unknown-op", "cannot read 'rulu' as an op"),
        ('["conv{k*}-4"]', 13, 12, "unreadable-expression", "cannot read 'k*' as arithmetic"),
        ("[1]", 13, 1, "not-an-item", "1 is no cell, op, list or block"),
        ("[1979-05-27]", 13, 1, "not-an-item", "datetime.date(1979, 5, 27) is no cell, op, list or block"),
        ("[{jion = 'add', branches = [[]]}]", 13, 1, "unknown-key", "'jion' means nothing here"),
        ("[{branches = []}]", 13, 1, "empty-block", "a block has nothing in it"),
        ("[{join = 'add'}]", 13, 1, "empty-block", "a block has nothing in it"),
        ("[{branches = 'relu'}]", 13, 1, "wrong-type", "'branches' is 'relu', and must be a list"),
        ("[{join = 'relu', branches = [[], []]}]", 13, 1, "not-a-join", "'relu' makes nothing of several tensors"),
        ("[{repeat = '{k}', layers = ['relu']}]", 6, 3, "bad-repeat", "a block cannot be repeated 'no' times"),
    ],
)
def test_what_is_wrong_in_a_block_is_shown_there_with_the_row_that_uses_it(
    layers: str, line: int, column: int, code: str, message: str
):
    text = table("| x | no |", heads="| layer | k |", below=f'{LABELLED}[[blocks]]\nrow = "x"\nlayers = {layers}')
    check_error(text, code, line, column, message, "row 1, 'x'")


@pytest.mark.parametrize(
    ("cell", "code", "column", "message"),
    [
        ("", "empty-cell", 6, "{k} is needed here, and its cell is empty"),
        ("x", "unknown-op", 7, "cannot read 'convx-4' as an op"),
        ("3,5", "bad-notation", 7, "cannot read 'conv3,5-4'"),
        ("0", "impossible-size", 7, "kernel_size of 'conv0-4' is 0"),
        ("²", "bad-notation", 7, "cannot read 'conv²-4'"),
        ("9" * 5000, "too-long", 7, "has 5,006 characters, the most are 2,000"),
    ],
)
def test_a_cell_that_does_not_fit_its_block_is_the_error(cell: str, code: str, column: int, message: str):
    below = LABELLED + '[[blocks]]\nrow = "x"\nlayers = ["conv{k}-4"]'
    text = table(f"| x | {cell} |".replace("  ", " "), heads="| layer | k |", below=below)
    check_error(text, code, 6, column, message, "row 1, column k")


def test_a_cell_that_its_column_cannot_take_apart_shows_the_template():
    below = LABELLED.replace('"field"', '"{h}×{w}"') + '[[blocks]]\nrow = "x"\nlayers = ["conv{h}-4"]'
    text = table("| x | 3*3 |", heads="| layer | k |", below=below)
    problem = check_error(text, "unreadable-cell", 6, 7, "cannot read '3*3'", "row 1, column k")
    assert problem.expected == "{h}×{w}"


@pytest.mark.parametrize(
    ("below", "line", "column", "message"),
    [
        ('[notation]\na = "a"', 9, 6, "'a' is made of itself: a → a"),
        ('[notation]\na = "b"\nb = ["relu", "a"]', 10, 15, "'a' is made of itself: a → b → a"),
        ('[notation]\na = "b"\n[[blocks]]\nname = "b"\nlayers = ["a"]', 12, 12, "'a' is made of itself: a → b → a"),
    ],
)
def test_what_is_made_of_itself_is_an_error(below: str, line: int, column: int, message: str):
    text = table("| a |", heads="| A |", below=below)
    check_error(text, "refers-to-itself", line, column, message, "row 1, column A")


def test_what_grows_without_end_is_too_deep():
    text = table("| a |", heads="| A |", below='[notation]\n"a{x}" = "aa{x}"\na = "ab"')
    message = "cells are made of one another 21 deep, the most are 20"
    check_error(text, "too-deep", 9, 11, message, "row 1, column A")


@pytest.mark.parametrize(
    ("block", "code", "message"),
    [
        (
            'branches = [["conv3-4"], ["conv3-4/2"]]',
            "impossible-shape",
            "branches differ in height or width: 4×8×8, 4×4×4",
        ),
        (
            'join = "add"\nbranches = [["conv3-4"], ["conv3-8"]]',
            "impossible-shape",
            "add needs inputs of one shape; got 4×8×8, 8×8×8",
        ),
        ('join = "add"\nbranches = [["conv3-4"], ["relu", "FC-8"]]', "impossible-shape", "got 4×8×8, 8"),
    ],
)
def test_branches_that_do_not_fit_are_an_error_at_the_cell_of_their_block(block: str, code: str, message: str):
    text = table("| relu |", "| b |", heads="| A |", below=f'[[blocks]]\nname = "b"\n{block}')
    check_error(text, code, 7, 3, message, "row 2, column A")


def test_a_projection_is_there_always_never_or_where_shapes_differ():
    below = "[[blocks]]\ncell = 'b'\nlayers = ['relu']\nskip = 'add'\nproject = 'sometimes'"
    problem = check_error(
        table("| b |", heads="| A |", below=below), "bad-value", 6, 3, "project is 'sometimes'", "row 1, column A"
    )
    assert problem.expected == "when shapes differ, always, never"


def test_branches_of_nothing_that_make_too_many_channels_are_an_error_at_the_block():
    doubled = "[[blocks]]\ncell = 'twice'\nbranches = [[], []]"
    problem = check_error(
        table(*["| twice |"] * 60, heads="| A |", below=doubled),
        "impossible-size", 57, 3, "makes a tensor of absurd size", "row 52, column A",
    )  # fmt: skip
    assert problem.expected == ""


def test_lists_within_blocks_within_lists_may_be_too_deep():
    named = [f"[[blocks]]\nname = 'b{n}'\nlayers = {'[' * 50}'b{n + 1}'{']' * 50}" for n in range(18)]
    below = "\n".join([*named, "[[blocks]]\nname = 'b18'\nlayers = ['relu']"])
    check_error(table("| b0 |", heads="| A |", below=below), "too-deep", 6, 3, "blocks are nested too deeply")


@pytest.mark.parametrize(
    ("names", "code", "message"),
    [
        (["a-b"], "bad-name", "'a-b' cannot name a part of a module"),
        (["x", "x"], "duplicate-name", "two parts of one block are called 'x'"),
    ],
)
def test_the_name_of_a_side_branch_is_an_error_at_its_first_layer(names: list[str], code: str, message: str):
    branches = [f"[[side_branches]]\nname = '{name}'\nafter = 'r'\nlayers = ['FC-3']" for name in names]
    below = "\n".join(["[columns]\nlayer = 'label'\n[names]\nrelu = 'r'", *branches])
    text = table("| relu | conv3-4 |", "| fc | FC-3 |", heads="| layer | A |", below=below)
    check_error(text, code, 16, 12, message)

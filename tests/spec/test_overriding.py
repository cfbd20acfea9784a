"""Cells that a caller sets: how they are named, what becomes of the network, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

import archscope
from archscope.core.errors import ShapeError, TableError, UsageError


def ops(network: str, **changes: Any) -> list[str]:
    return [row.op for row in archscope.profile(network, **changes).rows]


def params(network: str, **changes: Any) -> int:
    return int(archscope.profile(network, **changes).totals["params"].value)


def test_a_cell_named_by_row_and_column_is_compiled_as_if_it_were_printed():
    # 16 maps less of 9·96 weights and a bias; 16 channels less into the four 1×1 convolutions of (4b).
    removed = 16 * (9 * 96 + 1) + 16 * (160 + 112 + 24 + 64)
    assert params("googlenet", set={"inception (4a).#3×3": "192"}) == 6_998_552 - removed
    changed = archscope.load("googlenet", set={"inception (4a).#3×3": "192"})
    assert changed.changes == ("inception (4a).#3×3=192",)


@pytest.mark.parametrize("name", ["inception (4a).#3×3", "INCEPTION (4A) . #3x3", "row 8.#3×3", "inception(4a).#3×3"])
def test_rows_go_by_label_or_number_and_case_blanks_and_crosses_do_not_matter(name: str):
    assert params("googlenet", set={name: "192"}) < params("googlenet")


def test_a_layer_that_a_cell_spells_out_goes_by_its_name():
    by_name, by_place = ({name: "conv5-256"} for name in ("conv3_2", "row 10.D"))
    assert ops("vgg16", set=by_name) == ops("vgg16", set=by_place)
    assert ops("vgg16", set=by_name).count("conv5-256") == 1


def test_a_cell_that_spans_columns_is_set_for_one_network_only():
    assert ops("vgg16", set={"fc6": "FC-128"}).count("FC-128") == 1
    assert ops("vgg16", set={"row 24.D": "FC-128"}) == ops("vgg16", set={"fc6": "FC-128"})


def test_an_empty_text_is_an_empty_cell():
    assert archscope.profile("vgg16", set={"conv1_2": ""}).depth == 15


def test_several_cells_are_set_at_once_with_other_changes():
    spec = archscope.load("vgg16", set={"conv1_1": "conv3-32", "conv1_2": "conv3-32"}, num_classes=10)
    assert spec.changes == ("num_classes=10", "conv1_1=conv3-32", "conv1_2=conv3-32")
    first, second = [row for row in archscope.profile(spec).rows if row.op.startswith("conv")][:2]
    assert (first.values["params"], second.values["params"]) == (32 * 28, 32 * (9 * 32 + 1))


def test_a_bracketed_cell_takes_another_repeat():
    cell = "[3×3, 128; 3×3, 128] ×3"
    more = 2 * (9 * 128 * 128 + 2 * 128)
    assert params("resnet18", set={"conv3_x.18-layer": cell}) == 11_689_512 + more


def test_what_an_erratum_mends_may_be_set_to_what_is_printed():
    with pytest.raises(ShapeError) as caught:
        archscope.lower("inception_resnet_v2", set={"10 x Inception-resnet-B.linear": "1x1 Conv (1154 Linear)"})
    (problem,) = caught.value.problems
    assert "1154×17×17, 1152×17×17" in problem.message
    assert problem.span is not None
    assert problem.span.place.endswith("set to '1x1 Conv (1154 Linear)'")


def test_the_printed_numbers_of_the_table_stay_the_papers():
    before = archscope.check("googlenet", witnesses=["published"])
    archscope.load("googlenet", set={"inception (4a).#3×3": "192"})
    assert archscope.check("googlenet", witnesses=["published"]) == before


def test_a_text_that_cannot_be_read_is_an_error_at_its_cell():
    with pytest.raises(TableError) as caught:
        archscope.load("vgg16", set={"conv3_2": "cnv3-256"})
    (problem,) = caught.value.problems
    assert problem.message == "cannot read 'cnv3-256' as an op"
    assert problem.span is not None
    assert (problem.span.line_text.count("conv3-256"), problem.span.place) == (6, "row 10, column D, set to 'cnv3-256'")


@pytest.mark.parametrize(
    ("network", "name", "text", "message", "more"),
    [
        (
            "googlenet", "inception (9a).#3×3", "1", "'inception (9a).#3×3': no row is called 'inception (9a)'",
            "did you mean inception (5a), inception (4a), inception (3a)?",
        ),
        (
            "googlenet", "inception (4a).#3x4", "1", "'inception (4a).#3x4': no column is called '#3x4'",
            "did you mean #3×3?",
        ),
        (
            "googlenet", "convolution.#3×3", "1", "'convolution.#3×3': 2 rows are called 'convolution'",
            "expected: row 1, row 3",
        ),
        ("vgg16", "row 28.D", "relu", "'row 28.D': no row is called 'row 28'", "expected: row 1 to row 27"),
        ("vgg16", "conv3_9", "relu", "no cell is called 'conv3_9'", "did you mean conv3_3, conv3_2, conv3_1?"),
        (
            "googlenet", "nonsense", "1", "no cell is called 'nonsense'",
            "expected: a row and a column, such as 'inception (3a).output size', or the name of a layer that a cell",
        ),
        (
            "vgg16", "relu3_2", "tanh", "relu3_2 is no cell of its own",
            "it comes from 'row 10.D', which holds 'conv3-256'",
        ),
        (
            "googlenet", "inception4a.branch2.1.conv", "1", "inception4a.branch2.1.conv is no cell of its own",
            "it comes from 'inception (4a).#3×3', which holds '208'",
        ),
        (
            "vgg16", "row 20.E", "conv3-8", "'row 20.E' is a cell of vgg19, and vgg16 stands in column D", "",
        ),
        (
            "googlenet", "inception (4a).params", "1K",
            "inception (4a).params=1K changes nothing: googlenet is not made of this cell", "row 8, column params",
        ),
        (
            "vgg16", "row 1.D", "12 weight layers",
            "row 1.D=12 weight layers changes nothing: vgg16 is not made of this cell", "row 1, column D",
        ),
    ],
)  # fmt: skip
def test_a_name_that_is_no_cell_says_what_is(network: str, name: str, text: str, message: str, more: str):
    with pytest.raises(UsageError) as caught:
        archscope.load(network, set={name: text})
    (problem,) = caught.value.problems
    assert problem.message == message
    assert more in str(problem)


def test_a_layer_of_a_block_is_found_among_those_of_its_branches():
    with pytest.raises(UsageError) as caught:
        archscope.load("resnet18", set={"conv1x": "relu"})
    assert str(caught.value) == (
        "unknown-cell: no cell is called 'conv1x'\n"
        "  expected: a row and a column, such as 'conv1.18-layer', or the name of a layer that a cell spells out\n"
        "  help:     did you mean conv1, layer4.1.conv1, layer4.0.conv1?"
    )


def test_a_cell_that_the_network_is_not_made_of_cannot_be_varied():
    with pytest.raises(UsageError) as caught:
        archscope.sweep("googlenet", vary={"inception (4a).params": "364K,1K,2K"})
    message = "no-effect: inception (4a).params=2K changes nothing: googlenet is not made of this cell"
    assert message in str(caught.value)


def test_only_a_network_of_a_table_has_cells():
    for network in (archscope.load("vgg11"), ["conv3-4"]):
        with pytest.raises(UsageError) as caught:
            archscope.load(network, input=(3, 8, 8), set={"conv1_1": "conv3-8"})
        message = "set changes cells of a table, and this network was not loaded from one here"
        assert caught.value.problems[0].message == message


@pytest.mark.parametrize("value", ["x=1", {"row 3.D": 64}, ["row 3.D=conv3-64"]])
def test_set_holds_texts_by_cell(value: Any):
    with pytest.raises(UsageError) as caught:
        archscope.load("vgg11", set=value)
    assert str(caught.value) == (
        f'bad-value: set is {value!r}\n  expected: texts by cell, such as {{"inception (4a).#3×3": "192"}}'
    )


def test_every_command_that_takes_a_network_takes_set(archscope: Any):
    shown = archscope("summary vgg16 --set 'conv3_2=conv5-256' --set 'row 11.D='")
    assert "changed from the paper: conv3_2=conv5-256, row 11.D=" in shown.out
    assert "conv3_2  conv5-256" in shown.out
    assert archscope("compare vgg16 vgg16_bn --set conv1_1=conv3-32").code == 0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("--set conv1_1", "bad-value: --set is 'conv1_1'"),
        ("--set =conv3-64", "bad-value: --set is '=conv3-64'"),
        ("--set conv1_1=relu --set conv1_1=tanh", "bad-value: --set gives 'conv1_1' twice"),
    ],
)
def test_a_flag_that_names_no_cell_or_one_twice_is_a_usage_error(archscope: Any, given: str, message: str):
    outcome = archscope(f"summary vgg16 {given}")
    assert (outcome.code, outcome.err.splitlines()[0]) == (2, message)

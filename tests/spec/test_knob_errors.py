"""What no caller may change, and how it is said."""

from __future__ import annotations

from typing import Any

import pytest

import archscope
from archscope.core.errors import ArchscopeError, Unsupported, UsageError

BLOCKS = 'expected: [1, 1, 2, 2, 2], ((1, 64), (1, 128), …) or [64, "M", 128, "M", …]'
FACTOR = "expected: a number such as 1/4, 0.25 or 2"
WHOLE = "expected: a whole number from 1 to 10,000,000"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"width": "x"}, f"bad-value: width is 'x'\n  {FACTOR}"),
        ({"width": "1/0"}, f"bad-value: width is '1/0'\n  {FACTOR}"),
        ({"width": float("nan")}, "bad-value: width is nan\n  expected: a number above 0 and at most 1000"),
        ({"width": True}, f"bad-value: width is True\n  {FACTOR}"),
        ({"head_width": 0}, "bad-value: head_width is 0\n  expected: a number above 0 and at most 1000"),
        ({"width": 1001}, "bad-value: width is 1001\n  expected: a number above 0 and at most 1000"),
        ({"width": "1e999999999"}, "bad-value: width is '1e999999999'\n  expected: a number above 0 and at most 1000"),
        ({"num_classes": 0}, f"bad-value: num_classes is 0\n  {WHOLE}"),
        ({"num_classes": True}, f"bad-value: num_classes is True\n  {WHOLE}"),
        ({"num_classes": "10"}, f"bad-value: num_classes is '10'\n  {WHOLE}"),
        ({"num_classes": 10**9}, f"bad-value: num_classes is 1000000000\n  {WHOLE}"),
        ({"in_channels": -1}, f"bad-value: in_channels is -1\n  {WHOLE}"),
        ({"round_to": 0}, f"bad-value: round_to is 0\n  {WHOLE}"),
        ({"dropout": 1}, "bad-value: dropout is 1\n  expected: a share from 0 up to, not including, 1"),
        ({"dropout": "x"}, "bad-value: dropout is 'x'\n  expected: a share from 0 up to, not including, 1"),
        ({"head": "pool"}, "bad-value: head is 'pool'\n  expected: fc, gap"),
        ({"bn": "fc"}, "bad-value: bn is 'fc'\n  expected: none, conv, relu, conv+fc, relu+fc"),
        ({"input_size": (0, 5)}, "bad-value: input_size is (0, 5)\n  expected: a number, or (height, width)"),
        ({"input_size": (5, 5, 5)}, "bad-value: input_size is (5, 5, 5)\n  expected: a number, or (height, width)"),
        ({"input_size": "224"}, "bad-value: input_size is '224'\n  expected: a number, or (height, width)"),
        ({"blocks": [1, 2]}, f"bad-value: blocks has 2 stages, the table has 5\n  {BLOCKS}"),
        ({"blocks": []}, f"bad-value: cannot read blocks []\n  {BLOCKS}"),
        ({"blocks": [1, 1, 2, 2, 0]}, f"bad-value: cannot read blocks [1, 1, 2, 2, 0]\n  {BLOCKS}"),
        ({"blocks": [(1, 0)]}, f"bad-value: cannot read blocks [(1, 0)]\n  {BLOCKS}"),
        ({"blocks": ["M", 64]}, f"bad-value: cannot read blocks ['M', 64]\n  {BLOCKS}"),
        ({"blocks": [64, "P"]}, f"bad-value: cannot read blocks [64, 'P']\n  {BLOCKS}"),
        ({"blocks": 3}, f"bad-value: cannot read blocks 3\n  {BLOCKS}"),
        ({"blocks": [[10001, 64]]}, f"bad-value: cannot read blocks [[10001, 64]]\n  {BLOCKS}"),
    ],
)
def test_a_value_that_makes_no_sense_is_a_usage_error(changes: Any, message: str):
    with pytest.raises(UsageError) as caught:
        archscope.load("vgg16", **changes)
    assert str(caught.value) == message
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        ([1, 1], "blocks has 2 stages, the table has 4"),
        ([], "cannot read blocks []"),
        ([2, 2, 2, 0], "cannot read blocks [2, 2, 2, 0]"),
        ([2, 2, 2, 1001], "cannot read blocks [2, 2, 2, 1001]"),
        ([[1, 64]], "cannot read blocks [[1, 64]]"),
        (4, "cannot read blocks 4"),
    ],
)
def test_of_blocks_that_a_table_repeats_only_their_numbers_can_be_changed(blocks: Any, message: str):
    with pytest.raises(UsageError) as caught:
        archscope.load("resnet18", blocks=blocks)
    expected = "how often each block of the table is repeated, such as [2, 2, 2, 2]"
    assert str(caught.value) == f"bad-value: {message}\n  expected: {expected}"


def test_an_option_that_there_is_not_names_the_nearest():
    with pytest.raises(UsageError) as caught:
        archscope.load("vgg16", num_clases=3)  # type: ignore[call-arg]
    lines = str(caught.value).splitlines()
    assert lines[0] == "unknown-option: a network has no option 'num_clases'"
    assert lines[2] == "  help:     did you mean num_classes, in_channels, input_size?"


@pytest.mark.parametrize(
    ("network", "changes", "message"),
    [
        (
            "lenet5",
            {"num_classes": 3},
            "lenet5 ends in features: its table leaves out the layer whose size num_classes would be",
        ),
        (
            "lenet5",
            {"width": 2},
            "the connection table of lenet5 fixes its numbers of channels: width cannot change them",
        ),
        ("googlenet", {"head": "gap"}, "googlenet has no hidden FC layers that a pool could replace"),
        (
            "googlenet",
            {"blocks": [1, 1]},
            "googlenet is not made of plain stages of convolutions: blocks cannot change them",
        ),
        ("vgg16", {"transform_input": True, "in_channels": 1}, "transform_input is for images of three channels"),
    ],
)
def test_what_a_network_cannot_do_is_refused_in_words(network: str, changes: Any, message: str):
    with pytest.raises(Unsupported) as caught:
        archscope.load(network, **changes)
    assert str(caught.value) == f"no-such-knob: {message}"


def test_a_network_without_convolutions_has_no_blocks_to_change():
    with pytest.raises(Unsupported) as caught:
        archscope.load(["FC-10"], input=(3, 8, 8), blocks=[1])
    message = "network is not made of plain stages of convolutions: blocks cannot change them"
    assert str(caught.value) == f"no-such-knob: {message}"


def test_an_adaptive_pool_needs_an_fc_layer_to_stand_before():
    with pytest.raises(Unsupported) as caught:
        archscope.load(["conv3-4"], input=(3, 8, 8), adaptive_pool=True)
    assert str(caught.value) == "no-such-knob: network has no FC layer that an adaptive pool could stand before"


def test_an_input_that_is_too_small_is_an_error_at_the_layer_that_does_not_fit():
    with pytest.raises(ArchscopeError) as caught:
        archscope.lower("vgg16", input_size=(16, 16))
    (problem,) = caught.value.problems
    assert problem.message == "a pool of 2 is larger than its padded input 1"
    assert problem.span is not None
    assert problem.span.source.name == "tables/vgg.toml"
    assert problem.span.line_text == "| maxpool |"

"""Widths: what channels are rounded to, and that groups, sums and every shipped network survive them."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

import archscope
from archscope import catalog
from archscope.core.errors import ShapeError, Unsupported
from archscope.ops.conv import Conv
from archscope.spec.widths import scaled

WIDTHS = ("1/8", "1/3", "1/2", "1/1", "3/2")

REFUSED = {
    ("inception_resnet_v1", "1/3"): "add needs inputs of one shape; got 299×17×17, 298×17×17",
    ("inception_resnet_v2_released", "1/3"): "add needs inputs of one shape; got 107×35×35, 106×35×35",
}
"""Where branches that are rounded each for itself no longer add up to the channels that they are added to."""


def channels(network: Any, **changes: Any) -> list[int]:
    return [node.op.out_channels for node in archscope.lower(network, **changes).nodes if isinstance(node.op, Conv)]


@pytest.mark.parametrize("network", catalog.everything())
def test_every_network_takes_every_width_or_says_where_it_does_not_fit(network: str):
    for width in WIDTHS:
        if network == "lenet5":
            with pytest.raises(Unsupported, match="the connection table of lenet5 fixes its numbers of channels"):
                archscope.load(network, width=width)
        elif (network, width) in REFUSED:
            with pytest.raises(ShapeError) as caught:
                archscope.lower(network, width=width)
            (problem,) = caught.value.problems
            assert problem.message == REFUSED[network, width]
            assert problem.span is not None
            assert problem.span.place.startswith("row ")
        else:
            graph = archscope.lower(network, width=width)
            assert graph.tensors[graph.outputs[0].tensor].shape[1] in {10, 1000}
    if network != "lenet5":
        assert archscope.load(network, width="1/1").root == archscope.load(network).root


@pytest.mark.parametrize(
    ("count", "width", "multiple", "expected"),
    [
        (32, "0.35", 8, 16),  # 11.2 is 8 rounded, and 8 is less than nine tenths of it
        (24, "0.35", 8, 8),
        (16, "0.25", 8, 8),
        (96, "0.75", 8, 72),
        (3, "1/8", 1, 1),
        (6, "1/4", 1, 2),
        (11, "1/10", 1, 1),
        (128, "1/3", 32, 64),  # 42.7: 32 would be a quarter less
        (64, "1/1000", 8, 8),
    ],
)
def test_channels_are_rounded_half_up_and_never_by_more_than_a_tenth_down(
    count: int, width: str, multiple: int, expected: int
):
    assert scaled(count, Fraction(width), multiple) == expected


def test_channels_that_are_taken_in_groups_stay_multiples_of_them():
    graph = archscope.lower("resnext50_32x4d", width="1/3")
    grouped = [node for node in graph.nodes if isinstance(node.op, Conv) and node.op.groups == 32]
    assert len(grouped) == 16
    assert {graph.shapes_in(node)[0][1] % 32 for node in grouped} == {graph.shape_out(node)[1] % 32 for node in grouped}
    assert {node.op.groups for node in graph.nodes if isinstance(node.op, Conv)} == {1, 32}
    # what leaves a block is taken in no groups, and is rounded to nothing
    assert graph.shape_out(graph.nodes[-3])[1] == 683


def test_what_is_added_to_channels_that_are_taken_in_groups_is_rounded_as_they_are():
    block = {"skip": "add", "layers": ["conv3-16 groups=4", "conv3-16"]}
    network = ["conv3-16", block, block, "FC-10"]
    assert channels(network, input=(3, 8, 8), width="1/3") == [8, 8, 8, 8, 8]
    plain = {"skip": "add", "layers": ["conv3-16", "conv3-16"]}
    assert channels(["conv3-16", plain, "FC-10"], input=(3, 8, 8), width="1/3") == [5, 5, 5]


def test_branches_that_are_concatenated_before_a_grouped_convolution_are_each_a_multiple():
    join = {"join": "concat", "branches": [["conv1-20"], ["conv3-12"]]}
    assert channels([join, "conv3-8 groups=4", "FC-10"], input=(3, 8, 8), width="1/3") == [8, 4, 4]


def test_a_table_may_say_what_its_channels_are_multiples_of_and_a_caller_something_else():
    assert archscope.load("mobilenet_v2").round_to == 8
    assert channels("mobilenet_v2", width="0.35")[:2] == [16, 16]
    assert channels("mobilenet_v2", width="0.35", round_to=4)[:2] == [12, 12]

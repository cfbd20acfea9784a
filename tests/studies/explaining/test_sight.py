"""What windows read, by torch's gradients, and what their paddings and roundings are called."""

from __future__ import annotations

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

import archscope
from archscope.analyses.receptive_field import fields
from archscope.core.records import Window
from archscope.graph.graph import Graph, Node
from archscope.spec.notation import read
from archscope.studies.explaining.sight import Reads, field_steps, padding_name, reading, reads, rounding, with_rounding


def layer(cell: str, size: int = 8) -> tuple[Graph, Node]:
    graph = archscope.lower(archscope.load([f"x: {cell}"], input=(3, size, size)))
    return graph, graph.nodes[0]


@given(st.integers(1, 5), st.integers(1, 3), st.integers(0, 3), st.integers(1, 2), st.integers(6, 12))
def test_positions_are_read_as_often_as_gradients_say(
    kernel: int, stride: int, padding: int, dilation: int, size: int
) -> None:
    assume(dilation * (kernel - 1) + 1 <= size + 2 * padding)
    conv = torch.nn.Conv2d(1, 1, kernel, stride, padding, dilation, bias=False)
    torch.nn.init.ones_(conv.weight)
    image = torch.zeros(1, 1, size, size + 1, requires_grad=True)
    out = conv(image)
    out.sum().backward()
    assert image.grad is not None
    counts = image.grad[0, 0].int()
    window = Window((kernel,) * 2, (stride,) * 2, (padding,) * 2, (dilation,) * 2)
    found = reads((size, size + 1), tuple(out.shape[2:]), window)
    middle = int(counts[size // 2, (size + 1) // 2])
    assert (found.corner, found.middle) == (int(counts[0, 0]), middle)
    assert found.edge == min(int(counts[0, (size + 1) // 2]), int(counts[size // 2, 0]))
    assert (found.least, found.most) == (int(counts.min()), int(counts.max()))


def test_a_3x3_without_padding_reads_a_corner_once_and_the_middle_nine_times() -> None:
    assert reads((8, 8), (6, 6), Window((3, 3))) == Reads(1, 3, 9, 1, 9)
    assert reads((8, 8), (8, 8), Window((3, 3), padding=(1, 1))) == Reads(4, 6, 9, 4, 9)
    assert reads((8, 8), (10, 10), Window((3, 3), padding=(2, 2))) == Reads(9, 9, 9, 9, 9)


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("conv3-8 valid", "an input position is read 1× at a corner, 3× at an edge, 9× inside for each output channel"),
        ("conv3-8", "an input position is read 4× at a corner, 6× at an edge, 9× inside for each output channel"),
        ("conv3-8 padding=2", "each input position is read 9 times for each output channel"),
        ("conv1-8", "each input position is read once for each output channel"),
        ("maxpool", "each input position is read once"),
        ("maxpool3/2", "an input position is read 0 to 4 times; those read 0 times are lost"),
        ("avgpool3/1 same", "an input position is read 4× at a corner, 6× at an edge, 9× inside"),
    ],
)
def test_reading_in_words(cell: str, said: str) -> None:
    assert reading(*layer(cell)) == (said,)


def test_what_has_no_window_reads_nothing_in_windows() -> None:
    assert reading(*layer("relu")) == ()
    assert reading(*layer("FC-8")) == ()


@pytest.mark.parametrize(
    ("kernel", "padding", "dilation", "name"),
    [
        (3, 0, 1, "valid (narrow)"),
        (3, 1, 1, "same (half, equal)"),
        (3, 2, 1, "full (wide)"),
        (5, 2, 1, "same (half, equal)"),
        (3, 2, 2, "same (half, equal)"),
        (7, 1, 1, "1 at each border, of no name"),
        (1, 0, 1, ""),
        (1, 1, 1, "1 at each border, of no name"),
    ],
)
def test_paddings_have_names(kernel: int, padding: int, dilation: int, name: str) -> None:
    assert padding_name(kernel, padding, dilation) == name


@pytest.mark.parametrize(
    ("cell", "size", "said"),
    [
        ("conv11-8/4 valid", 227, "the division leaves nothing over"),
        ("conv3-8", 8, ""),
        ("conv3-8/2 valid", 8, "the division leaves 1 over; rounded down: the last 1 of the map is not read"),
        ("conv3-8/2", 8, "the division leaves 1 over; rounded down: only padding is not read"),
        ("maxpool3/2 ceil", 8, "the division leaves 1 over; rounded up: the last window reaches 1 over the border"),
        ("maxpool2/4 ceil padding=1", 5,
         "the division leaves 1 over; one more window would begin beyond the map, and there is none"),
    ],
)  # fmt: skip
def test_rounding_in_words(cell: str, size: int, said: str) -> None:
    op = read(cell)
    assert op.window is not None
    assert rounding(size, op.window, 0, ceil_mode=getattr(op, "ceil_mode", False)) == said


def test_steps_of_an_output_size_say_both() -> None:
    from archscope.core.records import Setting
    from archscope.studies.explaining.derivation import derivation

    graph, node = layer("conv3-8/2 valid")
    (step,) = with_rounding(graph, node, derivation(graph, node, Setting(), {0: "x", 1: "x"}).sizes)
    assert step.remarks == (
        "padding: valid (narrow)",
        "the division leaves 1 over; rounded down: the last 1 of the map is not read",
    )


def test_fields_are_derived_per_axis_where_the_window_is_no_square() -> None:
    graph, node = layer("conv1×7-8")
    steps = field_steps(graph, node, fields(graph))
    assert [(step.quantity, step.label, step.symbols, step.value) for step in steps if step.left == "r′"] == [
        ("receptive_field", "height", "r + (K_h − 1)·j", 1),
        ("receptive_field", "width", "r + (K_w − 1)·j", 7),
    ]


def test_fields_of_joins_and_of_layers_that_see_it_all() -> None:
    graph = archscope.lower("googlenet")
    by_name = {node.name: node for node in graph.nodes}
    found = fields(graph)
    joined = field_steps(graph, by_name["inception3a.concat"], found)
    assert (joined[0].value, joined[0].remarks) == (59, ("the union of 27, 43, 59, 43",))
    assert field_steps(graph, by_name["fc"], found)[0].remarks == (
        "every output sees all of the image that there is to see",
    )
    assert field_steps(graph, by_name["conv1.relu"], found)[0].remarks == ("position by position: as its input",)


def test_a_bound_is_said_to_be_one() -> None:
    cells = [{"join": "concat", "branches": [["conv1-2"], ["conv5-2"]]}, "part: slice0:2", "next: conv3-2"]
    graph = archscope.lower(archscope.load(cells, input=(1, 16, 16)))
    steps = field_steps(graph, graph.nodes[-1], fields(graph))
    assert steps[0].remarks == ("a bound: no output sees more",)

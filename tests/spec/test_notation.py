"""Cells and ops: what each spells, both ways, and what no cell may say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest
from hypothesis import given
from strategies import ops

from archscope.core.errors import ShapeError, TableError
from archscope.ops import Op
from archscope.ops.add import Add
from archscope.ops.conv import Conv
from archscope.ops.maxpool import MaxPool
from archscope.spec.notation import bound, free_names, read, write


@given(ops())
def test_what_is_written_reads_back(op: Op):
    assert read(write(op)) == op


@given(ops())
def test_what_is_written_is_the_only_way_to_write_it(op: Op):
    assert write(read(write(op))) == write(op)


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("conv3-64", "conv3-64"),
        ("  CONV3-64  ", "conv3-64"),
        ("conv3-64/1", "conv3-64"),
        ("conv3x3-64", "conv3×3-64"),
        ("conv1×7-192", "conv1×7-192"),
        ("conv11-96/4 valid", "conv11-96/4 valid"),
        ("conv3-64 padding=0", "conv3-64 valid"),
        ("conv3-256 groups=2  no-bias", "conv3-256 groups=2 no-bias"),
        ("conv3-{in}", "conv3-{in}"),
        ("conv3-{in*6} groups={in}", "conv3-{in*6} groups={in}"),
        ("conv3-{in}*6", "conv3-{in*6}"),
        ("maxpool", "maxpool"),
        ("maxpool2", "maxpool"),
        ("maxpool3/2 ceil", "maxpool3/2 ceil"),
        ("softmax", "soft-max"),
        ("soft-max", "soft-max"),
        ("fc-4096", "FC-4096"),
        ("dropout 40%", "dropout 0.4"),
        ("dropout", "dropout"),
        ("dropout0.3", "dropout 0.3"),
        ("LRN alpha=1e-4 k=1", "LRN alpha=0.0001 k=1.0"),
        ("times -2", "times -2.0"),
    ],
)
def test_cells_are_read_as_papers_write_them(cell: str, written: str):
    assert write(read(cell)) == written


@pytest.mark.parametrize(
    ("cell", "code", "message", "expected", "helps"),
    [
        ("cnv3-64", "unknown-op", "cannot read 'cnv3-64' as an op", "", "did you mean conv3-64?"),
        ("512", "unknown-op", "cannot read '512' as an op", "", ""),
        ("", "unknown-op", "cannot read '' as an op", "", ""),
        ("conv3", "bad-notation", "cannot read 'conv3'", "", "Conv needs kernel_size, out_channels"),
        ("conv3-64x", "bad-notation", "cannot read 'conv3-64x'", "", "Conv needs kernel_size, out_channels"),
        ("conv-3-64", "bad-notation", "cannot read 'conv-3-64'", "", "Conv needs kernel_size, out_channels"),
        ("maxpool3//2", "bad-notation", "cannot read 'maxpool3//2'", "maxpool[{kernel_size}][/{stride}]", ""),
        (
            "conv3-64 vlaid",
            "unknown-word",
            "cannot read 'vlaid' of 'conv3-64 vlaid'",
            "valid, no-bias, kernel_size=, out_channels=, stride=, padding=, dilation=, groups=",
            "did you mean valid?",
        ),
        ("conv3-64 groups=x", "unknown-word", "cannot read 'groups=x' of 'conv3-64 groups=x'", "", ""),
        (
            "conv3-64/2 stride=1",
            "repeated-word",
            "'stride=1' sets stride of 'conv3-64/2 stride=1' a second time",
            "",
            "",
        ),
        ("conv3-64 valid padding=1", "repeated-word", "'padding=1' sets padding of", "", ""),
        (
            "conv0-64",
            "impossible-size",
            "kernel_size of 'conv0-64' is 0",
            "a whole number from 1 to 10,000,000",
            "",
        ),
        ("conv3-64 groups=0", "impossible-size", "groups of 'conv3-64 groups=0' is 0", "", ""),
        ("conv3-10000001", "impossible-size", "out_channels of 'conv3-10000001' is 10,000,001", "", ""),
        ("conv3-{9*9*9*9*9*9*9*9}", "impossible-size", "out_channels of 'conv3-{9*9*9*9*9*9*9*9}' is 43,046", "", ""),
        ("times 1e999", "impossible-size", "factor of 'times 1e999' is 1e999, which is too large", "", ""),
        ("conv3-{in", "bad-notation", "cannot read 'conv3-{in'", "", ""),
        ("conv3-{in.x}", "unreadable-expression", "cannot read '(in.x)' as arithmetic: '.' is no part of", "", ""),
        ("conv3-{}", "unreadable-expression", "cannot read '()' as arithmetic: ')' stands where", "", ""),
    ],
)
def test_a_cell_that_cannot_be_read_says_why(cell: str, code: str, message: str, expected: str, helps: str):
    with pytest.raises(TableError) as caught:
        read(cell)
    (problem,) = caught.value.problems
    assert problem.code == code
    assert problem.message.startswith(message)
    assert expected in problem.expected
    assert helps in problem.help


def test_padding_and_the_start_of_a_slice_may_be_0():
    assert read("conv3-8 padding=0×1") == Conv(3, 8, padding=(0, 1))
    assert read("slice0:3").out_shape((1, 6, 2, 2)) == (1, 3, 2, 2)


def test_a_number_may_wait_for_the_incoming_channels():
    op = read("conv3-{in*6} groups={in}")
    assert free_names(op)
    assert bound(op, in_=32) == Conv(3, 192, groups=32)
    assert not free_names(read("conv3-64"))


@pytest.mark.parametrize(
    ("cell", "error", "message"),
    [
        ("conv3-{in-32}", ShapeError, "impossible-shape: {in-32} is 0 here, and a size is at least 1"),
        ("conv3-{in*999999}", ShapeError, "is 31999968 here, and a size is at most 10,000,000"),
        ("conv3-{out}", TableError, "unknown-placeholder: {out} has no value here"),
        ("conv3-{8//(in-32)}", TableError, "it divides by zero"),
    ],
)
def test_a_number_that_comes_out_impossible_is_refused(cell: str, error: type[Exception], message: str):
    with pytest.raises(error) as caught:
        bound(read(cell), in_=32)
    assert message in str(caught.value)


def test_an_op_without_a_notation_cannot_be_written():
    @dataclass(frozen=True)
    class Captured(Op):
        notation: ClassVar[str | None] = None

    with pytest.raises(TableError, match="no-notation: Captured has no notation: it cannot stand in a cell"):
        write(Captured())


def test_words_are_written_where_a_word_says_it():
    assert write(MaxPool(3, 2, padding=None)) == "maxpool3/2 same"
    assert write(Add(inplace=False)) == "add out-of-place"

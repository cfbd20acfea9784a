"""Sizes at many points: the same numbers as Python ints, however large, and no answer where there are many."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archscope.core.arithmetic import PointsDiffer, agree, ceil_div, choose, largest, product, smallest, unusable_points
from archscope.core.counts import LARGEST, Counts, plain
from archscope.core.errors import ShapeError

SIZES = st.integers(-LARGEST, LARGEST)
OPERATIONS = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
    "product": lambda a, b: product((a, b, a)),
    "largest": largest,
    "smallest": smallest,
    "choose": lambda a, b: choose(a > b, a + 1, b),
    "rounded up": ceil_div,
    "not": lambda a, b: -a + b,
}
COMPARISONS = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def counts(*sizes: int) -> Counts:
    return Counts(np.array(sizes, dtype=np.int64))


@pytest.mark.parametrize("name", OPERATIONS)
@given(st.lists(SIZES, min_size=1, max_size=4), SIZES)
def test_every_operation_gives_what_python_ints_give(name: str, several: list[int], one: int):
    operation = OPERATIONS[name]
    divides = name in {"//", "%", "rounded up"}
    if one or not divides:
        assert plain(operation(counts(*several), one)).tolist() == [operation(each, one) for each in several]
        together = plain(operation(counts(*several), counts(one)))
        assert together.tolist() == [operation(each, one) for each in several]
    if 0 not in several or not divides:
        assert plain(operation(one, counts(*several))).tolist() == [operation(one, each) for each in several]


@pytest.mark.parametrize("name", COMPARISONS)
@given(st.lists(SIZES, min_size=1, max_size=4), SIZES)
def test_comparisons_give_an_array_of_bools(name: str, several: list[int], one: int):
    compare = COMPARISONS[name]
    for other in (one, counts(one), np.array([one])):
        found = compare(counts(*several), other)
        assert found.dtype == bool
        assert found.tolist() == [compare(each, one) for each in several]


def test_numbers_are_int64_as_long_as_they_fit_and_python_ints_beyond():
    half = counts(2**61, 3)
    assert (half * 3).values.dtype == np.int64
    assert (half * 4).values.dtype == object
    assert (half * 4).values.tolist() == [2**63, 12]


def test_a_bound_that_is_too_careful_is_looked_up_anew_before_python_ints_do_the_work():
    small = counts(10**12, 10**12) // 10**9
    assert small.bound == 10**12
    assert (small * small).values.dtype == np.int64


def test_numpy_arrays_and_sizes_of_other_shapes_combine_as_numpy_has_it():
    column, row = Counts(np.array([[2], [3]])), np.array([5, 7])
    assert (column * row).values.tolist() == [[10, 14], [15, 21]]
    assert (row * column).values.tolist() == [[10, 14], [15, 21]]
    assert (row - column).shape == (2, 2)


def test_points_where_something_is_divided_by_0_are_unusable():
    with unusable_points() as failures:
        assert (12 // counts(4, 0)).values.tolist() == [3, 12]
    assert [failure.points.tolist() for failure in failures] == [[False, True]]
    with pytest.raises(ShapeError, match="a size is divided by 0"):
        counts(4, 5) % 0


def test_sizes_at_many_points_cannot_be_taken_for_true_and_have_no_hash():
    with pytest.raises(TypeError, match="neither true nor false: a rule decides with choose or require"):
        bool(counts(1, 2))
    with pytest.raises(TypeError, match="unhashable"):
        hash(counts(1, 2))


def test_a_message_shows_their_range():
    assert f"{counts(3, 9, 4)}; {counts(5, 5)}; {counts()}" == "3 to 9; 5; no sizes"


def test_two_shapes_agree_everywhere_or_nowhere_or_the_points_have_to_part():
    assert agree((1, counts(4, 8)), (1, counts(4, 8)))
    assert not agree((1, counts(4, 8)), (1, counts(8, 4)))
    assert not agree((1, 4), (1, 4, 4))
    with pytest.raises(PointsDiffer, match="differ in structure") as parted:
        agree((1, counts(4, 8)), (1, 4))
    assert parted.value.where.tolist() == [True, False]

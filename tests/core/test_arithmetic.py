"""Rules on whole arrays of sizes and on symbols: what fails for some points, and what is assumed."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from archscope.core.arithmetic import ceil_div, choose, largest, product, require, smallest, unusable_points
from archscope.core.errors import ShapeError

SIZES = st.integers(-999, 999)


@given(SIZES, SIZES, st.integers(1, 99))
def test_ints_arrays_and_symbols_give_the_same_numbers(a: int, b: int, divisor: int):
    x, y = sympy.symbols("x y", integer=True)
    for rule in (largest, smallest, lambda p, q: choose(p > q, p, q + 1), lambda p, q: ceil_div(p + q, divisor)):
        wanted = rule(a, b)
        assert rule(np.array([a, a]), np.array([b, b])).tolist() == [wanted, wanted]
        assert rule(x, y).subs({x: a, y: b}) == wanted


def test_the_product_of_nothing_is_one():
    assert product(()) == 1
    assert product((2, np.array([3, 4]))).tolist() == [6, 8]


def test_what_is_required_raises_for_numbers_with_its_message():
    require(True, lambda: pytest.fail("the message is only made when it is needed"))
    with pytest.raises(ShapeError) as caught:
        require(False, lambda: "a kernel is too large")
    assert str(caught.value) == "impossible-shape: a kernel is too large"


def test_what_is_required_of_an_array_raises_unless_points_are_collected():
    sizes = np.array([1, 5, 9])
    with pytest.raises(ShapeError, match="too small"):
        require(sizes > 4, lambda: "too small")
    require(sizes > 0, lambda: pytest.fail("all of them are"))
    with unusable_points() as failures:
        require(sizes > 4, lambda: "too small")
        require(sizes < 9, lambda: "too large")
    assert [failure.points.tolist() for failure in failures] == [[True, False, False], [False, False, True]]


def test_what_is_required_of_a_symbol_is_assumed():
    require(sympy.Symbol("n", integer=True) > 4, lambda: pytest.fail("nothing is known of it"))


def test_an_array_is_the_smallest_and_largest_of_itself() -> None:
    sizes = np.arange(3)
    assert smallest(sizes, sizes) is sizes
    assert largest(sizes, sizes) is sizes

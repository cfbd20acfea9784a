"""Formulas as text: in the order of lecture notes, evaluating to what the expressions are."""

from __future__ import annotations

import sympy
from hypothesis import given
from hypothesis import strategies as st
from printed_formulas import evaluate

from archscope.ops.conv import Conv
from archscope.ops.maxpool import MaxPool
from archscope.studies.explaining.formulas import at, formula, named, polynomial, spelled, symbol, times

M, K, P, S, D, C, C_OUT = (symbol(name) for name in ("M", "K", "P", "S", "D", "C", "C′"))


def test_an_output_size_reads_as_in_lecture_notes() -> None:
    size = Conv(kernel_size=(K, K), out_channels=C_OUT, stride=(S, S), padding=(P, P)).out_shape((1, C, M, M))[2]
    found = formula(size, {"M": 224, "K": 7, "P": 3, "S": 2})
    assert found == ("⌊(M − K + 2P)/S⌋ + 1", "⌊(224 − 7 + 2·3)/2⌋ + 1", 112)


def test_dilation_reaches_further() -> None:
    op = Conv(kernel_size=(K, K), out_channels=C_OUT, stride=(S, S), padding=(P, P), dilation=(D, D))
    found = formula(op.out_shape((1, C, M, M))[3], {"M": 28, "K": 3, "P": 2, "S": 1, "D": 2})
    assert found == ("⌊(M − D·(K − 1) + 2P − 1)/S⌋ + 1", "⌊(28 − 2·(3 − 1) + 2·2 − 1)/1⌋ + 1", 28)


def test_rounding_up_is_a_ceiling_and_a_window_that_begins_in_the_padding_is_left_out() -> None:
    op = MaxPool(kernel_size=(K, K), stride=(S, S), padding=(P, P), ceil_mode=True)
    for values, text, size in (
        ({"M": 112, "K": 3, "P": 0, "S": 2}, "⌈(M − K + 2P)/S⌉ + 1", 56),
        ({"M": 5, "K": 2, "P": 1, "S": 4}, "⌈(M − K + 2P)/S⌉", 2),
    ):
        with at(values):
            (found,) = {op.out_shape((1, C, M, M))[2]}
        assert formula(found, values)[::2] == (text, size)
        assert (
            evaluate(formula(found, values).numbers)
            == MaxPool(values["K"], values["S"], values["P"], ceil_mode=True).out_shape(
                (1, 1, values["M"], values["M"])
            )[2]
        )


def test_numbers_below_zero_stand_in_brackets_but_not_in_front() -> None:
    a, j = symbol("a"), symbol("j")
    assert formula(a - P * j, {"a": -14, "P": 1, "j": 4}) == ("a − P·j", "−14 − 1·4", -18)
    assert formula(K - a, {"a": -14, "K": 3}).numbers == "−(−14) + 3"


def test_products_keep_their_groups() -> None:
    assert times(["3", "3", "64"], ["128"]) == "(3·3·64)·128"
    assert times(["512"]) == "512"


def test_polynomials_have_their_highest_terms_first_and_one_bracket_for_the_batch() -> None:
    w, k, c, n = (symbol(name) for name in "wkcN")
    assert polynomial(5 * w + 3 * w**2 - 4097 * c) == "3·w² + 5·w − 4,097·c"
    assert polynomial(n * (w * k**2 + c) - 2 * n) == "N·(w·k² + c − 2)"
    assert polynomial(7 * n * w) == "7·N·w"
    assert polynomial(sympy.Integer(12)) == "12"
    assert polynomial(c * sympy.floor(k / 8 - sympy.Rational(9, 8)) ** 2) == "⌊k/8 − 9/8⌋²·c"


LETTERS = ("M", "K", "P", "S", "C′")


def expressions() -> st.SearchStrategy[sympy.Expr]:
    leaves = st.sampled_from([symbol(name) for name in LETTERS]) | st.integers(-9, 2000).map(sympy.Integer)
    pairs = st.tuples
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            pairs(inner, inner).map(lambda two: two[0] + two[1]),
            pairs(inner, inner).map(lambda two: two[0] - two[1]),
            pairs(inner, inner).map(lambda two: two[0] * two[1]),
            pairs(inner, st.sampled_from([symbol(name) for name in LETTERS])).map(lambda two: two[0] // two[1]),
            inner.map(lambda one: -(-one // symbol("S"))),
        ),
        max_leaves=6,
    )


@given(expressions(), st.lists(st.integers(1, 300), min_size=5, max_size=5))
def test_what_is_printed_evaluates_to_the_expression(expression: sympy.Expr, numbers: list[int]) -> None:
    values = dict(zip(LETTERS, numbers, strict=True))
    exact = expression.subs({symbol(name): value for name, value in values.items()})
    found = formula(expression, values)
    assert evaluate(found.numbers) == exact == found.value
    assert evaluate(spelled(expression, named), values) == exact
    assert evaluate(polynomial(expression), values) == exact

"""Arithmetic in tables: what it reads, that it is Python's, and what it refuses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import expressions

from archscope.core.errors import TableError
from archscope.core.expression import LONGEST, Expression, Name, Operation, bind, names, parse


def evaluated(expression: Expression, values: dict[str, int]) -> int:
    """What Python makes of it."""
    operations = {
        "+": int.__add__, "-": int.__sub__, "*": int.__mul__, "//": int.__floordiv__, "%": int.__mod__,
    }  # fmt: skip
    if isinstance(expression, Name):
        return values[expression.name]
    if isinstance(expression, Operation):
        operands = (evaluated(each, values) for each in (expression.left, expression.right))
        return operations[expression.symbol](*operands)
    return expression


def refused(text: str) -> str:
    with pytest.raises(TableError) as caught:
        bind(parse(text), {})
    (problem,) = caught.value.problems
    assert problem.code == "unreadable-expression"
    assert problem.expected == "numbers, names, + - * // % ( )"
    return problem.message.removeprefix(f"cannot read {text!r} as arithmetic: ")


@given(expressions())
def test_an_expression_reads_back_from_its_text(expression: Expression):
    if len(str(expression)) <= LONGEST:
        assert parse(str(expression)) == expression


@given(expressions(), st.integers(1, 999))
def test_bound_to_values_it_is_what_python_makes_of_it(expression: Expression, size: int):
    values = {name: size + number for number, name in enumerate(sorted(names(expression)))}
    try:
        wanted = evaluated(expression, values)
    except ZeroDivisionError:
        with pytest.raises(TableError, match="it divides by zero"):
            bind(expression, values)
    else:
        assert bind(expression, values) == wanted


@given(expressions(), st.integers(1, 99))
def test_values_may_come_one_after_another(expression: Expression, size: int):
    partly = expression
    try:
        for name in sorted(names(expression)):
            partly = bind(partly, {name: size})
        assert bind(partly, {}) == bind(expression, dict.fromkeys(names(expression), size))
    except TableError as error:
        assert "it divides by zero" in str(error)  # noqa: PT017  either way may come upon it


@given(expressions(), st.integers(-9, 9))
def test_what_is_partly_worked_out_reads_back_too(expression: Expression, size: int):
    try:
        partly = bind(expression, {"a": size})
    except TableError:
        return
    if isinstance(partly, Operation) and len(str(partly)) <= LONGEST:
        assert bind(parse(str(partly)), {}) == bind(partly, {})


@pytest.mark.parametrize(
    ("text", "value"),
    [("2+3*4", 14), ("(2+3)*4", 20), ("2-3-4", -5), ("2-(3-4)", 3), ("7//2*2", 6), ("17%5", 2), (" 6 * in ", 192)],
)
def test_operators_bind_as_usual(text: str, value: int):
    assert bind(parse(text), {"in": 32}) == value


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it ends where a number or a name was expected"),
        ("2+", "it ends where a number or a name was expected"),
        ("*2", "'*' stands where a number or a name was expected"),
        ("-2", "'-' stands where a number or a name was expected"),
        ("2 3", "'3' stands where an operator was expected"),
        ("(2", "a parenthesis is not closed"),
        ("2)", "')' stands where an operator was expected"),
        ("2/3", "'/' is no part of arithmetic"),
        ("2**3", "'*' stands where a number or a name was expected"),
        ("in.real", "'.' is no part of arithmetic"),
        ("f(2)", "'(' stands where an operator was expected"),
        ("a[0]", "'[' is no part of arithmetic"),
        ("'a'", '"\'" is no part of arithmetic'),
        ("1 if x else 2", "'if' stands where an operator was expected"),
        ("__import__('os')", '"\'" is no part of arithmetic'),
    ],
)
def test_what_is_no_arithmetic_is_refused_with_the_reason(text: str, why: str):
    assert refused(text) == why


def test_division_by_zero_is_refused():
    with pytest.raises(TableError, match=r"cannot read '3//\(2-2\)' as arithmetic: it divides by zero"):
        bind(parse("3//(2-2)"), {})


def test_length_is_bounded():
    assert parse("+".join(["1"] * 100))
    with pytest.raises(TableError, match=r"cannot read '1\+1\+1.*…' as arithmetic: longer than 200 characters"):
        parse("+".join(["1"] * 101))


@pytest.mark.parametrize("text", ["(" * 99 + "1" + ")" * 99, "*".join(["999999999999"] * 15), "%".join(["9"] * 99)])
def test_the_worst_that_fits_is_read(text: str):
    assert isinstance(bind(parse(text), {}) if "%" not in text else parse(text), int | Operation)

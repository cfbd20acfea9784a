"""Conditions on columns: what they mean, what units they need, and what is refused before any number is looked at."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archscope.core.conditions import columns_in, condition, holds, quantity
from archscope.core.counts import Counts
from archscope.core.errors import UsageError

UNITS = {
    "params": "count", "macs": "count", "peak_bytes": "bytes", "width": "count", "network": "text", "odd name": "count",
}  # fmt: skip
HUGE = 2**62
COLUMNS = {
    "params": Counts(np.array([1, 5_000_000, HUGE])),
    "macs": Counts(np.array([0, 7, HUGE])),
    "peak_bytes": Counts(np.array([1, 2**31, 2**40])),
    "width": np.array([0.5, 1, 2]),
    "network": "vgg16",
    "odd name": Counts(np.array([1, 2, 3])),
}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("params < 5M", [True, False, False]),
        ("params <= 5M", [True, True, False]),
        ("params == 5000k or macs == 0", [True, True, False]),
        ("peak_bytes < 2GiB", [True, False, False]),
        ("peak_bytes <= 2GiB and params > 1", [False, True, False]),
        ("peak_bytes > 2GB", [False, True, True]),
        ("peak_bytes > 2000000000", [False, True, True]),
        ("not params < 5M", [False, True, True]),
        ("not not params < 5M", [True, False, False]),
        ("params > 1 and macs > 7 or width == 1/2", [True, False, True]),
        ("params > 1 and (macs > 7 or width == 1/2)", [False, False, True]),
        ("width * 2 > 1.5", [False, True, True]),
        ("params * 4B > 10MB", [False, True, True]),
        ("peak_bytes / params > 400B", [False, True, False]),
        ("params + macs - 1 == 0", [True, False, False]),
        ("params // 2 * 2 == params", [False, True, True]),
        ("params % 2 == 1", [True, False, False]),
        ("network == 'vgg16'", True),
        ('network != "vgg16"', False),
        ("'vgg16' == network", True),
        ("'odd name' >= 2", [False, True, True]),
        ("params / macs > 1000", [True, True, False]),  # division by 0 is beyond all bounds
        ("params // macs >= 0", [False, True, True]),  # and has no whole result
        ("5 // 0 > 1 or params >= 0", [False, False, False]),
        ("not 5 % 0 == 1", [False]),
        ("params // 9999999999999999999999999999 < 1", [True, True, True]),
    ],
)
def test_a_condition_means_what_it_says(text: str, wanted: object):
    assert np.asarray(holds(condition(text, UNITS), COLUMNS)).tolist() == wanted


def test_nothing_in_a_condition_overflows():
    assert holds(condition("params * params * params > 1", UNITS), COLUMNS).tolist() == [False, True, True]
    assert holds(condition("params + params + params > 1", UNITS), COLUMNS).tolist() == [True, True, True]


@given(st.integers(0, 10**15), st.integers(0, 10**15))
def test_comparisons_of_counts_are_exact(a: int, b: int):
    columns = {"params": Counts(np.array([a])), "macs": b}
    for symbol, wanted in (("<", a < b), ("<=", a <= b), ("==", a == b), ("!=", a != b), (">", a > b), (">=", a >= b)):
        assert holds(condition(f"params {symbol} macs", UNITS), columns).tolist() == [wanted]


def test_a_condition_says_which_columns_it_looks_at_and_prints_as_it_reads():
    found = condition("not (params<5M or 'odd name'*2>3)and network=='params_'", UNITS)
    assert columns_in(found, UNITS) == ["params", "odd name", "network"]
    assert str(found) == "not (params < 5M or 'odd name'*2 > 3) and network == 'params_'"
    assert str(condition(str(found), UNITS)) == str(found)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("params < 2GiB", "mixed-units: 'params < 2GiB' mixes units: params is a count, 2GiB in bytes"),
        ("peak_bytes < 2G", "mixed-units: 'peak_bytes < 2G' mixes units: peak_bytes is in bytes, 2G a count"),
        ("peak_bytes + 1M < 2GiB", "mixed-units: 'peak_bytes+1M' mixes units: peak_bytes is in bytes, 1M a count"),
        (
            "peak_bytes * peak_bytes < 3B",
            "mixed-units: 'peak_bytes*peak_bytes < 3B' mixes units: peak_bytes*peak_bytes is bytes to the power of 2",
        ),
        ("network < 3", "mixed-units: 'network < 3' does more with a text than to ask whether it is another one"),
        ("network == 3", "mixed-units: 'network == 3' does more with a text than to ask whether it is another one"),
        ("parms < 5", "unknown-column: no column is called 'parms'"),
        (
            "params",
            "unreadable-expression: cannot read 'params' as a condition: it is a number, neither true nor false",
        ),
        ("params and macs < 1", "unreadable-expression: cannot read 'params and macs < 1' as a condition: params is"),
        ("1 < params < 3", "unreadable-expression: cannot read '1 < params < 3' as a condition: '<' stands between"),
        ("params = 5", "unreadable-expression: cannot read 'params = 5' as a condition: '=' is no part of a condition"),
        (
            "params < 5m",
            "unreadable-expression: cannot read 'params < 5m' as a condition: '5m' is no number with a unit",
        ),
        ("params < 1.2.3", "unreadable-expression: cannot read 'params < 1.2.3' as a condition: '1.2.3' is no number"),
        ("params <", "unreadable-expression: cannot read 'params <' as a condition: it ends where a number or a name"),
        ("", "unreadable-expression: cannot read '' as a condition: it ends where a number or a name was expected"),
        ("params.real < 3", "unreadable-expression: cannot read 'params.real < 3' as a condition: '.' is no part of"),
        (
            "__import__('os') < 1",
            "unreadable-expression: cannot read \"__import__('os') < 1\" as a condition: '(' stands",
        ),
        (
            "(" * 30 + "params < 1" + ")" * 30,
            f"unreadable-expression: cannot read '{'(' * 30}params < 1{')' * 30}' as a condition: more than 20 paren",
        ),
        (" or ".join(["params < 1"] * 15), "unreadable-expression: cannot read 'params < 1 or params…' as a condition"),
    ],
)
def test_what_is_no_condition_is_refused_with_the_reason(text: str, problem: str):
    with pytest.raises(UsageError) as caught:
        condition(text, UNITS)
    assert str(caught.value).startswith(problem)


def test_an_unknown_column_is_answered_with_all_that_there_are():
    with pytest.raises(UsageError, match=r"expected: params, macs, peak_bytes, .*\n  help:     did you mean params\?"):
        condition("parms < 5", UNITS)


@pytest.mark.parametrize(
    ("text", "number"), [("5M", 5_000_000), ("1.5G", 1_500_000_000), ("2GiB", 2**31), ("0.5", 0.5), ("12", 12)]
)
def test_a_quantity_is_a_number_with_a_unit(text: str, number: float):
    assert quantity(text).number == number
    assert isinstance(quantity(text).number, type(number))


@pytest.mark.parametrize(
    ("text", "message"),
    [("much", "'much' is no number"), ("5X", "'5X' is no number with a unit"), ("", "'' is no number")],
)
def test_what_is_no_quantity_is_refused(text: str, message: str):
    with pytest.raises(UsageError) as caught:
        quantity(text)
    assert str(caught.value) == f"bad-value: {message}\n  expected: a number such as 5M, 1.5G or 2GiB"

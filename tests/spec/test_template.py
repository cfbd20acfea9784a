"""Placeholders: filled from cells, and taken apart from one."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archscope.core.errors import TableError
from archscope.spec.template import LONGEST, fill, is_number, match, placeholders

WORD = st.text("abc123", min_size=1, max_size=4)


@given(st.lists(st.tuples(st.sampled_from(["×", "/", ", ", " (", "] ×", "-"]), WORD), min_size=1, max_size=6))
def test_what_was_filled_is_taken_apart_again(parts: list[tuple[str, str]]):
    template = "".join(f"{{v{number}}}{literal}" for number, (literal, _) in enumerate(parts))
    values = {f"v{number}": word for number, (_, word) in enumerate(parts)}
    assert match(template, fill(template, values)) == values


@given(WORD, WORD)
def test_a_name_that_stands_twice_has_one_value(one: str, other: str):
    assert match("{k}×{k}", f"{one}×{other}") == ({"k": one} if one == other else None)


@pytest.mark.parametrize(
    ("template", "text", "values"),
    [
        ("{k}×{k}, {out}, stride {s}", "7×7, 64, stride 2", {"k": "7", "out": "64", "s": "2"}),
        ("inception ({module})", "inception (3a)", {"module": "3a"}),
        ("inception ({module})", "inception  ( 3a)", None),
        ("inception ({module})", "inception ()", None),
        ("[{body}] ×{n}", "[1×1, 64; 3×3, 64] ×3", {"body": "1×1, 64; 3×3, 64", "n": "3"}),
        ("{a}b{c}", "ab b", None),
        ("{a}b{c}", "xb by", {"a": "xb ", "c": "y"}),
        ("{a}{b}", "x y", {"a": "x ", "b": "y"}),
        ("{a}{b}", "x", None),
        ("soft-max", "soft-max", {}),
        ("soft-max", "soft-max 2", None),
        ("max  pool", "max pool", {}),
        ("{#1×1}", "64", {"#1×1": "64"}),
        ("", "", {}),
        ("{a}", "", None),
    ],
)
def test_templates_take_texts_apart(template: str, text: str, values: dict[str, str] | None):
    assert match(template, text) == values


def test_placeholders_are_listed_in_order():
    assert placeholders("conv{ k }-{#3×3 reduce}{t*in}") == ["k", "#3×3 reduce", "t*in"]


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("conv{k}-{out}", "conv3-64"),
        ("conv{k*2+1}-{out//k}", "conv7-21"),
        ("conv1-{in} groups={in}", "conv1-{in} groups={in}"),
        ("conv1-{k*in}", "conv1-{3*in}"),
        ("conv1-{(k-4)*in}", "conv1-{(0-1)*in}"),
    ],
)
def test_arithmetic_is_worked_out_as_far_as_values_go(template: str, text: str):
    assert fill(template, {"k": "3", "out": "64"}) == text


@pytest.mark.parametrize(
    ("template", "code", "message"),
    [
        ("{q}", "unknown-placeholder", "nothing is called {q} here"),
        ("{k*q}", "unknown-placeholder", "nothing is called {q} here"),
        ("{0.__class__}", "unknown-placeholder", "nothing is called {0.__class__} here"),
        ("{k!r}", "unknown-placeholder", "nothing is called {k!r} here"),
        ("{k:>99999999}", "unknown-placeholder", "nothing is called {k:>99999999} here"),
        ("{}", "unknown-placeholder", "nothing is called {} here"),
        ("{empty}", "empty-cell", "{empty} is needed here, and its cell is empty"),
        ("{empty*2}", "empty-cell", "{empty} is needed here, and its cell is empty"),
        ("{word*2}", "not-a-number", "{word} is 'x', and arithmetic needs a whole number"),
        ("{square*2}", "not-a-number", "{square} is '²', and arithmetic needs a whole number"),
        ("{huge+1}", "not-a-number", f"{{huge}} is '{'9' * 13}', and arithmetic needs a whole number"),
        ("{k*}", "unreadable-expression", "cannot read 'k*' as arithmetic: it ends where a number or a name was"),
        ("{k//0}", "unreadable-expression", "cannot read 'k//0' as arithmetic: it divides by zero"),
    ],
)
def test_what_cannot_be_filled_is_refused(template: str, code: str, message: str):
    with pytest.raises(TableError) as caught:
        fill(template, {"k": "3", "empty": "", "word": "x", "square": "²", "huge": "9" * 13})
    (problem,) = caught.value.problems
    assert problem.code == code
    assert problem.message.startswith(message)


def test_no_text_grows_without_end():
    with pytest.raises(TableError, match=r"'xxxxxxxx.*'… has 2,001 characters, the most are 2,000"):
        fill("{x}{x}{x}", {"x": "x" * (LONGEST // 3 + 1)})
    with pytest.raises(TableError, match=r"'{x}{x}.*'… has 3,000,000 characters"):
        fill("{x}" * 1_000_000, {"x": "x"})


@pytest.mark.parametrize("letters", ["abcdefghijklmnopqrst", "aaaaaaaaaaaaaaaaaaaa"])
@pytest.mark.parametrize("between", ["", "x", " "])
def test_no_template_takes_long_on_any_text(letters: str, between: str):
    template = between.join(f"{{{letter}{number}}}" for number, letter in enumerate(letters)) + "!"
    start = time.process_time()
    assert match(template, "x" * 100_000) is None
    assert match(template, "x y " * 50_000) is None
    assert match("{a}" * 20_000, "x" * 20_000 + "!") is None
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    ("text", "is_one"), [("0", True), ("64", True), ("", False), ("²", False), ("-1", False), ("9" * 13, False)]
)
def test_sizes_are_whole_numbers_of_a_bounded_length(text: str, is_one: bool):
    assert is_number(text) is is_one

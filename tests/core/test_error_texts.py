"""How errors read: the picture of a place, several at once, what is kept short and what is spelled out."""

from __future__ import annotations

import pytest

from archscope.core.errors import (
    ArchscopeError,
    Problem,
    ShapeError,
    TableError,
    UnknownName,
    Unsupported,
    UsageError,
    located,
    nearest,
    unknown_name,
)
from archscope.core.source import Source, Span

SOURCE = Source("net.toml", "first\n| conv3-64 | relu |\r\n\nlast")


def picture(span: Span) -> list[str]:
    return str(Problem("code", "message", span)).splitlines()[1:]


def test_a_problem_without_a_place_is_a_line_with_what_helps():
    assert str(Problem("code", "what is wrong")) == "code: what is wrong"
    text = str(Problem("code", "what is wrong", None, "this", "do that"))
    assert text == "code: what is wrong\n  expected: this\n  help:     do that"


def test_carets_stand_under_the_span():
    assert picture(Span(SOURCE, 2, 3, 8, "row 1")) == [
        "    2 | | conv3-64 | relu |", "      |   ^^^^^^^^", "  in:       row 1",
    ]  # fmt: skip
    assert picture(Span(SOURCE, 2, 12)) == ["    2 | | conv3-64 | relu |", "      |            ^"]


@pytest.mark.parametrize(("line", "column"), [(3, 1), (5, 1), (99, 7)])
def test_an_empty_line_and_one_behind_the_end_have_no_picture(line: int, column: int):
    assert picture(Span(SOURCE, line, column)) == []


@pytest.mark.parametrize("column", [1, 40, 5000, 9990])
def test_a_long_line_is_cut_around_the_span(column: int):
    text = "-" * (column - 1) + "here" + "-" * 10_000
    shown, carets = picture(Span(Source("net.toml", text), 1, column, 4))
    assert shown[carets.index("^") : carets.rindex("^") + 1] == "here"
    assert len(shown) < 110


def test_carets_count_characters_that_are_spelled_out():
    shown, carets = picture(Span(Source("net.toml", "\x1b[2J conv \x07"), 1, 6, 4))
    assert shown == r"    1 | \x1b[2J conv \x07"
    assert shown[carets.index("^") : carets.rindex("^") + 1] == "conv"


def test_every_part_of_an_error_is_kept_short():
    long = "x" * 5000
    problem = Problem("code", long, Span(Source(long, long), 1, 1, 5000, long), long, long)
    assert all(len(line) < 2100 for line in str(problem).splitlines())
    assert str(problem).count("…") == 6


def test_an_error_holds_all_its_problems_in_order():
    error = TableError(Problem("a", "one"), Problem("b", "two"))
    assert str(error) == "a: one\nb: two"
    assert [problem.code for problem in error.problems] == ["a", "b"]


def test_a_place_is_given_to_problems_that_have_none():
    mine, its = Span(SOURCE, 1, 1), Span(SOURCE, 2, 1)
    error = located(ShapeError(Problem("a", "one", mine), Problem("b", "two")), its)
    assert isinstance(error, ShapeError)
    assert [problem.span for problem in error.problems] == [mine, its]


@pytest.mark.parametrize("kind", [TableError, ShapeError, UnknownName, Unsupported, UsageError])
def test_wrong_usage_ends_with_2_and_everything_else_with_1(kind: type[ArchscopeError]):
    assert issubclass(kind, ArchscopeError)
    assert kind.exit_code == (2 if kind is UsageError else 1)


def test_an_unknown_name_is_shown_with_those_that_are_near():
    assert str(unknown_name("column", "macz", ["params", "macs"])) == (
        "unknown-column: no column is called 'macz'\n  help:     did you mean macs?"
    )
    assert nearest("zzz", ["params", "macs"]) == ""

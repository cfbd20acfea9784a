"""The terminal format: what fits is printed, what does not is cut or given up, and said."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from archscope.formats import Field, Sheet, Spanning
from archscope.formats.terminal import render

FIELDS = (
    Field("name", "name"),
    Field("text", "text", keep=1, least=6),
    Field("more", "more", "count", keep=2),
    Field("a", "a", "count", keep=3),
    Field("b", "b", "count", keep=3),
)
SHEET = Sheet("test", "A title", FIELDS, (("one", "some words that are long", 1, 22, 333), ("two", "short", 0, 0, 0)))


def test_a_pipe_gets_everything() -> None:
    assert render(SHEET, None) == (
        "A title\n\n"
        "name  text                      more   a    b\n"
        "─────────────────────────────────────────────\n"
        "one   some words that are long     1  22  333\n"
        "two   short                        0   0    0\n"
    )


def test_long_texts_are_cut_before_columns_go() -> None:
    assert render(SHEET, 30).split("\n")[2:] == [
        "name  text       more   a    b",
        "──────────────────────────────",
        "one   some wor…     1  22  333",
        "two   short         0   0    0",
        "",
        "cut to fit 30 characters: text",
        "",
    ]


def test_columns_of_one_rank_go_together_the_highest_first() -> None:
    text = render(SHEET, 20)
    assert text.split("\n")[2:4] == ["name  text      more", "────────────────────"]
    assert "not shown in 20\ncharacters: a, b\n" in text
    assert render(SHEET, 12).split("\n")[2] == "name  text"
    assert "\nname\n────\none\ntwo\n" in render(SHEET, 5)


@given(st.integers(min_value=1, max_value=100))
def test_no_table_is_wider_than_its_terminal_nor_than_what_is_never_given_up(width: int) -> None:
    lines = render(SHEET, width).split("\n\n")[1].split("\n")
    assert max(map(len, lines)) <= max(width, 4)


def test_a_spanning_cell_stands_in_the_middle_of_its_columns() -> None:
    wide, long = Spanning("pool"), Spanning("longer than all of it")
    fields = tuple(Field(name, name, keep=n) for n, name in enumerate("ABC"))
    sheet = Sheet("test", "t", fields, (("conv", "conv", "conv"), (wide, wide, wide), ("x", long, long)))
    _, _, heads, rule, *rows = render(sheet, None).split("\n")
    assert (heads, rule) == ("A     B     C", "─" * 27)
    assert rows == ["conv  conv  conv", " " * 11 + "pool", "x     longer than all of it", ""]
    assert "\npool\n" in render(sheet, 4)


def test_a_row_of_which_nothing_is_left_is_left_out() -> None:
    fields = (Field("a", "a"), Field("b", "b", keep=1))
    sheet = Sheet("test", "t", fields, (("x", "long long long"), ("", "long")))
    assert render(sheet, None).endswith("x  long long long\n   long\n")
    assert "a\n─\nx\n\n" in render(sheet, 8)
    assert "not\nshown in" in render(sheet, 8)


def test_headings_stand_above_their_rows_and_their_columns_are_hidden() -> None:
    fields = (Field("group", "group", heading=True), Field("a", "a"))
    sheet = Sheet("test", "t", fields, (("g", "x"), ("h", "y")), headings={0: "g", 1: "h"}, closing=("done",))
    assert render(sheet, None) == "t\n\na\n─\ng\nx\n\nh\ny\n\ndone\n"


def test_a_total_is_ruled_off_and_notes_follow() -> None:
    sheet = Sheet("test", "t", FIELDS[:1], (("x",),), total=("total",), notes=("a note",), closing=("the end",))
    assert render(sheet, None) == "t\n\nname\n─────\nx\n─────\ntotal\n\na note\n\nthe end\n"


def test_wide_and_combining_characters_keep_the_columns_straight() -> None:
    fields = (Field("a", "a"), Field("b", "b"))
    rows = (("卷积", "|"), ("e\u0301", "|"), ("abcd", "|"))
    lines = render(Sheet("test", "t", fields, rows), None).split("\n")[4:7]
    assert {cell_len(line.partition("|")[0]) for line in lines} == {6}


def test_long_lines_are_wrapped_at_spaces() -> None:
    sheet = Sheet("test", "a title of several words", FIELDS[:1], (("x",),), notes=("a note of several words",))
    text = render(sheet, 12)
    assert text.startswith("a title of\nseveral\nwords\n\n")
    assert text.endswith("\n\na note of\nseveral\nwords\n")

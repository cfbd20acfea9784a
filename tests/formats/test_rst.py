"""What docutils makes of the reStructuredText format: a table with the very texts of the sheet, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from sheets import HOSTILE, sheet, spanning

from archscope import formats
from archscope.formats import Field, Sheet

core = pytest.importorskip("docutils.core")
nodes = pytest.importorskip("docutils.nodes")


def parsed(made: Sheet) -> Any:
    """docutils' tree; it raises for anything that it would warn of."""
    settings = {"halt_level": 1, "report_level": 1, "file_insertion_enabled": False, "raw_enabled": False}
    return core.publish_doctree(formats.render(made, "rst"), settings_overrides=settings)


def table(made: Sheet) -> list[list[tuple[str, int]]]:
    """The texts of the rows of the only table, each with the columns that it spans."""
    (found,) = parsed(made).findall(nodes.table)
    return [
        [(entry.astext(), 1 + entry.get("morecols", 0)) for entry in row.children] for row in found.findall(nodes.row)
    ]


@pytest.mark.parametrize("name", HOSTILE)
def test_every_text_comes_back_as_it_is_shown_and_makes_nothing(name: str) -> None:
    made = sheet(HOSTILE[name])
    tree = parsed(made)
    shown = formats.spelled(HOSTILE[name], "text").strip()
    cells = [[text for text, _ in row] for row in table(made)]
    assert cells == [
        [shown, "size", "n", "d"], [shown, "3×224×224", "1,000", "-5"], ["plain", "?", "?", "0"],
        ["total", "", "1,000", "-5"],
    ]  # fmt: skip
    assert [each.astext() for each in tree.findall(nodes.title)] == [shown]
    assert [each.astext() for each in tree.children[1:]] == [shown, shown]
    allowed = {
        "document", "table", "title", "tgroup", "colspec", "thead", "tbody", "row", "entry", "paragraph", "strong",
        "#text",
    }  # fmt: skip
    assert {each.tagname for each in tree.findall()} <= allowed


@pytest.mark.parametrize(
    "text",
    [
        "1. conv", "(a) conv", "- conv", "* conv", ".. raw:: html", ":field: x", "conv::", ">>> 1", "----", "-v x",
        "conv1_", "_x", "__init__", "[1]_", "|x|", "http://example.org", "javascript:x", "a@b.org", "\\", "ＶＧＧ 卷积",
    ],
)  # fmt: skip
def test_what_would_be_markup_is_text(text: str) -> None:
    made = sheet(text)
    assert [row[0][0] for row in table(made)] == [text, text, "plain", "total"]
    assert [each.astext() for each in parsed(made).children] == [parsed(made).children[0].astext(), text, text]
    assert not list(parsed(made).findall(nodes.reference))


def test_a_spanning_cell_spans_its_columns() -> None:
    assert table(spanning()) == [
        [("A", 1), ("B", 1), ("C", 1)],
        [("conv3-64", 1), ("conv3-64", 1), ("LRN", 1)],
        [("maxpool", 3)],
        [("", 1), ("maxpool", 2)],
    ]


def test_a_long_spanning_cell_widens_the_last_of_its_columns() -> None:
    wide = formats.Spanning("a text that is longer than both of its columns")
    made = Sheet("test", "t", (Field("a", "a"), Field("b", "b")), ((wide, wide), ("x", "y")))
    assert table(made)[1:] == [[(str(wide), 2)], [("x", 1), ("y", 1)]]


def test_a_picture_is_printed_as_it_is() -> None:
    made = sheet(picture=("█▏ *a*", "  b"))
    assert [each.astext() for each in parsed(made).findall(nodes.literal_block)] == ["█▏ *a*\n  b"]


def test_a_total_is_bold_and_numbers_of_layers_need_no_escape() -> None:
    made = Sheet("test", "t", (Field("a", "a"),), (("conv1_1",),), total=("total",))
    assert formats.render(made, "rst").split("\n")[3:10] == [
        "   +-----------+", "   | a         |", "   +===========+", "   | conv1_1   |", "   +-----------+",
        "   | **total** |", "   +-----------+",
    ]  # fmt: skip


def test_a_sheet_without_rows_is_a_table_of_its_heads() -> None:
    assert table(Sheet("test", "", (Field("a", "a"), Field("b", "b")), ())) == [
        [("a", 1), ("b", 1)],
        [("", 1), ("", 1)],
    ]

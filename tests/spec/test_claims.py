"""Which numbers a table is said to print: of which network, and what is refused."""

from __future__ import annotations

import pytest
from errors_at import table

from archscope.core.errors import TableError
from archscope.core.source import Source
from archscope.spec.claims import Claim, claims_of
from archscope.spec.table import read_table


def claims(text: str) -> list[Claim]:
    return list(claims_of(read_table(Source("net.toml", text))))


def test_a_printed_size_is_of_the_networks_that_have_a_cell_in_its_row():
    below = "[columns]\nout = { published = 'output' }"
    found = claims(table("| conv3-4 | conv3-8 | 8×8 |", "| relu | | 6×6 |", heads="| A | B | out |", below=below))
    assert [(each.network, each.text) for each in found] == [("A", "8×8"), ("B", "8×8"), ("A", "6×6")]


def test_a_source_is_about_a_network_of_the_table():
    below = "[[published]]\nsource = 'a tool'\nnetwork = 'C'\ntotals = { params = '1' }"
    with pytest.raises(TableError) as caught:
        claims(table("| relu |", heads="| A |", below=below))
    assert str(caught.value).splitlines() == [
        "net.toml:8:3: unknown-network: 'C' is no network of this table",
        "    8 | [[published]]",
        "      |   ^^^^^^^^^",
        "  expected: A",
    ]

"""``archscope keys`` is what a table file may hold, and nothing that it may not."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

GRID = "title = 'A'\ninput = [1, 8, 8]\ngrid = '''\n| A |\n|---|\n| FC-2 |\n'''\n"


def keys_by_section(printed: str) -> dict[str, list[str]]:
    sections: dict[str, list[str]] = {}
    for each in json.loads(printed)["keys"]:
        sections.setdefault(each["section"], []).append(each["key"])
    return sections


@pytest.mark.parametrize("section", ["blocks", "networks.*", "published", "errata", "side_branches", "columns.*"])
def test_the_keys_of_a_section_are_those_that_a_table_may_hold(section: str, archscope: Callable, here: Path) -> None:
    printed = keys_by_section(archscope("keys --format json").out)[section]
    head = section.replace("*", "A")
    wrong = f"[[{head}]]" if "." not in head else f"[{head}]"
    (here / "wrong.toml").write_text(f"{GRID}{wrong}\nnothing_such = 1\n", encoding="utf-8")
    said = archscope("check wrong.toml").err
    found = re.search(r"'nothing_such' means nothing here\n(?:.*\n){2}\s*expected: (.*)\n", said)
    assert found is not None, said
    accepted = found[1].split(", ")
    assert set(printed) <= set(accepted)
    assert set(accepted) - set(printed) <= {"values"}  # a section of its own


def test_every_section_has_a_heading_and_every_key_a_meaning(archscope: Callable) -> None:
    shown = archscope("keys", columns=120).out
    assert "[[blocks]] what a row, a cell or a name stands for that is more than a layer\n" in shown
    assert "[columns] what a column holds; one that is not described is a network\n" in shown
    assert "\nat the top of the file\ntitle " in shown
    assert all(each["means"] for each in json.loads(archscope("keys --format json").out)["keys"])


def test_one_section_is_shown_alone(archscope: Callable) -> None:
    outcome = archscope("keys columns --format json")
    assert keys_by_section(outcome.out) == {"columns": ["*"], "columns.*": ["cell", "next", "published", "K"]}


def test_a_section_that_there_is_not_is_an_error(archscope: Callable) -> None:
    outcome = archscope("keys blokcs")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err == "unknown-section: no section is called 'blokcs'\n  help:     did you mean blocks?\n"
    assert archscope("keys title").code == 1

"""Every rule keeps the contract: a level, a source, a function, an id that is its file's name; and it has a test."""

from __future__ import annotations

from pathlib import Path

import pytest

from archscope import linting

TESTS = "\n".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))


@pytest.mark.parametrize("name", linting.named())
def test_a_rule_says_its_level_and_who_met_the_mistake(name: str) -> None:
    rule = linting.find(name)
    assert rule.LEVEL in linting.LEVELS
    assert len(rule.SOURCE) > 10
    assert Path(rule.__file__).stem.replace("_", "-") == name
    assert list(rule.examine(linting.Subject("nothing"))) == []


@pytest.mark.parametrize("name", linting.named())
def test_every_rule_has_a_test_that_names_it(name: str) -> None:
    assert f'"{name}"' in TESTS


def test_the_folder_is_the_register() -> None:
    files = {path.stem for path in Path(linting.__file__).parent.glob("*.py")} - {"__init__"}
    assert {name.replace("-", "_") for name in linting.named()} == files

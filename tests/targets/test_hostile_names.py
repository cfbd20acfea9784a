"""Names and titles of strangers in what is written: code, tables, drawings; and Pillow's choice of formats."""

from __future__ import annotations

import ast
import os
import tomllib
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import archscope
from archscope.core.errors import ArchscopeError, TableError
from archscope.running.images import shown
from archscope.training.pictures import read_pictures

STEERING = r"\u001b[2J\u001b]8;;http://example.org\u0007\u009b31m\u202e\u0000"
CODE = r"\"\"\"\n__import__('os').system('touch touched')\n'''; {0.__class__} %%{init: {}}%%"

TABLE = """title = "TEXT"
table = "TEXT"
note = "TEXT"
input = [3, 32, 32]
grid = '''
| layer | A |
|-------|---|
| c1 | conv3-8 |
| f | FC-10 |
'''
[columns]
layer = "label"
[networks]
"TEXT" = { column = "A", changes = ["TEXT"] }
"""


@pytest.fixture(params=[STEERING, CODE], ids=["steering", "code"])
def table(request: pytest.FixtureRequest, here: Path) -> str:
    (here / "net.toml").write_text(TABLE.replace("TEXT", request.param), encoding="utf-8")
    return "./net.toml"


def test_python_source_is_a_docstring_and_classes(table: str, here: Path) -> None:
    text = archscope.export(table, to="python")
    assert isinstance(text, str)
    assert text.replace("\n", "").isprintable()
    tree = ast.parse(text)
    kinds = [type(each).__name__ for each in tree.body]
    assert (kinds[0], set(kinds[1:]) <= {"Import", "ImportFrom", "ClassDef"}) == ("Expr", True)
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == "__import__"]
    assert not (here / "touched").exists()


def test_a_table_reads_back_with_the_same_texts(table: str, here: Path) -> None:
    try:
        text = archscope.export(table, to="toml")
    except ArchscopeError as error:
        assert "three quotes" in str(error)  # noqa: PT017  only the other text can be written
        return
    assert isinstance(text, str)
    assert text.replace("\n", "").isprintable()
    before = tomllib.loads((here / "net.toml").read_text(encoding="utf-8"))
    assert tomllib.loads(text)["title"] == before["title"]


@pytest.mark.parametrize("to", ["svg", "mermaid", "dot"])
def test_a_drawing_shows_texts_as_texts(table: str, to: str) -> None:
    text = archscope.draw(table, to)
    assert text.replace("\n", "").isprintable()
    assert "%%{" not in text or to != "mermaid"
    if to == "svg":
        ET.fromstring(text)  # noqa: S314  our own


@pytest.mark.parametrize("name", ["x; import os", "a b", "__class__", "import", "é"])
def test_no_part_of_a_module_has_a_name_that_is_code(name: str, here: Path) -> None:
    text = TABLE.replace("TEXT", "net").replace("| c1 |", f"| {name} |")
    (here / "net.toml").write_text(f'{text}[names]\n"{{x}}" = "{{x}}"\n', encoding="utf-8")
    with pytest.raises(TableError, match=r"bad-name: .* cannot name a part of a module"):
        archscope.export("./net.toml", to="python")


@pytest.mark.parametrize("name", ["resnet18", "no_such_network", "../../etc/passwd"])
def test_another_network_of_torchvision_is_not_taken_for_this_one(name: str, here: Path) -> None:
    text = TABLE.replace("TEXT", "net").replace('column = "A"', f'column = "A", torchvision = "{name}"')
    (here / "net.toml").write_text(text, encoding="utf-8")
    found = archscope.check("./net.toml", witnesses=["torchvision"])
    assert [each.status for each in found] == ["refuted" if name == "resnet18" else "unavailable"]


def test_postscript_is_no_picture(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = here / "bin" / "gs"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ntouch {here}/touched\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    (here / "a.jpg").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n%%EOF\n")
    with pytest.raises(ArchscopeError, match="is no image that Pillow reads"):
        shown(Path("a.jpg"), (3, 8, 8))
    with pytest.raises(ArchscopeError, match="cannot be read as a picture"):
        read_pictures([Path("a.jpg")], lambda picture: picture)
    assert not (here / "touched").exists()


@pytest.mark.parametrize(("name", "written"), [("None", "NoneNetwork"), ("true", "TrueNetwork"), ("class", "Class")])
def test_a_network_called_as_a_word_of_python_is_a_class_all_the_same(name: str, written: str) -> None:
    spec = archscope.load(["conv3-4", "FC-2"], input=(3, 8, 8))
    made: dict[str, type] = {}
    exec(str(archscope.export(replace(spec, name=name), "python")), made)  # noqa: S102  what it is written for
    assert made[written]()(torch.zeros(2, 3, 8, 8)).shape == (2, 2)

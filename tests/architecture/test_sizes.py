"""The shape of the code: short files and functions, names that do not hide verbs, one op a file, docstrings."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from pathlib import Path

import pytest

import archscope
from archscope import analyses, commands, formats, ops

PACKAGE = Path(archscope.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
NAMES = [str(path.relative_to(PACKAGE)) for path in FILES]
FOLDERS = {
    "api", "core", "ops", "spec", "graph", "analyses", "studies", "drawings", "formats", "targets", "capturing",
    "evidence", "linting", "reports", "running", "training", "commands",
}  # fmt: skip

Function = ast.FunctionDef | ast.AsyncFunctionDef


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def public(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, Function | ast.ClassDef]]:
    """The functions and classes that others may use, methods included."""
    for node in body:
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
            yield f"{prefix}{node.name}", node
            if isinstance(node, ast.ClassDef):
                yield from public(node.body, f"{node.name}.")


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_no_file_is_longer_than_350_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 350


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_no_function_is_longer_than_60_lines(path: Path) -> None:
    functions = [node for node in ast.walk(tree(path)) if isinstance(node, Function)]
    assert not [node.name for node in functions if node.end_lineno - node.lineno + 1 > 60]


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_everything_public_says_what_it_is_for(path: Path) -> None:
    module = tree(path)
    inherited = {"ops"}  # the contract in ops/__init__.py documents the rules of every op
    silent = [] if ast.get_docstring(module) else ["the module"]
    for name, node in public(module.body):
        if path.parent.name in inherited and "." in name and not name.startswith("Op."):
            continue
        silent += [] if ast.get_docstring(node) else [name]
    assert not silent


def test_no_module_bears_the_name_of_a_public_verb() -> None:
    modules = {path.stem for path in PACKAGE.glob("*.py")} | {path.name for path in PACKAGE.iterdir() if path.is_dir()}
    assert not modules & set(archscope.__all__)


def test_every_public_verb_is_there() -> None:
    for name in archscope.__all__:
        assert callable(getattr(archscope, name))
    assert sorted(archscope.__all__) == archscope.__all__


def test_the_package_has_the_folders_of_the_design_and_no_other() -> None:
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir()} - {"__pycache__"}
    assert folders <= FOLDERS
    assert {path.stem for path in PACKAGE.glob("*.py")} == {"__init__", "__main__", "catalog"}


def test_no_file_is_a_stub() -> None:
    empty = [name for name, path in zip(NAMES, FILES, strict=True) if len(tree(path).body) < 2]
    assert {name.rpartition("/")[2] for name in empty} <= {"__init__.py"}


@pytest.mark.parametrize("name", ops.named())
def test_every_file_of_ops_is_one_op_with_an_example(name: str) -> None:
    path = PACKAGE / "ops" / f"{name}.py"
    classes = [node for node in tree(path).body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
    assert len(classes) == 1
    assert ">>> " in path.read_text(encoding="utf-8")
    assert [op.__module__ for op in ops.everything()].count(f"archscope.ops.{name}") == 1


def test_every_folder_that_is_a_register_finds_its_files() -> None:
    for module in (ops, analyses, formats):
        found = {path.stem for path in Path(module.__file__).parent.glob("*.py")} - {"__init__"}
        assert set(module.named()) == found
    assert set(commands.named()) == {p.stem.rstrip("_") for p in Path(commands.__file__).parent.glob("[!_]*.py")}


@pytest.mark.parametrize("name", ["list", "summary", "ops"])
def test_a_trailing_underscore_is_for_builtins_only(name: str) -> None:
    stem = f"{name}_" if hasattr(builtins, name) else name
    assert (PACKAGE / "commands" / f"{stem}.py").is_file()

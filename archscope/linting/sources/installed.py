"""Which names does an installed package offer? Read from its files, so that asking costs no import."""

from __future__ import annotations

import ast
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from archscope.core.python_text import parsed

DYNAMIC = "__getattr__"


@lru_cache(maxsize=512)
def names_in(module: str) -> frozenset[str] | None:
    """The names that a module offers, submodules included; None where that cannot be said.

    It cannot for a package that is not installed, or a module that makes its names as it is asked for them. A module
    that the package does not have has no names.
    """
    path = _file_of(module)
    if path is None:
        return None
    if not path.is_file():
        return frozenset()
    found: set[str] = set()
    for node in ast.walk(parsed(path.read_text(encoding="utf-8"))):
        found |= _bound(node, module, is_package=path.name == "__init__.py")
    if DYNAMIC in found:
        return None
    if path.name == "__init__.py":
        found |= {each.stem for each in path.parent.iterdir() if each.suffix in {".py", ".so", ".pyd"} or each.is_dir()}
    return frozenset(found)


def version_of(package: str) -> str:
    """The version of an installed package, as its own ``version.py`` has it; empty where it has none."""
    path = _file_of(f"{package}.version")
    if path is None or not path.is_file():
        return ""
    for node in parsed(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__version__":
            return str(ast.literal_eval(node.value)).partition("+")[0]
    return ""


def _file_of(module: str) -> Path | None:
    """Where a module of an installed package is, or would be; None where the package is not installed."""
    package, *parts = module.split(".")
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent.joinpath(*parts)
    return folder / "__init__.py" if folder.is_dir() or not parts else folder.with_suffix(".py")


def _bound(node: ast.AST, module: str, *, is_package: bool) -> set[str]:
    """The names that a statement binds."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        return {node.id}
    if isinstance(node, ast.Import):
        return {each.asname or each.name.partition(".")[0] for each in node.names}
    if not isinstance(node, ast.ImportFrom):
        return set()
    if node.names[0].name != "*":
        return {each.asname or each.name for each in node.names}
    source = _absolute(node, module, is_package=is_package)
    return {name for name in names_in(source) or () if not name.startswith("_")}


def _absolute(node: ast.ImportFrom, module: str, *, is_package: bool) -> str:
    """The full name of the module that is imported from."""
    parts = module.split(".")
    base = parts[: len(parts) - node.level + is_package] if node.level else []
    return ".".join([*base, *([node.module] if node.module else [])])

"""A test loader is made and never read: nothing in the script says how well the network does on new data."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from archscope.linting import WARNING, Found, Subject
from archscope.linting.sources.evaluations import TEST
from archscope.linting.sources.syntax import Script, assigned, words_of

LEVEL = WARNING
SOURCE = "course notes"


def examine(subject: Subject) -> Iterator[Found]:
    """Loaders of a test set that no one reads in the file."""
    if subject.script is None:
        return
    script = subject.script
    for node in script.nodes:
        for target, value in assigned(node):
            if _is_loader(script, target, value) and not _read(script, target):
                yield Found(
                    f"{ast.unparse(target)!r} is never read",
                    "the only numbers are those of training: a network that has learnt 50,000 images by heart looks "
                    "perfect",
                    "evaluate on it once, after training, in eval mode",
                    span=script.span(target),
                )


def _is_loader(script: Script, target: ast.expr, value: ast.expr | None) -> bool:
    if not isinstance(target, ast.Name | ast.Attribute):
        return False
    words = words_of(ast.unparse(target))
    made = (
        any(name.endswith("DataLoader") for name, _ in script.calls(value)) if value is not None else "loader" in words
    )
    return made and bool(set(words) & TEST or "testloader" in words)


def _read(script: Script, target: ast.expr) -> bool:
    text = ast.unparse(target)
    nodes = script.nodes
    return any(
        isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load) and ast.unparse(node) == text
        for node in nodes
    ) or _exported(script, text)


def _exported(script: Script, name: str) -> bool:
    lists = (value for node in script.tree.body for target, value in assigned(node) if ast.unparse(target) == "__all__")
    return any(
        isinstance(each, ast.Constant) and each.value == name for value in lists if value for each in ast.walk(value)
    )

"""Mean losses of batches are added up and divided by the number of examples, though each is a mean already."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from archscope.linting import ERROR, Found, Subject
from archscope.linting.sources.syntax import Scope, Script, constant, keyword_of, words_of
from archscope.linting.sources.training_script import loops_around, loss_calls, losses

LEVEL = ERROR
SOURCE = "PyTorch documentation of CrossEntropyLoss: reduction='mean' by default; course notes"


def examine(subject: Subject) -> Iterator[Found]:
    """Divisions of a sum of mean losses by a count of examples."""
    if subject.script is None or _sums(subject.script):
        return
    for scope in subject.script.scopes():
        yield from _in_scope(subject.script, scope)


def _in_scope(script: Script, scope: Scope) -> Iterator[Found]:
    sums = _sums_of_means(script, scope)
    counts = _counts(script, scope)
    for node in script.own(scope):
        divided = _division(node)
        if divided is None:
            continue
        total, by = divided
        if ast.unparse(total) in sums and (_is_count(by) or ast.unparse(by) in counts):
            batch = _batch_size(script)
            yield Found(
                f"{ast.unparse(total)!r}, a sum of batch means, is divided by the number of examples "
                f"{ast.unparse(by)!r}",
                f"the printed loss is too small by the batch size{f': {batch}×' if batch else ''}, and changes with it",
                "divide by the number of batches, or add up loss.item() * x.size(0)",
                span=script.span(node),
            )


def _sums(script: Script) -> bool:
    """Whether a loss of the file adds up over the batch."""
    calls = [call for _, call in losses(script).values()] + list(loss_calls(script))
    return any(constant(keyword_of(call, "reduction")) in {"sum", "none"} for call in calls)


def _sums_of_means(script: Script, scope: Scope) -> set[str]:
    """The names that mean losses are added up in: ``total += loss.item()``, without a factor."""
    values = {
        ast.unparse(target)
        for node in script.own(scope)
        for target, value in _assigned(node)
        if _is_loss(script, value)
    }
    found = set()
    for node in script.own(scope):
        if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add) and loops_around(script, node):
            plain = _plain(node.value)
            if plain is not None and (ast.unparse(plain) in values or _is_loss(script, plain)):
                found.add(ast.unparse(node.target))
    return found


def _assigned(node: ast.AST) -> list[tuple[ast.expr, ast.expr]]:
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        return [(node.targets[0], node.value)]
    return []


def _is_loss(script: Script, node: ast.expr) -> bool:
    return node in loss_calls(script)


def _plain(node: ast.expr) -> ast.expr | None:
    """A loss without ``.item()``, ``.detach()`` and the like; None where it is scaled."""
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and not node.args:
        node = node.func.value
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float" and node.args:
        return _plain(node.args[0])
    return None if isinstance(node, ast.BinOp) else node


def _division(node: ast.AST) -> tuple[ast.expr, ast.expr] | None:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        return node.left, node.right
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Div):
        return node.target, node.value
    return None


def _is_count(node: ast.expr) -> bool:
    """``len(train_set)``, ``len(loader.dataset)``, ``dataset_sizes[phase]``: a number of examples."""
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "len" and node.args:
        words = words_of(ast.unparse(node.args[0]))
        return words[-1] in {"dataset", "set", "data", "trainset", "testset", "valset", "images"}
    words = words_of(ast.unparse(node.value if isinstance(node, ast.Subscript) else node))
    return bool(
        {"dataset", "sizes"} <= set(words) or {"dataset", "size"} <= set(words) or words[-2:] == ["num", "samples"]
    )


def _counts(script: Script, scope: Scope) -> set[str]:
    """The names that examples are counted in: ``total += y.size(0)``."""
    found = set()
    for node in script.own(scope):
        if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add) and loops_around(script, node):
            text = ast.unparse(node.value)
            if text.endswith((".size(0)", ".shape[0]")) or (text.startswith("len(") and "loader" not in text):
                found.add(ast.unparse(node.target))
    return found


def _batch_size(script: Script) -> object:
    """The batch size that a loader of the file is made with, where it is a number."""
    for name, call in script.calls():
        if name.endswith("DataLoader"):
            size = constant(keyword_of(call, "batch_size", 1))
            if isinstance(size, int):
                return size
    return None

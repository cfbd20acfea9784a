"""A loss is added up over batches together with its graph, so that no batch's graph can be freed."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from archscope.linting import ERROR, Found, Subject
from archscope.linting.sources.syntax import Scope, Script
from archscope.linting.sources.training_script import holds_graph, loops_around, loss_calls, loss_values, without_grad

LEVEL = ERROR
SOURCE = "PyTorch FAQ, 'My model reports cuda runtime error(2): out of memory'; course notes"


def examine(subject: Subject) -> Iterator[Found]:
    """Every sum or list over batches that holds losses and not numbers."""
    if subject.script is None:
        return
    for scope in subject.script.scopes():
        yield from _in_scope(subject.script, scope)


def _in_scope(script: Script, scope: Scope) -> Iterator[Found]:
    names, calls, nodes = loss_values(script, scope), loss_calls(script), script.own(scope)
    backward = {
        ast.unparse(each.value) for each in nodes if isinstance(each, ast.Attribute) and each.attr == "backward"
    }
    for node in nodes:
        kept = _kept(node)
        if kept is None or not loops_around(script, node) or without_grad(script, node):
            continue
        target, value = kept
        if ast.unparse(target) not in backward and holds_graph(value, names - {ast.unparse(target)}, calls):
            total, loss = ast.unparse(target), ast.unparse(value)
            yield Found(
                f"{total!r} keeps {loss!r} with its graph",
                "each batch's graph stays reachable from it: after 1,000 batches 1,000 of them, and memory grows",
                f"{total} += {loss}.item()" if isinstance(node, ast.AugAssign) else f"keep {loss}.item()",
                span=script.span(node),
            )


def _kept(node: ast.AST) -> tuple[ast.expr, ast.expr] | None:
    """What a statement adds to, and what: ``total += loss``, ``total = total + loss``, ``losses.append(loss)``."""
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add):
        return node.target, node.value
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.BinOp) and isinstance(node.value.op, ast.Add):
        left, right = node.value.left, node.value.right
        same = ast.unparse(node.targets[0])
        if same in {ast.unparse(left), ast.unparse(right)}:
            return node.targets[0], right if ast.unparse(left) == same else left
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "append" and node.args:
        return node.func.value, node.args[0]
    return None

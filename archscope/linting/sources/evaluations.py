"""Where does a training script evaluate? Loops over held-out data, and the mode that the model is in there."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import NamedTuple

from archscope.linting.sources.syntax import Function, Scope, Script, assigned, constant, keyword_of, words_of

TEST = frozenset({"test", "testing", "testset", "testloader"})
HELD_OUT = TEST | {"val", "valid", "validation", "eval", "dev", "holdout", "valloader", "valset"}
_EVALUATES = HELD_OUT | {"evaluate", "evaluation", "validate", "predict", "inference"}
_MODELS = frozenset({"model", "net", "network", "classifier", "cnn"})


class Evaluation(NamedTuple):
    """A loop that runs a model on held-out data: the loop, the call of the model, and the model's name."""

    loop: ast.For
    call: ast.Call
    model: str


def evaluations(script: Script) -> Iterator[Evaluation]:
    """The loops that evaluate: they call a model, make no step, and their data or their function says what they do."""
    for node in script.nodes:
        if not isinstance(node, ast.For) or not _is_held_out(script, node):
            continue
        names = {getattr(call.func, "attr", "") for _, call in script.calls(node)}
        if names & {"backward", "step"}:
            continue
        called = [call for _, call in script.calls(node) if _is_model(call.func) and call.args]
        if called and not any(isinstance(each, ast.For) and _is_held_out(script, each) for each in _inside(node)):
            yield Evaluation(node, called[0], ast.unparse(called[0].func))


def _inside(loop: ast.For) -> Iterator[ast.AST]:
    return (each for statement in loop.body for each in ast.walk(statement))


def _is_model(func: ast.expr) -> bool:
    named = isinstance(func, ast.Name | ast.Attribute)
    return named and bool(_MODELS & set(words_of(ast.unparse(func).rpartition(".")[2])))


def _is_held_out(script: Script, loop: ast.For) -> bool:
    data = {word for each in ast.walk(loop.iter) if isinstance(each, ast.Name | ast.Attribute) for word in _words(each)}
    if data & HELD_OUT:
        return True
    scope = script.scope_of(loop)
    names = isinstance(scope, Function) and set(words_of(scope.name)) & _EVALUATES
    return bool(names) and not data & {"train", "training", "epochs", "range"}


def _words(node: ast.Name | ast.Attribute) -> list[str]:
    return words_of(node.id if isinstance(node, ast.Name) else node.attr)


def is_test(script: Script, node: ast.AST | None, depth: int = 3) -> bool:
    """Whether an expression is of the test set: by its names, or because it was made from what is.

    ``CIFAR10(train=False)`` and ``ImageFolder("data/test")`` are test sets, whatever they are called.
    """
    return any(_says_test(script, each, depth) for each in (ast.walk(node) if node is not None else ()))


def _says_test(script: Script, node: ast.AST, depth: int) -> bool:
    if isinstance(node, ast.keyword):
        return node.arg == "train" and constant(node.value) is False
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        words = set(words_of(node.value))
        return bool(words & TEST) and not words & (HELD_OUT - TEST)
    if isinstance(node, ast.Name | ast.Attribute) and set(_words(node)) & TEST:
        return True
    made = _made(script, node) if isinstance(node, ast.Name) and depth else []
    return any(is_test(script, value, depth - 1) for value in made)


def _made(script: Script, name: ast.Name) -> list[ast.expr]:
    """What a name is assigned from, in its scope or in the module; what it is bound to in a loop over a loader, too."""
    found: list[ast.expr] = []
    for scope in {script.scope_of(name), script.tree}:
        for node in script.own(scope):
            found += [value for target, value in assigned(node) if value is not None and _names(target, name.id)]
            if isinstance(node, ast.Assign) and any(
                isinstance(each, ast.Tuple) and _names(each, name.id) for each in node.targets
            ):
                found.append(node.value)
    return found


def _names(target: ast.AST, name: str) -> bool:
    return any(isinstance(each, ast.Name) and each.id == name for each in ast.walk(target))


def everywhere(script: Script, node: ast.AST, holds: Callable[[ast.AST], bool], depth: int = 3) -> bool:
    """Whether something holds at a node, or else wherever the function that it lies in is called, in this file."""
    if holds(node):
        return True
    scope = script.scope_of(node)
    if not isinstance(scope, Function) or depth == 0:
        return False
    sites = [
        call for _, call in script.calls() if _last(call.func) == scope.name and script.scope_of(call) is not scope
    ]
    return bool(sites) and all(everywhere(script, site, holds, depth - 1) for site in sites)


def _last(func: ast.expr) -> str:
    return func.id if isinstance(func, ast.Name) else getattr(func, "attr", "")


def in_eval_mode(script: Script, node: ast.AST) -> bool:
    """Whether, in the text of its scope, ``eval()`` was the last mode that was set before a node."""
    scope: Scope = script.scope_of(node)
    last = ""
    for each in script.own(scope):
        if not isinstance(each, ast.Call) or not isinstance(each.func, ast.Attribute):
            continue
        if each.lineno > getattr(node, "lineno", 0):
            continue
        if each.func.attr == "eval" and not each.args:
            last = "eval"
        elif each.func.attr == "train" and _sets_mode(each):
            last = "eval" if constant(keyword_of(each, "mode", 0)) is False else "train"
    return last == "eval"


def _sets_mode(call: ast.Call) -> bool:
    """``model.train()`` and ``model.train(False)``; not ``trainer.train(model, loader)``."""
    mode = keyword_of(call, "mode", 0)
    return len(call.args) < 2 and (mode is None or isinstance(constant(mode), bool))

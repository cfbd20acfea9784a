"""The best checkpoint is chosen by its score on the test set, which then measures nothing any more."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from archscope.linting import ERROR, Found, Subject
from archscope.linting.sources.evaluations import is_test
from archscope.linting.sources.syntax import Script
from archscope.linting.sources.training_script import loops_around

LEVEL = ERROR
SOURCE = "Goodfellow, Bengio, Courville: Deep Learning, section 5.3; course notes"

_KEEPS = frozenset({"save", "state_dict", "deepcopy", "save_checkpoint", "save_model", "save_weights"})


def examine(subject: Subject) -> Iterator[Found]:
    """Comparisons within a loop that decide on a checkpoint and look at the test set."""
    if subject.script is None:
        return
    script = subject.script
    for node in script.nodes:
        if isinstance(node, ast.If) and loops_around(script, node) and _keeps(script, node):
            score = next((each for each in _scores(node) if is_test(script, each)), None)
            if score is not None:
                yield Found(
                    f"the checkpoint is kept by {ast.unparse(score)!r}, a score on the test set",
                    "the best of many epochs on the test set is too good: of 100 epochs whose accuracies scatter by "
                    "0.5 % "
                    "around one value, the best lies about 2.5 · 0.5 % = 1.25 % above it",
                    "choose by a validation set, split off from the training set; test once, at the end",
                    span=script.span(node.test),
                )


def _keeps(script: Script, node: ast.If) -> bool:
    called = {name.rpartition(".")[2] for statement in node.body for name, _ in script.calls(statement)}
    return bool(called & _KEEPS)


def _scores(node: ast.If) -> list[ast.expr]:
    """What is compared, best-so-far values left out; nothing where nothing is larger or smaller than another."""
    compared = [each for each in ast.walk(node.test) if isinstance(each, ast.Compare)]
    if not any(isinstance(op, ast.Gt | ast.GtE | ast.Lt | ast.LtE) for each in compared for op in each.ops):
        return []
    sides = [side for each in compared for side in (each.left, *each.comparators)]
    return [side for side in sides if not _own(side).startswith(("best", "max", "min"))]


def _own(node: ast.expr) -> str:
    return ast.unparse(node).lower().rpartition(".")[2]

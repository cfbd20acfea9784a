"""Gradients are never set to zero, so that every step goes along the sum of all gradients so far."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from archscope.linting import ERROR, Found, Subject
from archscope.linting.sources.syntax import Script
from archscope.linting.sources.training_script import loops_around

LEVEL = ERROR
SOURCE = "PyTorch recipe 'Zeroing out gradients in PyTorch'"


def examine(subject: Subject) -> Iterator[Found]:
    """Steps of an optimizer in a file that clears no gradient anywhere."""
    if subject.script is None:
        return
    script = subject.script
    if not _called(script, "backward") or _clears(script):
        return
    for step in _called(script, "step")[:1]:
        if loops_around(script, step) and not step.args:
            yield Found(
                "gradients are never cleared",
                "backward() adds to .grad: the hundredth step goes along the sum of a hundred gradients",
                "optimizer.zero_grad() before backward()",
                span=script.span(step),
            )


def _called(script: Script, method: str) -> list[ast.Call]:
    found = [call for _, call in script.calls() if isinstance(call.func, ast.Attribute) and call.func.attr == method]
    return [call for call in found if method != "step" or "sched" not in ast.unparse(call.func).lower()]


def _clears(script: Script) -> bool:
    names = {name.rpartition(".")[2] for name, _ in script.calls()}
    return bool(names & {"zero_grad", "zero_"}) or any(
        isinstance(node, ast.Attribute) and node.attr == "grad" and isinstance(node.ctx, ast.Store)
        for node in script.nodes
    )

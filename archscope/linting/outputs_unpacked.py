"""A network that returns its heads too is handed to the loss as if it returned one tensor."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from archscope.linting import ERROR, Found, Subject
from archscope.linting.sources.syntax import Script, assigned, constant, keyword_of
from archscope.linting.sources.training_script import loss_calls

LEVEL = ERROR
SOURCE = (
    "pytorch/examples PR #560; torchvision documentation of googlenet and inception_v3 (aux_logits=True by default)"
)


def examine(subject: Subject) -> Iterator[Found]:
    """Torchvision's networks with auxiliary heads whose output goes into a loss whole."""
    if subject.script is None:
        return
    script = subject.script
    models = _with_heads(script)
    for call in loss_calls(script):
        value = call.args[0] if call.args else None
        made = _call_of(script, value)
        if made is not None and ast.unparse(made.func) in models:
            yield Found(
                f"{ast.unparse(made)!r} goes into the loss whole",
                "in train mode it is a named tuple, and the first step raises: 'cross_entropy_loss(): argument "
                "input must be "
                "Tensor, not GoogLeNetOutputs'",
                "outputs = model(x); loss = criterion(outputs.logits, y) + 0.3 * (the losses of the heads)",
                span=script.span(call),
            )


def _with_heads(script: Script) -> set[str]:
    """The names of models whose constructor builds heads."""
    found = set()
    for node in script.nodes:
        for target, value in assigned(node):
            call = value if isinstance(value, ast.Call) else None
            name = script.name_of(call.func) if call is not None else ""
            builds = call is not None and constant(keyword_of(call, "aux_logits")) is not False
            if builds and name in {"torchvision.models.googlenet", "torchvision.models.inception_v3"}:
                found.add(ast.unparse(target))
    return found


def _call_of(script: Script, value: ast.expr | None) -> ast.Call | None:
    """The call that a value is, or that a name was assigned from in the same scope."""
    if isinstance(value, ast.Call):
        return value
    if not isinstance(value, ast.Name):
        return None
    found = None
    for node in ast.walk(script.scope_of(value)):
        for target, made in assigned(node):
            if isinstance(target, ast.Name) and target.id == value.id and isinstance(made, ast.Call):
                found = made
    return found

"""The flag that was asked for is tested, and not the one that was worked out with ``torch.cuda.is_available()``."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from archscope.linting import ERROR, Found, Subject
from archscope.linting.sources.syntax import Script, assigned

LEVEL = ERROR
SOURCE = "course notes"


def examine(subject: Subject) -> Iterator[Found]:
    """Tests of a raw flag where a computed one stands ready, and of ``is_available`` itself, which is always true."""
    if subject.script is None:
        return
    script = subject.script
    tests = [node.test for node in script.nodes if isinstance(node, ast.If | ast.IfExp | ast.While)]
    yield from _uncalled(script, tests)
    for computed, flag, line in _flags(script):
        for test in tests:
            if test.lineno > line and _is(test, flag) and _moves(script, test):
                yield Found(
                    f"{flag!r} is tested, {computed!r} was worked out",
                    f"without a GPU {flag!r} may still be set, and the first .cuda() then raises",
                    f"test {computed!r}, or use model.to(device) without a test",
                    span=script.span(test),
                )


def _uncalled(script: Script, tests: list[ast.expr]) -> Iterator[Found]:
    for test in tests:
        for node in ast.walk(test):
            called = isinstance(script.parents[node], ast.Call) and script.parents[node].func is node  # type: ignore[attr-defined]  # a Call has one
            if script.name_of(node).endswith("cuda.is_available") and not called:
                yield Found(
                    "'torch.cuda.is_available' is tested without being called",
                    "a function is always true: on a machine without a GPU the first .to('cuda') raises",
                    "torch.cuda.is_available()",
                    span=script.span(node),
                )


def _flags(script: Script) -> Iterator[tuple[str, str, int]]:
    """``use_cuda = flag and torch.cuda.is_available()``: the computed name, the flag, the line."""
    for node in script.nodes:
        for target, value in assigned(node):
            test = value.test if isinstance(value, ast.IfExp) else value
            if not isinstance(test, ast.BoolOp) or not isinstance(test.op, ast.And):
                continue
            if not any(name.endswith("cuda.is_available") for name, _ in script.calls(test)):
                continue
            for part in test.values:
                flag = part.operand if isinstance(part, ast.UnaryOp) else part
                if isinstance(flag, ast.Name | ast.Attribute) and ast.unparse(flag) != ast.unparse(target):
                    yield ast.unparse(target), ast.unparse(flag), node.lineno  # type: ignore[attr-defined]  # a statement has one


def _is(test: ast.expr, flag: str) -> bool:
    plain = test.operand if isinstance(test, ast.UnaryOp) else test
    return ast.unparse(plain) == flag


def _moves(script: Script, test: ast.expr) -> bool:
    """Whether what is tested decides where tensors go."""
    around = script.parents[test]
    names = {name.rpartition(".")[2] for name, _ in script.calls(around)}
    texts = {node.value for node in ast.walk(around) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return bool(names & {"cuda", "to", "device"}) or any(text.startswith("cuda") for text in texts)

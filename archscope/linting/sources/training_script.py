"""What does a training script do? Its losses, its loaders and its evaluations, as far as syntax shows them."""

from __future__ import annotations

import ast
from collections.abc import Container
from functools import lru_cache
from typing import cast

from archscope.linting.sources.syntax import (
    LOOPS,
    Function,
    Scope,
    Script,
    assigned,
    constant,
    keyword_of,
)  # fmt: skip

LOSS_FUNCTIONS = frozenset({
    "cross_entropy", "nll_loss", "mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "kl_div",
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "multi_margin_loss",
})  # fmt: skip
"""The losses of ``torch.nn.functional``."""

LOSS_NAMES = frozenset(
    {"criterion", "criterian", "criterium", "loss_fn", "loss_func", "loss_function", "lossfn", "loss_f"}
)
"""What people call a loss that they hand to a function."""

DETACHED = frozenset({"item", "detach", "tolist", "numpy"})
"""Methods whose result holds no graph."""


def loss_class(script: Script, node: ast.AST | None) -> tuple[str, ast.Call] | None:
    """The loss that an expression makes, ``nn.CrossEntropyLoss(...)``, with or without ``.to(device)`` behind it."""
    while isinstance(node, ast.Call):
        name = script.name_of(node.func).rpartition(".")[2]
        if name.endswith("Loss"):
            return name, node
        node = node.func.value if isinstance(node.func, ast.Attribute) else None
    return None


@lru_cache(maxsize=16)
def losses(script: Script) -> dict[str, tuple[str, ast.Call]]:
    """The loss modules of a file: name they are bound to -> (class, call)."""
    found: dict[str, tuple[str, ast.Call]] = {}
    for node in script.nodes:
        for target, value in assigned(node):
            made = loss_class(script, value)
            if made is not None:
                found[ast.unparse(target)] = made
    return found


@lru_cache(maxsize=16)
def loss_calls(script: Script) -> dict[ast.Call, str]:
    """Calls that work out a loss, each with its class, or ``cross_entropy`` …; empty where it is not known."""
    known = losses(script)
    found: dict[ast.Call, str] = {}
    for name, call in script.calls():
        own, made = name.rpartition(".")[2], loss_class(script, call.func)
        text = ast.unparse(call.func) if isinstance(call.func, ast.Name | ast.Attribute) else ""
        if text in known:
            found[call] = known[text][0]
        elif made is not None and call.func is made[1]:
            found[call] = made[0]
        elif own in LOSS_FUNCTIONS:
            found[call] = own
        elif text.removeprefix("self.").lower() in LOSS_NAMES:
            found[call] = ""
    return found


def loss_values(script: Script, scope: Scope) -> set[str]:
    """The names that hold a loss with its graph, in a scope: assigned from a loss, or from other such names."""
    calls = loss_calls(script)
    found: set[str] = set()
    for _ in range(3):  # losses of losses: a sum of the main and the auxiliary ones, and what is made of that
        for node in script.own(scope):
            for target, value in assigned(node):
                if value is not None and holds_graph(value, found, calls):
                    found.add(ast.unparse(target))
    return found


def holds_graph(node: ast.AST, names: set[str], calls: Container[ast.AST]) -> bool:
    """Whether an expression holds the graph of a loss: it mentions one that is not detached."""
    if isinstance(node, ast.Call):
        kept = isinstance(node.func, ast.Attribute) and node.func.attr not in DETACHED
        return node in calls or (kept and holds_graph(cast("ast.Attribute", node.func).value, names, calls))
    if isinstance(node, ast.Attribute) and node.attr in {"data", "shape"}:
        return False
    if isinstance(node, ast.Name | ast.Attribute | ast.Subscript) and ast.unparse(node) in names:
        return True
    if isinstance(node, ast.BinOp | ast.UnaryOp | ast.IfExp):
        return any(holds_graph(each, names, calls) for each in ast.iter_child_nodes(node))
    return False


def without_grad(script: Script, node: ast.AST) -> bool:
    """Whether a node runs where no graph is built: in ``with torch.no_grad()``, or a function decorated with it."""
    for each in script.around(node):
        makers: list[ast.expr] = []
        if isinstance(each, ast.With | ast.AsyncWith):
            makers = [item.context_expr for item in each.items]
        elif isinstance(each, Function):
            makers = each.decorator_list
        if any(_switches_off(script, maker) for maker in makers):
            return True
    return False


def _switches_off(script: Script, node: ast.expr) -> bool:
    call = node if isinstance(node, ast.Call) else None
    name = script.name_of(call.func if call is not None else node).rpartition(".")[2]
    if name == "set_grad_enabled" and call is not None:
        return constant(keyword_of(call, "mode", 0)) is not True
    return name in {"no_grad", "inference_mode"}


def loops_around(script: Script, node: ast.AST) -> list[ast.AST]:
    """The loops that a node lies in, within its scope, the innermost first."""
    scope = script.scope_of(node)
    found: list[ast.AST] = []
    for each in script.around(node):
        if each is scope:
            break
        if isinstance(each, LOOPS):
            found.append(each)
    return found


def cross_entropies(script: Script) -> list[ast.Call]:
    """Where a file works out, or makes, a cross-entropy loss, which takes a soft-max of its own."""
    made = [call for name, call in losses(script).values() if name == "CrossEntropyLoss"]
    return [
        *(call for call, name in loss_calls(script).items() if name in {"CrossEntropyLoss", "cross_entropy"}),
        *made,
    ]

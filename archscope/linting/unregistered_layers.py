"""Layers in a Python list or dict: no optimizer finds their parameters, and they are never saved or moved."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from archscope.core.arithmetic import product
from archscope.graph.graph import Graph
from archscope.linting import ERROR, Found, Subject
from archscope.linting.sources.syntax import Function, Script
from archscope.linting.sources.written_modules import module_classes

LEVEL = ERROR
SOURCE = "pytorch/pytorch#666, #715, #1053, #38639, #59925"

_HOLDERS = frozenset({"Sequential", "ModuleList", "ModuleDict", "add_module", "register_module"})


def examine(subject: Subject) -> Iterator[Found]:
    """Layers that ran without parameters of the network; in a file, lists and dicts of layers given to no container."""
    if subject.graph is not None:
        yield from _in_graph(subject.graph)
    elif subject.script is not None:
        for each in module_classes(subject.script):
            yield from _in_class(subject.script, each)


def _in_graph(graph: Graph) -> Iterator[Found]:
    strangers = [node for node in graph.nodes if node.op.weight_layer and "<" in node.path and not node.parameters]
    if strangers:
        weights = [product(size) for node in strangers for size in node.op.weights(*graph.shapes_in(node)).values()]
        yield Found(
            f"{len(strangers)} layer{'s' * (len(strangers) != 1)} that the network runs and does not know",
            f"{sum(weights):,} params that parameters() and state_dict() leave out, and no optimizer trains",
            "nn.ModuleList([...]) where there is a list, nn.ModuleDict where there is a dict",
            place=strangers[0].path,
            span=strangers[0].span,
        )


def _in_class(script: Script, cls: ast.ClassDef) -> Iterator[Found]:
    nodes = [node for item in cls.body if isinstance(item, Function) for node in script.own(item)]
    plain = {
        ast.unparse(target): value
        for node in nodes
        if isinstance(node, ast.Assign)
        for target, value in [(node.targets[0], node.value)]
        if _is_plain(value) and ast.unparse(target).startswith("self.")
    }
    for name, value in plain.items():
        held = [value] if _makes_layer(script, value) else _put_into(script, nodes, name)
        if held and not _registered(script, nodes, name):
            yield Found(
                f"{name!r} is a Python {'dict' if isinstance(value, ast.Dict) else 'list'} of layers",
                f"{cls.name}().parameters() has none of theirs: the optimizer trains nothing of them, or raises "
                "'optimizer got an empty parameter list'; .to(device) and state_dict() leave them out",
                f"{name} = nn.{'ModuleDict' if isinstance(value, ast.Dict) else 'ModuleList'}(…)",
                span=script.span(held[0]),
            )


def _is_plain(node: ast.expr) -> bool:
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in {"list", "dict"}
    return isinstance(node, ast.List | ast.Dict | ast.ListComp | ast.DictComp)


def _makes_layer(script: Script, node: ast.AST) -> bool:
    """Whether an expression makes a layer: a class of ``torch.nn``, or of a module in the same file."""
    own = {each.name for each in module_classes(script)}
    return any(
        name in own
        or (
            name.startswith(("torch.nn.", "nn."))
            and name.rpartition(".")[2][:1].isupper()
            and "Parameter" not in name
            and ".init." not in name
        )
        for name, _ in script.calls(node)
    )


def _put_into(script: Script, nodes: list[ast.AST], name: str) -> list[ast.expr]:
    """What is appended to a list of that name, or set in a dict, where that is a layer."""
    found: list[ast.expr] = []
    for node in nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) == name:
            found += [each for each in node.args if node.func.attr in {"append", "extend", "insert"}]
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
            found += [node.value] if ast.unparse(node.targets[0].value) == name else []
        if isinstance(node, ast.AugAssign) and ast.unparse(node.target) == name:
            found.append(node.value)
    return [each for each in found if _makes_layer(script, each)]


def _registered(script: Script, nodes: list[ast.AST], name: str) -> bool:
    """Whether a container gets the list, or its entries one by one."""
    for node in nodes:
        if isinstance(node, ast.Call):
            called = (script.name_of(node.func) or getattr(node.func, "attr", "")).rpartition(".")[2]
            if called in _HOLDERS and (name in ast.unparse(node) or called in {"add_module", "register_module"}):
                return True
            if called == "setattr":
                return True
    return False

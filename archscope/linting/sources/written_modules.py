"""What does a module class in a file end with, and what does it return? As far as its text says, without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from archscope.linting.sources.syntax import Function, Script, assigned


def module_classes(script: Script) -> Iterator[ast.ClassDef]:
    """The classes of a file that are torch modules."""
    own: set[str] = set()
    for cls in script.classes():
        bases = {script.name_of(base) for base in cls.bases}
        if any("Module" in base for base in bases) or bases & own:
            own.add(cls.name)
            yield cls


def returns(script: Script, cls: ast.ClassDef) -> list[ast.Return]:
    """The returns of a module's ``forward``, in the order of the text."""
    forward = _method(cls, "forward")
    nodes = script.own(forward) if forward is not None else ()
    return [node for node in nodes if isinstance(node, ast.Return) and node.value is not None]


def last_calls(script: Script, cls: ast.ClassDef) -> list[tuple[str, ast.AST]]:
    """The last ops on what a module returns, the last one first: (``softmax``, where), (``relu``, where), …

    Of several outputs the first counts. A name is that of the function or the layer class, as it is written.
    """
    found = returns(script, cls)
    if not found or found[-1].value is None:
        return []
    value = found[-1].value
    first = value.elts[0] if isinstance(value, ast.Tuple) and value.elts else value
    return list(_traced(script, first, cls, set()))


def calls_on(script: Script, node: ast.expr) -> list[tuple[str, ast.AST]]:
    """The last ops on an expression outside a module, the last one first."""
    return list(_traced(script, node, None, set()))


def _traced(
    script: Script, node: ast.expr, cls: ast.ClassDef | None, seen: set[ast.AST]
) -> Iterator[tuple[str, ast.AST]]:
    """Follows an expression back: through names to what they were assigned, through calls to their first argument."""
    if node in seen:
        return
    seen.add(node)
    if isinstance(node, ast.Name):
        before = _last_assignment(script, node)
        if before is not None:
            yield from _traced(script, before, cls, seen)
        return
    if not isinstance(node, ast.Call):
        return
    yield from _layers_called(script, node, cls)
    inner = node.args[0] if node.args else None
    method = isinstance(node.func, ast.Attribute) and not script.name_of(node.func).startswith(("torch", "self."))
    if method and isinstance(node.func, ast.Attribute) and not isinstance(node.func.value, ast.Name | ast.Call):
        return
    if method and isinstance(node.func, ast.Attribute) and not _is_module(script, node.func.value):
        inner = node.func.value  # x.softmax(dim=1), x.relu()
    if inner is not None:
        yield from _traced(script, inner, cls, seen)


def _is_module(script: Script, node: ast.expr) -> bool:
    """Whether a name is imported, so that what follows is a function of it and no method of a tensor."""
    return isinstance(node, ast.Name) and node.id in script.aliases


def _layers_called(script: Script, call: ast.Call, cls: ast.ClassDef | None) -> Iterator[tuple[str, ast.AST]]:
    """What a call does: a function by its name, ``self.head(x)`` by the layers that ``self.head`` was made of."""
    name = script.name_of(call.func)
    if isinstance(call.func, ast.Call):  # nn.Softmax(dim=1)(x)
        yield script.name_of(call.func.func).rpartition(".")[2], call
        return
    if name.startswith("self.") and cls is not None:
        for made in _layers_of(script, cls, name):
            yield script.name_of(made.func).rpartition(".")[2], made
        return
    yield (name.rpartition(".")[2] or getattr(call.func, "attr", "")), call


def _layers_of(script: Script, cls: ast.ClassDef, name: str) -> list[ast.Call]:
    """The layers that an attribute is made of, the last one first: those of an ``nn.Sequential`` one by one."""
    init = _method(cls, "__init__")
    found: list[ast.Call] = []
    for node in script.own(init) if init is not None else ():
        for target, value in assigned(node):
            if ast.unparse(target) == name and isinstance(value, ast.Call):
                found = _unpacked(script, value)
    return found


def _unpacked(script: Script, call: ast.Call) -> list[ast.Call]:
    if script.name_of(call.func).rpartition(".")[2] != "Sequential":
        return [call]
    layers: list[ast.Call] = []
    for each in reversed(call.args):
        if not isinstance(each, ast.Call):
            break  # *layers: what they are the text does not say
        layers += _unpacked(script, each)
    return layers


def _last_assignment(script: Script, name: ast.Name) -> ast.expr | None:
    found: ast.expr | None = None
    for node in script.own(script.scope_of(name)):
        if getattr(node, "lineno", 0) > name.lineno:
            break
        for target, value in assigned(node):
            inside = value is not None and any(each is name for each in ast.walk(value))
            if isinstance(target, ast.Name) and target.id == name.id and not inside:
                found = value
    return found


def _method(cls: ast.ClassDef, name: str) -> Function | None:
    return next((item for item in cls.body if isinstance(item, Function) and item.name == name), None)

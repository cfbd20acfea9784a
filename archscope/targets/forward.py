"""How a block runs, as Python source: what the module target compiles and the source target prints. Text only.

A forward is straight-line: one statement per part, in running order. Within a chain the result keeps its variable
(``x = self.conv2(x)``); where ways part, each result is called after its part (``branch1 = self.branch1(x)``).
"""

from __future__ import annotations

import keyword
import math
from typing import Any

from archscope.core.errors import Problem, Unsupported
from archscope.core.records import Call
from archscope.graph.bodies import IDENTIFIER, Body, Part, body_of, class_name, outputs_name
from archscope.graph.graph import Graph

_INFIX = {"operator.add": "+", "operator.sub": "-", "operator.mul": "*", "operator.iadd": "+=", "operator.imul": "*="}


def class_source(graph: Graph, index: int) -> str:
    """The class of a block with its forward, and before it the class of its outputs where it has auxiliary heads."""
    lines = [f"class {class_name(graph, index)}(nn.Module):", *_indented(forward_lines(graph, index))]
    if index == 0 and output_fields(graph):
        fields = [f"{name}: torch.Tensor" for name in output_fields(graph)]
        lines = [f"class {outputs_name(graph)}(NamedTuple):", *_indented(fields), "", "", *lines]
    return "\n".join(lines) + "\n"


def own_class_source(call: Call) -> str:
    """The class of a module that torch does not have, as an op describes it."""
    if IDENTIFIER.fullmatch(call.name) is None or keyword.iskeyword(call.name):
        raise Unsupported(Problem("bad-name", f"{call.name!r} cannot name a module"))
    lines = [f"class {call.name}(nn.Module):"]
    if call.kwargs:
        attributes = [f"self.{_checked(name)} = {name}" for name in call.kwargs]
        body = [f"def __init__(self, {', '.join(call.kwargs)}):", *_indented(["super().__init__()", *attributes]), ""]
        lines += _indented(body)
    return "\n".join([*lines, *_indented(own_forward_lines(call))]) + "\n"


def own_forward_lines(call: Call) -> list[str]:
    """The forward of such a class, four spaces per level."""
    return ["def forward(self, x):", *_indented(call.forward.strip().split("\n"))]


def forward_lines(graph: Graph, index: int) -> list[str]:
    """The ``def forward`` of a block and its body, four spaces per level.

    Raises Unsupported where a name is no identifier, a value cannot be written down, a tensor comes from outside of the
    block, or an auxiliary head lies deeper than the network itself.
    """
    body = body_of(graph, index)
    return [f"def forward(self, {', '.join(body.arguments)}):", *_indented(_body_lines(body))]


def arguments_of(call: Call, inputs: list[str]) -> str:
    """What stands between the parentheses of a call: the names of its inputs, then its own arguments.

    >>> arguments_of(Call("torch.cat", (1,), listed=True), ["branch1", "branch2"])
    '[branch1, branch2], 1'
    >>> arguments_of(Call("nn.Conv2d", (64, 128, 3), {"padding": 1}), [])
    '64, 128, 3, padding=1'
    """
    first = [f"[{', '.join(inputs)}]"] if call.listed else inputs
    named = [f"{_checked(name)}={literal(value)}" for name, value in call.kwargs.items()]
    return ", ".join([*first, *map(literal, call.args), *named])


def literal(value: Any) -> str:
    """A plain value as Python source. Raises Unsupported for any other, instead of printing what does not read back.

    >>> literal((1, 7)), literal(0.5)
    ('(1, 7)', '0.5')
    """
    if value is None or type(value) in (bool, int, str) or (type(value) is float and math.isfinite(value)):
        return repr(value)
    if type(value) is list:
        return f"[{', '.join(map(literal, value))}]"
    if type(value) is tuple:
        return f"({', '.join(map(literal, value))}{',' if len(value) == 1 else ''})"
    raise Unsupported(Problem("unwritable-value", f"cannot write {value!r} as an argument in source"))


def _checked(name: str) -> str:
    if IDENTIFIER.fullmatch(name) is None or keyword.iskeyword(name):
        raise Unsupported(Problem("bad-name", f"{name!r} cannot name an argument"))
    return name


def output_fields(graph: Graph) -> list[str]:
    """What a network with auxiliary heads returns in train mode, in the graph's order; nothing for any other."""
    if not any(output.side for output in graph.outputs):
        return []
    fields = [output.name for output in graph.outputs]
    for name in fields:
        if (
            IDENTIFIER.fullmatch(name) is None
            or keyword.iskeyword(name)
            or name.startswith("_")
            or fields.count(name) > 1
        ):
            raise Unsupported(Problem("bad-name", f"{name!r} cannot name an output beside {', '.join(fields)}"))
    return fields


def _indented(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def _body_lines(body: Body) -> list[str]:
    lines = []
    for position, part in enumerate(body.parts):
        statements = _statements(body, part, body.results[position])
        lines += ["if self.training:", *_indented(statements)] if part.side else statements
    if lines and lines[-1].startswith("return "):
        return lines
    return [*lines, *_ending(body)]


def _ending(body: Body) -> list[str]:
    """What returns results that the last part does not return itself."""
    results = ", ".join(map(body.variable, body.graph.scopes[body.index].outputs))
    if not body.has_sides:
        return [f"return {results}"]
    outputs = ", ".join(body.variable(output.tensor) for output in body.graph.outputs)
    return ["if self.training:", f"    return {outputs_name(body.graph)}({outputs})", f"return {results}"]


def _statements(body: Body, part: Part, results: tuple[str, ...]) -> list[str]:
    if part.side and body.index != 0:
        path = body.graph.scopes[body.index].path
        raise Unsupported(Problem("nested-head", f"{part.attribute!r} leaves the network from within {path!r}"))
    inputs = [body.variable(tensor) for tensor in part.inputs]
    symbol = _INFIX.get(part.call.name, "") if part.call is not None else ""
    if symbol.endswith("=") and part.call is not None:
        return [f"{inputs[0]} {symbol} {operand}" for operand in [*inputs[1:], *map(literal, part.call.args)]]
    expression = _expression(part, inputs, symbol)
    return [f"{', '.join(results)} = {expression}" if results else f"return {expression}"]


def _expression(part: Part, inputs: list[str], symbol: str) -> str:
    if part.call is None or part.call.is_module:
        own = f'getattr(self, "{part.attribute}")' if part.attribute.isdigit() else f"self.{part.attribute}"
        return f"{own}({', '.join(inputs)})"
    if symbol:
        return f" {symbol} ".join([*inputs, *map(literal, part.call.args)])
    return f"{part.call.name}({arguments_of(part.call, inputs)})"

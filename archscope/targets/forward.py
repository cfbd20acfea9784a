"""How a block runs, as Python source: what the module target compiles and the source target prints. Text only.

A forward is straight-line: one statement per part, in running order. Within a chain the result keeps its variable
(``x = self.conv2(x)``); where ways part, each result is called after its part (``branch1 = self.branch1(x)``).
"""

from __future__ import annotations

import keyword
import math
import re
from dataclasses import dataclass, field
from typing import Any

from archscope.core.errors import Problem, Unsupported
from archscope.core.records import Call
from archscope.core.source import Span
from archscope.graph.graph import Graph

_IDENTIFIER = re.compile(r"_?[A-Za-z][A-Za-z0-9_]*", re.ASCII)
_DIGITS = re.compile(r"[0-9]+", re.ASCII)
_FUNCTION = re.compile(r"(?:torch|operator)(?:\.[A-Za-z][A-Za-z0-9_]*)+", re.ASCII)
_INFIX = {"operator.add": "+", "operator.sub": "-", "operator.mul": "*", "operator.iadd": "+=", "operator.imul": "*="}
_RESERVED = {"self", "torch", "nn", "operator", "getattr"}
"""What a forward refers to by name; no variable of its own may hide it."""


@dataclass(frozen=True, slots=True)
class Part:
    """What runs in a block, in its order: a node or a block within it.

    call: how torch says it; None for a block. node, scope: its index in the graph, the other is -1. attribute: its name
    in the block's module, empty for a function. side: it runs only while training, though the block itself always does.
    """

    attribute: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    call: Call | None = None
    node: int = -1
    scope: int = -1
    side: bool = False

    @property
    def is_module(self) -> bool:
        """Whether it is an attribute of the block's module; else it is a function."""
        return self.call is None or self.call.is_module


def parts_of(graph: Graph, index: int) -> list[Part]:
    """The parts of a block. A block in which nothing runs (a shortcut) is no part: its result is its input.

    Raises Unsupported for names that are no identifiers, and for parts that are modules of another block.
    """
    parts = []
    for kind, child in graph.scopes[index].children:
        if kind == "node":
            parts.append(_node_part(graph, index, child))
        elif any(graph.nodes_in(child)):
            parts.append(_scope_part(graph, index, child))
    return parts


def is_chain(graph: Graph, index: int) -> bool:
    """Whether the parts of a block are different modules, each of which takes the single result of the one before.

    Such a block is a ``torch.nn.Sequential``.
    """
    scope = graph.scopes[index]
    flowing, seen = scope.inputs, set()
    for part in parts_of(graph, index):
        if not part.is_module or part.inputs != flowing or len(flowing) != 1 or part.attribute in seen:
            return False
        seen.add(part.attribute)
        flowing = part.outputs
    return flowing == scope.outputs and len(flowing) == 1


def class_name(graph: Graph, index: int) -> str:
    """The class of a block: what its table calls such blocks, else its own name, in camel case."""
    scope = graph.scopes[index]
    own, otherwise = (graph.name, "Network") if index == 0 else (scope.kind or scope.attribute, "Block")
    name = "".join(word[0].upper() + word[1:] for word in re.split(r"[^A-Za-z0-9]+", own) if word)
    if not name or name[0].isdigit():
        return otherwise + name
    return name + otherwise if keyword.iskeyword(name) else name


def outputs_name(graph: Graph) -> str:
    """The class of what a network with auxiliary heads returns in train mode."""
    return f"{class_name(graph, 0)}Outputs"


def class_source(graph: Graph, index: int) -> str:
    """The class of a block with its forward, and before it the class of its outputs where it has auxiliary heads."""
    lines = [f"class {class_name(graph, index)}(nn.Module):", *_indented(forward_lines(graph, index))]
    if index == 0 and _fields(graph):
        fields = [f"{name}: torch.Tensor" for name in _fields(graph)]
        lines = [f"class {outputs_name(graph)}(NamedTuple):", *_indented(fields), "", "", *lines]
    return "\n".join(lines) + "\n"


def forward_lines(graph: Graph, index: int) -> list[str]:
    """The ``def forward`` of a block and its body, four spaces per level.

    Raises Unsupported where a name is no identifier, a value cannot be written down, a tensor comes from outside of the
    block, or an auxiliary head lies deeper than the network itself.
    """
    scope = graph.scopes[index]
    writer = _Writer(graph, index, parts_of(graph, index))
    arguments = ["x"] if len(scope.inputs) == 1 else [f"x{number}" for number in range(1, len(scope.inputs) + 1)]
    writer.names.update(zip(scope.inputs, arguments, strict=True))
    return [f"def forward(self, {', '.join(arguments)}):", *_indented(writer.body())]


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
    if _IDENTIFIER.fullmatch(name) is None or keyword.iskeyword(name):
        raise Unsupported(Problem("bad-name", f"{name!r} cannot name an argument"))
    return name


def _node_part(graph: Graph, index: int, child: int) -> Part:
    node = graph.nodes[child]
    call = node.op.torch(*graph.shapes_in(node))
    side = node.side and not graph.scopes[index].side
    if not call.is_module and _FUNCTION.fullmatch(call.name) is None:
        raise Unsupported(
            Problem("unknown-function", f"{node.name!r} calls {call.name!r}, no function of torch", node.span)
        )
    attribute = _attribute(graph, index, node.path, node.span) if call.is_module else ""
    return Part(attribute, node.inputs, node.outputs, call, node=child, side=side)


def _scope_part(graph: Graph, index: int, child: int) -> Part:
    scope = graph.scopes[child]
    side = scope.side and not graph.scopes[index].side
    attribute = _attribute(graph, index, scope.path, scope.span)
    return Part(attribute, scope.inputs, scope.outputs, scope=child, side=side)


def _attribute(graph: Graph, index: int, path: str, span: Span | None) -> str:
    """The last part of a path, which must lie directly in the block: what ``self.`` reaches."""
    parent, _, attribute = path.rpartition(".")
    if parent != graph.scopes[index].path:
        message = f"{path!r} runs within {graph.scopes[index].path or graph.name!r}, and is a module of another block"
        raise Unsupported(Problem("module-elsewhere", message, span))
    named = _IDENTIFIER.fullmatch(attribute) is not None and not keyword.iskeyword(attribute)
    if not named and _DIGITS.fullmatch(attribute) is None:
        raise Unsupported(
            Problem("bad-name", f"{attribute!r} cannot name a part of a module", span, "letters, digits, _")
        )
    return attribute


def _fields(graph: Graph) -> list[str]:
    """What a network with auxiliary heads returns in train mode, in the graph's order; nothing for any other."""
    if not any(output.side for output in graph.outputs):
        return []
    fields = [output.name for output in graph.outputs]
    for name in fields:
        if (
            _IDENTIFIER.fullmatch(name) is None
            or keyword.iskeyword(name)
            or name.startswith("_")
            or fields.count(name) > 1
        ):
            raise Unsupported(Problem("bad-name", f"{name!r} cannot name an output beside {', '.join(fields)}"))
    return fields


def _indented(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]


@dataclass(slots=True)
class _Writer:
    """Writes the body of one forward.

    names: the variable that each tensor lies in. uses: positions of the parts that take a tensor, auxiliary heads
    aside, and one behind the last if the block returns it. last: where it is wanted for the last time, by a head too.
    """

    graph: Graph
    index: int
    parts: list[Part]
    names: dict[int, str] = field(default_factory=dict)
    uses: dict[int, list[int]] = field(default_factory=dict)
    last: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for position, part in enumerate(self.parts):
            for tensor in part.inputs:
                self.last[tensor] = position
                if not part.side:
                    self.uses.setdefault(tensor, []).append(position)
        results = self.graph.scopes[self.index].outputs
        for tensor in results:
            self.uses.setdefault(tensor, []).append(len(self.parts))
        leaving = [output.tensor for output in self.graph.outputs] if self.index == 0 else []
        self.last.update(dict.fromkeys([*results, *leaving], len(self.parts)))

    def body(self) -> list[str]:
        lines = []
        for position, part in enumerate(self.parts):
            statements = self.statements(part, position)
            lines += ["if self.training:", *_indented(statements)] if part.side else statements
        if lines and lines[-1].startswith("return "):
            return lines
        return [*lines, *self.ending()]

    def ending(self) -> list[str]:
        """What returns results that the last part does not return itself."""
        results = ", ".join(map(self.variable, self.graph.scopes[self.index].outputs))
        if not self.has_sides:
            return [f"return {results}"]
        outputs = ", ".join(self.variable(output.tensor) for output in self.graph.outputs)
        return ["if self.training:", f"    return {outputs_name(self.graph)}({outputs})", f"return {results}"]

    @property
    def has_sides(self) -> bool:
        return any(part.side for part in self.parts)

    def statements(self, part: Part, position: int) -> list[str]:
        if part.side and self.index != 0:
            path = self.graph.scopes[self.index].path
            raise Unsupported(Problem("nested-head", f"{part.attribute!r} leaves the network from within {path!r}"))
        inputs = [self.variable(tensor) for tensor in part.inputs]
        symbol = _INFIX.get(part.call.name, "") if part.call is not None else ""
        if symbol.endswith("=") and part.call is not None:
            self.names[part.outputs[0]] = inputs[0]
            return [f"{inputs[0]} {symbol} {operand}" for operand in [*inputs[1:], *map(literal, part.call.args)]]
        expression = _expression(part, inputs, symbol)
        last = position == len(self.parts) - 1
        if last and part.outputs == self.graph.scopes[self.index].outputs and not self.has_sides:
            return [f"return {expression}"]
        results = [self.named(tensor, part, position) for tensor in part.outputs]
        return [f"{', '.join(results)} = {expression}"]

    def variable(self, tensor: int) -> str:
        if tensor not in self.names:
            path = self.graph.scopes[self.index].path or self.graph.name
            message = f"{path!r} uses a tensor that it neither gets nor makes"
            raise Unsupported(Problem("tensor-elsewhere", message, self.graph.scopes[self.index].span))
        return self.names[tensor]

    def named(self, tensor: int, part: Part, position: int) -> str:
        """Gives a result its variable: its input's within a chain, else one after its part."""
        only = part.inputs[0] if len(part.inputs) == len(part.outputs) == 1 else -1
        if not part.side and self.uses.get(only) == [position] and self.last[only] == position:
            self.names[tensor] = self.names[only]
            return self.names[tensor]
        occupied = self.occupied(position)
        base = part.attribute
        if not base or (self.goes_on(tensor) and part.scope < 0):
            base = "out" if "x" in occupied else "x"
        base = f"x{base}" if _DIGITS.fullmatch(base) else base
        name, number = base, 1
        while name in occupied:
            number += 1
            name = f"{base}_{number}"
        self.names[tensor] = name
        return name

    def occupied(self, position: int) -> set[str]:
        """Variables that may not be written after a part has run: what lies in them is still wanted."""
        live = {name for tensor, name in self.names.items() if self.last.get(tensor, -1) > position}
        return live | _RESERVED | {outputs_name(self.graph)}

    def goes_on(self, tensor: int) -> bool:
        """Whether a result is the beginning of a chain: one part alone takes it, and nothing beside it."""
        uses = self.uses.get(tensor, [])
        return len(uses) == 1 and uses[0] < len(self.parts) and len(self.parts[uses[0]].inputs) == 1


def _expression(part: Part, inputs: list[str], symbol: str) -> str:
    if part.call is None or part.call.is_module:
        own = f'getattr(self, "{part.attribute}")' if part.attribute.isdigit() else f"self.{part.attribute}"
        return f"{own}({', '.join(inputs)})"
    if symbol:
        return f" {symbol} ".join([*inputs, *map(literal, part.call.args)])
    return f"{part.call.name}({arguments_of(part.call, inputs)})"

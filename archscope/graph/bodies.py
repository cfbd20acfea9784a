"""What the forward of a block does: its parts in running order, and the variable that each result lies in.

The module target compiles it, the source target prints it, and memory follows from it: Python holds a tensor as long as
a variable, or the arguments of a block that still runs, refer to it.
"""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass, field

from archscope.core.errors import Problem, Unsupported
from archscope.core.records import Call
from archscope.core.source import Span
from archscope.graph.graph import Graph

IDENTIFIER = re.compile(r"_?[A-Za-z][A-Za-z0-9_]*", re.ASCII)
_DIGITS = re.compile(r"[0-9]+", re.ASCII)
_FUNCTION = re.compile(r"(?:torch|operator)(?:\.[A-Za-z][A-Za-z0-9_]*)+", re.ASCII)
_IN_PLACE = {"operator.iadd", "operator.imul"}
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


@dataclass(slots=True)
class Body:
    """The body of one forward.

    arguments: the variables that the block's inputs come in. results: per part the variables that its results are bound
    to; none where the last part's are returned at once. names: the variable that each tensor lies in. uses: positions
    of the parts that take a tensor, auxiliary heads aside, and one behind the last if the block returns it. last: where
    it is wanted for the last time, by a head too.
    """

    graph: Graph
    index: int
    parts: list[Part]
    arguments: list[str]
    results: list[tuple[str, ...]] = field(default_factory=list)
    names: dict[int, str] = field(default_factory=dict)
    uses: dict[int, list[int]] = field(default_factory=dict)
    last: dict[int, int] = field(default_factory=dict)

    @property
    def has_sides(self) -> bool:
        """Whether auxiliary heads leave the network here."""
        return any(part.side for part in self.parts)

    def variable(self, tensor: int) -> str:
        """Where a tensor lies. Raises Unsupported for one from outside of the block."""
        if tensor not in self.names:
            path = self.graph.scopes[self.index].path or self.graph.name
            message = f"{path!r} uses a tensor that it neither gets nor makes"
            raise Unsupported(Problem("tensor-elsewhere", message, self.graph.scopes[self.index].span))
        return self.names[tensor]

    def bind(self, part: Part, position: int) -> tuple[str, ...]:
        """Gives the results of a part their variables; none to what the block returns at once."""
        for tensor in part.inputs:
            self.variable(tensor)
        if part.call is not None and part.call.name in _IN_PLACE:
            self.names[part.outputs[0]] = self.variable(part.inputs[0])
            return (self.names[part.outputs[0]],)
        last = position == len(self.parts) - 1
        if last and part.outputs == self.graph.scopes[self.index].outputs and not self.has_sides:
            return ()
        return tuple(self.named(tensor, part, position) for tensor in part.outputs)

    def named(self, tensor: int, part: Part, position: int) -> str:
        """Gives a result its variable: its input's within a chain, else one after its part."""
        only = part.inputs[0] if len(part.inputs) == len(part.outputs) == 1 else -1
        if not part.side and self.uses.get(only) == [position] and self.last[only] == position:
            self.names[tensor] = self.names[only]
            return self.names[tensor]
        occupied = self.occupied(position)
        base = part.attribute.lower()
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


def body_of(graph: Graph, index: int) -> Body:
    """The body of a block's forward.

    Raises Unsupported where a tensor comes from outside of the block, and for what :func:`parts_of` raises.
    """
    inputs, outputs = graph.scopes[index].inputs, graph.scopes[index].outputs
    arguments = ["x"] if len(inputs) == 1 else [f"x{number}" for number in range(1, len(inputs) + 1)]
    body = Body(graph, index, parts_of(graph, index), arguments, names=dict(zip(inputs, arguments, strict=True)))
    for position, part in enumerate(body.parts):
        for tensor in part.inputs:
            body.last[tensor] = position
            if not part.side:
                body.uses.setdefault(tensor, []).append(position)
    for tensor in outputs:
        body.uses.setdefault(tensor, []).append(len(body.parts))
    leaving = [output.tensor for output in graph.outputs] if index == 0 else []
    body.last.update(dict.fromkeys([*outputs, *leaving], len(body.parts)))
    body.results = [body.bind(part, position) for position, part in enumerate(body.parts)]
    return body


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
    named = IDENTIFIER.fullmatch(attribute) is not None and not keyword.iskeyword(attribute)
    if not named and _DIGITS.fullmatch(attribute) is None:
        raise Unsupported(
            Problem("bad-name", f"{attribute!r} cannot name a part of a module", span, "letters, digits, _")
        )
    return attribute

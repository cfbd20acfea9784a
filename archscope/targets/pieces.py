"""A graph's modules as one would write them by hand: pieces, and which of them are uses of one class."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from archscope.core.arithmetic import product
from archscope.core.errors import Problem, Unsupported
from archscope.graph.bodies import Part, class_name, is_chain, parts_of
from archscope.graph.graph import Graph, Node
from archscope.targets.forward import forward_lines, own_forward_lines
from archscope.targets.looping import looped

USUAL: dict[str, dict[str, Any]] = {
    "nn.Conv2d": {"stride": 1, "padding": 0, "dilation": 1, "groups": 1, "bias": True},
    "nn.MaxPool2d": {"stride": None, "padding": 0, "ceil_mode": False},
    "nn.AvgPool2d": {"stride": None, "padding": 0, "ceil_mode": False},
}
"""Torch's own values of arguments that are given by name: uses that give and that leave out one share a class."""

POSITIONS = {
    "nn.Conv2d": ("in_channels", "out_channels", "kernel_size"),
    "nn.BatchNorm2d": ("num_features",),
    "nn.Linear": ("in_features", "out_features"),
    "nn.Dropout": ("p",),
}
"""Torch's names of the arguments that are given by position, for the names of a class's own."""


@dataclass(slots=True, eq=False)
class Piece:
    """A module of the network.

    made: what makes it, ``nn.Conv2d`` or the name that its class should have. values: its arguments by name, where
    torch or a class makes it, which keeps them as attributes if the file defines it; the first ``positions`` stand
    without their names. children: the modules in it, by
    attribute. forward: its class's, as text; empty for torch's modules and for chains. plain: a chain with the numbers
    0, 1, 2 ... that is written as ``nn.Sequential(...)``. key: what it shares with other uses of its class. shape: of
    its output, without the batch. channels: of its inputs together, and of its output.
    """

    made: str
    values: dict[str, Any] = field(default_factory=dict)
    positions: int = 0
    children: list[tuple[str, Piece]] = field(default_factory=list)
    forward: tuple[str, ...] = ()
    plain: bool = False
    key: Any = None
    shape: tuple[int, ...] = ()
    params: int = 0
    channels: tuple[int, int] = (0, 0)

    @property
    def is_leaf(self) -> bool:
        """Whether torch has it."""
        return not self.children and not self.forward

    @property
    def has_class(self) -> bool:
        """Whether it is a use of a class that the file defines."""
        return not self.is_leaf and not self.plain

    @property
    def is_chain(self) -> bool:
        """Whether its parts run one after another."""
        return not self.forward


def piece_of(graph: Graph, index: int = 0) -> Piece:
    """The module of a block with all modules in it. Raises Unsupported for what source cannot say."""
    scope = graph.scopes[index]
    children: dict[str, Piece] = {}
    for part in parts_of(graph, index):
        if part.is_module and part.attribute not in children:  # a shared module is made once and called again
            children[part.attribute] = _piece_of_part(graph, part)
    chain = is_chain(graph, index)
    numbered = list(children) == [str(number) for number in range(len(children))]
    plain = chain and numbered and index > 0
    name = class_name(graph, index) if index == 0 or not chain else _chain_name(graph, index, children)
    forward = () if chain else looped(forward_lines(graph, index))
    inside = tuple((attribute, child.key) for attribute, child in children.items())
    return Piece(
        made=name,
        children=list(children.items()),
        forward=forward,
        plain=plain,
        key=("chain" if plain else name, forward, inside, index == 0),
        shape=graph.tensors[scope.outputs[0]].shape[1:],
        params=sum(child.params for child in children.values()),
        channels=_channels(graph, scope.inputs, scope.outputs),
    )


def pieces_in(piece: Piece) -> Iterator[Piece]:
    """The pieces with a class, those within another before it."""
    for _, child in piece.children:
        yield from pieces_in(child)
    if piece.has_class:
        yield piece


def _piece_of_part(graph: Graph, part: Part) -> Piece:
    return piece_of(graph, part.scope) if part.node < 0 else _leaf(graph, graph.nodes[part.node])


def _leaf(graph: Graph, node: Node) -> Piece:
    call = node.op.torch(*graph.shapes_in(node))
    for name, index in node.parameters.items():
        if graph.parameters[index].key != f"{node.path}.{name}":
            message = f"{node.name!r} has its {name} from {graph.parameters[index].key!r}; source cannot share it"
            raise Unsupported(Problem("shared-parameter", message, node.span))
    forward = tuple(own_forward_lines(call)) if call.forward else ()
    usual = USUAL.get(call.name, {})
    named = dict(zip(POSITIONS.get(call.name, ()), call.args, strict=False))
    positions = {f"argument{at}": value for at, value in enumerate(call.args)} if len(named) < len(call.args) else named
    values = {**positions, **usual, **call.kwargs}
    return Piece(
        made=call.name,
        values=values,
        positions=len(call.args),
        forward=forward,
        key=(call.name, forward, tuple(values)) if forward else (call.name, len(call.args), tuple(values)),
        shape=graph.shape_out(node)[1:],
        params=sum(product(graph.parameters[index].shape) for index in node.parameters.values()),
        channels=_channels(graph, node.inputs, node.outputs),
    )


def _channels(graph: Graph, inputs: tuple[int, ...], outputs: tuple[int, ...]) -> tuple[int, int]:
    return sum(graph.tensors[each].shape[1] for each in inputs), graph.tensors[outputs[0]].shape[1]


def _chain_name(graph: Graph, index: int, children: dict[str, Piece]) -> str:
    """A short chain of torch's modules is called after them: ``ConvReLU``."""
    if graph.scopes[index].kind or len(children) > 4 or any(not child.is_leaf for child in children.values()):
        return class_name(graph, index)
    return "".join(re.sub(r"^nn\.|[123]d$", "", child.made) for child in children.values())

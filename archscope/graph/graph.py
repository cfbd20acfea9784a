"""The graph: one record that tables and captured modules both become, and that every analysis and target reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import NamedTuple

from archscope.core.arithmetic import Shape
from archscope.core.records import Tensor
from archscope.core.showing import shown_as_html, shown_as_text
from archscope.core.source import Span
from archscope.ops import Op


class Parameter(NamedTuple):
    """A learnable tensor, under its state-dict key. Several nodes may refer to one: it is shared, and counts once."""

    key: str
    shape: Shape
    trainable: bool = True


class Buffer(NamedTuple):
    """A stored tensor that is not learnt: running statistics. dtype as in :class:`Tensor`."""

    key: str
    shape: Shape
    dtype: str = "float"


class Node(NamedTuple):
    """One use of an op.

    path: where it is in the built module (``features.0``). name: what people call it (``conv1_1``), with the names of
    its blocks. inputs, outputs: tensors, by index in the graph; parameters, buffers: likewise, by the op's own name for
    them. scope: the innermost block it runs in. call: 0 for the first use of its module, 1 for the next.
    side: it runs only while training, in an auxiliary head. text: its cell, as printed. grad: gradients flow through
    it; a captured forward may switch them off.
    """

    op: Op
    path: str
    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    parameters: Mapping[str, int] = MappingProxyType({})
    buffers: Mapping[str, int] = MappingProxyType({})
    scope: int = 0
    call: int = 0
    side: bool = False
    text: str = ""
    span: Span | None = None
    grad: bool = True


class Scope(NamedTuple):
    """A block while it runs: it holds its arguments until it returns.

    path, name: as a node's. attribute: its own name in the parent's module. kind: what its table calls such blocks.
    chain: its parts run one after another, each a module. section: it only groups. children: what runs in it, in order,
    nodes as ("node", index) and blocks as ("scope", index). called: the line of a captured network that runs it.
    """

    path: str
    name: str
    attribute: str
    parent: int
    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    children: tuple[tuple[str, int], ...]
    section: bool = False
    side: bool = False
    span: Span | None = None
    called: Span | None = None


class Output(NamedTuple):
    """A tensor that leaves the network. The main one is ``logits``; others only leave it while training."""

    name: str
    tensor: int
    loss_weight: float = 1.0
    side: bool = False


@dataclass(frozen=True, slots=True)
class Graph:
    """A network with all sizes. ``scopes[0]`` is the network itself; ``title``, ``source``: where it came from.

    held: per tensor the last node during which Python was seen to hold it, where the network was captured; None where
    it follows from the forward that we write (:mod:`archscope.graph.lifetimes`). dtype: what the type ``float`` of its
    tensors stands for unless a setting says otherwise. stored: (tensor, parameter) where an op takes a
    parameter as its input. assumptions: sizes that were taken to be the largest possible, in words. notes:
    what a capture met that a reader should know.
    """

    name: str
    inputs: tuple[int, ...]
    outputs: tuple[Output, ...]
    tensors: tuple[Tensor, ...]
    nodes: tuple[Node, ...]
    scopes: tuple[Scope, ...]
    parameters: tuple[Parameter, ...]
    buffers: tuple[Buffer, ...] = ()
    title: str = ""
    source: str = ""
    changes: tuple[str, ...] = ()
    held: tuple[int, ...] | None = None
    dtype: str = "float32"
    stored: tuple[tuple[int, int], ...] = ()
    assumptions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _repr_html_ = shown_as_html
    __str__ = shown_as_text

    def shapes_in(self, node: Node) -> tuple[Shape, ...]:
        """Shapes of a node's inputs, batch first."""
        return tuple(self.tensors[index].shape for index in node.inputs)

    def shape_out(self, node: Node) -> Shape:
        """Shape of a node's first output, batch first."""
        return self.tensors[node.outputs[0]].shape

    def idle_parameters(self) -> list[Parameter]:
        """The parameters that no node uses: of a captured network, those of modules that never ran."""
        used = {index for node in self.nodes for index in node.parameters.values()}
        return [each for index, each in enumerate(self.parameters) if index not in used]

    def frozen(self, *paths: str) -> Graph:
        """The same graph, the parameters of these modules not to be trained."""
        inside = tuple(f"{path}." for path in paths)
        parameters = tuple(
            each._replace(trainable=False) if each.key.startswith(inside) else each for each in self.parameters
        )
        return replace(self, parameters=parameters)

    def nodes_in(self, scope: int) -> Iterator[Node]:
        """The nodes that run in a block and in the blocks within it, in order."""
        for kind, index in self.scopes[scope].children:
            if kind == "node":
                yield self.nodes[index]
            else:
                yield from self.nodes_in(index)

"""Graph -> Graph of the same structure with other sizes: ints, arrays or symbols."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from archscope.core.arithmetic import Shape
from archscope.core.errors import ArchscopeError, located
from archscope.core.records import Tensor
from archscope.graph.graph import Buffer, Graph, Node, Parameter
from archscope.ops import Op

_NONE: Mapping[int, Op] = MappingProxyType({})


def resized(graph: Graph, *inputs: Shape, ops: Mapping[int, Op] = _NONE) -> Graph:
    """The graph with other input shapes, batch first, and with other ops in place of some, by the node's index.

    Every rule runs again, on whatever kind of sizes it is given (see :mod:`archscope.core.arithmetic`). What the graph
    is made of stays as it is, also where lowering the same sizes would have put a projection or a join elsewhere.
    Raises ShapeError, at the cell of the layer, where the sizes do not fit.
    """
    walk = _Walk(graph, inputs)
    nodes = tuple(walk.over(node._replace(op=ops.get(n, node.op))) for n, node in enumerate(graph.nodes))
    return replace(
        graph,
        nodes=nodes,
        tensors=tuple(walk.tensors),
        parameters=tuple(walk.parameters),
        buffers=tuple(walk.buffers),
    )


class _Walk:
    """The parts of a graph that have sizes, while they change."""

    def __init__(self, graph: Graph, inputs: tuple[Shape, ...]) -> None:
        self.tensors: list[Tensor] = list(graph.tensors)
        self.parameters: list[Parameter] = list(graph.parameters)
        self.buffers: list[Buffer] = list(graph.buffers)
        for index, shape in zip(graph.inputs, inputs, strict=True):
            self.tensors[index] = self.tensors[index]._replace(shape=shape)

    def over(self, node: Node) -> Node:
        """The node, after what it makes and holds has its new sizes."""
        shapes = tuple(self.tensors[index].shape for index in node.inputs)
        try:
            for index, shape in zip(node.outputs, node.op.out_shapes(*shapes), strict=True):
                self.tensors[index] = self.tensors[index]._replace(shape=shape)
        except ArchscopeError as error:
            raise located(error, node.span) from error
        weights, buffers = node.op.weights(*shapes), node.op.buffers(*shapes)
        for name, index in node.parameters.items():
            self.parameters[index] = self.parameters[index]._replace(shape=weights[name])
        for name, index in node.buffers.items():
            self.buffers[index] = self.buffers[index]._replace(shape=buffers[name][0])
        return node

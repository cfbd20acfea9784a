"""What runs in series and what in parallel? A graph taken apart where all its paths meet, whatever it calls them.

A network as people draw it: a chain of layers and of regions, where a region is branches that leave one tensor and come
together in a join. It follows from the tensors alone, so that two networks can be laid side by side although one was
written as modules and the other is a table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from archscope.graph.graph import Graph, Node, Output
from archscope.graph.wiring import makers_of
from archscope.ops.flatten import Flatten

RESHAPES = frozenset({"flatten", "reshape", "view", "unflatten", "squeeze", "unsqueeze"})
"""What only writes the same numbers down in other rows."""


class Leaf(NamedTuple):
    """A layer, by its index among the graph's nodes, and what follows it without changing sizes: batch norm, ReLU.

    layer is None for what stands before any layer.
    """

    layer: int | None
    followers: tuple[int, ...] = ()


class Region(NamedTuple):
    """Branches side by side, the join where they meet, and what follows it.

    tangled: they share layers, as in a dense block, and stand in running order as one.
    """

    branches: tuple[Chain, ...]
    join: int
    followers: tuple[int, ...] = ()
    tangled: bool = False


Part = Leaf | Region
Chain = tuple[Part, ...]


class Head(NamedTuple):
    """A further output: the chain that makes it and the tensor of the main chain that it starts from."""

    output: Output
    start: int
    chain: Chain


class Structure(NamedTuple):
    """A network as a chain, and its further heads in the order in which they leave it. main: the output at its end."""

    graph: Graph
    main: Output
    chain: Chain
    heads: tuple[Head, ...]


Makers = Mapping[int, int]
"""The node that makes each tensor; parameters that an op reads by themselves have none."""


def structure_of(graph: Graph) -> Structure:
    """The structure of a graph. Flattening is left out: it only says how a vector is written down.

    The main output is, among those that leave the network in use as well, the one that most nodes lead to.
    """
    makers = makers_of(graph)
    leading = {output.tensor: _leading_to(graph, makers, output.tensor) for output in graph.outputs}
    candidates = [output for output in graph.outputs if not output.side] or list(graph.outputs)
    main = max(candidates, key=lambda output: len(leading[output.tensor]))
    inside = leading[main.tensor]
    chain = _chain(graph, makers, sorted(inside), main.tensor)
    others = [output for output in graph.outputs if output is not main]
    heads = [_head(graph, makers, output, leading[output.tensor], inside) for output in others]
    return Structure(graph, main, chain, tuple(sorted(heads, key=lambda head: head.start)))


def nodes_of(parts: Iterable[Part]) -> list[int]:
    """The indices of all nodes in these parts, in running order."""
    found: list[int] = []
    for part in parts:
        if isinstance(part, Leaf):
            found += [*([part.layer] if part.layer is not None else []), *part.followers]
        else:
            found += [index for branch in part.branches for index in nodes_of(branch)]
            found += [part.join, *part.followers]
    return sorted(found)


def _leading_to(graph: Graph, makers: Makers, tensor: int, within: set[int] | None = None) -> set[int]:
    """The nodes that lead to a tensor; within: those that are asked for, between which no other lies."""
    found: set[int] = set()
    waiting = [tensor]
    while waiting:
        index = makers.get(waiting.pop())
        if index is not None and index not in found and (within is None or index in within):
            found.add(index)
            waiting.extend(graph.nodes[index].inputs)
    return found


def _head(graph: Graph, makers: Makers, output: Output, leading: set[int], main: set[int]) -> Head:
    own = leading - main
    made = {tensor for index in own for tensor in graph.nodes[index].outputs}
    taken = {tensor for index in own for tensor in graph.nodes[index].inputs} - made
    return Head(output, max(taken, default=output.tensor), _chain(graph, makers, sorted(own), output.tensor))


def _chain(graph: Graph, makers: Makers, nodes: Sequence[int], end: int) -> Chain:
    """Nodes in running order as a chain of parts that ends in tensor ``end``, cut where one tensor carries all."""
    last_use = {tensor: at for at, index in enumerate(nodes) for tensor in graph.nodes[index].inputs}
    last_use[end] = len(nodes)
    parts: list[Part] = []
    piece: list[int] = []
    made = {tensor for index in nodes for tensor in graph.nodes[index].outputs}
    inputs = set(graph.inputs)
    given = {tensor for tensor in last_use if tensor in makers or tensor in inputs}  # others are stored parameters
    alive = {tensor for tensor in given if tensor not in made and tensor != end}
    for at, index in enumerate(nodes):
        piece.append(index)
        alive = {tensor for tensor in (*alive, *graph.nodes[index].outputs) if last_use.get(tensor, -1) > at}
        if len(alive) == 1 and alive <= set(graph.nodes[index].outputs):
            parts.extend(_leaf(piece[0]) if len(piece) == 1 else (_region(graph, makers, piece),))
            piece = []
    parts.extend(_leaf(index)[0] for index in piece)
    return _grouped(graph, parts)


def _leaf(index: int) -> tuple[Part]:
    return (Leaf(index),)


def _region(graph: Graph, makers: Makers, piece: Sequence[int]) -> Region:
    """What lies between two cuts: the branches that lead to its last node."""
    *inner, join = piece
    inside = set(inner)
    branches: list[tuple[set[int], int]] = []
    for tensor in graph.nodes[join].inputs:
        own = _leading_to(graph, makers, tensor, inside)
        if any(own & other for other, _ in branches):
            line = tuple(Leaf(index) for index in inner)
            return Region((_grouped(graph, line),), join, tangled=True)
        branches.append((own, tensor))
    return Region(tuple(_chain(graph, makers, sorted(own), tensor) for own, tensor in branches), join)


def _grouped(graph: Graph, parts: Sequence[Part]) -> Chain:
    """The parts, each with what follows it."""
    found: list[Part] = []
    for part in parts:
        if not isinstance(part, Leaf) or part.layer is None:
            found.append(part)
            continue
        node = graph.nodes[part.layer]
        if isinstance(node.op, Flatten) or node.op.label in RESHAPES:
            continue
        if not follows(graph, node):
            found.append(part)
        elif found:
            found[-1] = found[-1]._replace(followers=(*found[-1].followers, part.layer))
        else:
            found.append(Leaf(None, (part.layer,)))
    return tuple(found)


def follows(graph: Graph, node: Node) -> bool:
    """Whether a node belongs to the layer before it: one input, the same size, no weight matrix and no window."""
    plain = len(node.inputs) == 1 and not node.op.weight_layer and node.op.window is None and not node.op.joins
    return plain and graph.shapes_in(node)[0] == graph.shape_out(node)

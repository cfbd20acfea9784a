"""What does a network cost per example, whatever was captured with it? Two counts and the depth."""

from __future__ import annotations

from typing import NamedTuple

from archscope.core.arithmetic import product
from archscope.graph.graph import Graph
from archscope.graph.paths import longest_path
from archscope.studies.differing.structure import nodes_of, structure_of


class Cost(NamedTuple):
    """Per example, auxiliary heads aside. macs: None where an op does not say them. depth: weight layers in a row."""

    params: int
    macs: int | None
    depth: int


def cost_of(graph: Graph) -> Cost:
    """The cost of the nodes that lead to the main output."""
    nodes = [graph.nodes[index] for index in nodes_of(structure_of(graph).chain)]
    keys = {index for node in nodes for index in node.parameters.values()}
    macs = [node.op.macs(*graph.shapes_in(node)) for node in nodes]
    batch = graph.tensors[graph.inputs[0]].shape[0]
    known = [each for each in macs if each is not None]
    total = sum(known) // batch if len(known) == len(macs) else None
    return Cost(sum(product(graph.parameters[index].shape) for index in keys), total, len(longest_path(graph)))

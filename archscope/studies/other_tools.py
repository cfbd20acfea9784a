"""What other tools call the memory of a network, worked out from their formulas, and why it is not what it takes."""

from __future__ import annotations

import sys
from typing import NamedTuple

from archscope.core.arithmetic import product
from archscope.core.records import Setting
from archscope.graph.bodies import is_chain
from archscope.graph.graph import Graph, Node

FLOAT = 4
"""They all count four bytes a number."""

STORAGE_HEADER = sys.getsizeof(type("Plain", (), {})()) + 8
"""torchinfo asks Python for the size of the input's storage, and gets its header with it: that of an object of a
class, which Python versions differ in, and torch's pointer."""


class Estimate(NamedTuple):
    """What a tool prints, in bytes, for what it claims to be, and what that leaves out or counts twice."""

    tool: str
    claims: str
    bytes: int
    why: str


def estimates(graph: Graph, setting: Setting) -> tuple[Estimate, ...]:
    """The figures of torchinfo, torchsummary, CS231n's recipe and fvcore for a graph, auxiliary heads aside.

    torchinfo 1.8: ``layer_info.py`` and ``model_statistics.py``; torchsummary 1.5.1: ``torchsummary.py``; CS231n:
    "Convolutional Networks: Computational Considerations"; fvcore 0.1.5: ``activation_count.py``.
    """
    own = [node for node in graph.nodes if not node.side]
    elements = {id(node): sum(product(graph.tensors[each].shape) for each in node.outputs) for node in own}
    given = sum(product(graph.tensors[each].shape) for each in graph.inputs)
    stored = sum(product(each.shape) for each in graph.parameters)
    layers = [node for node in own if node.op.torch(*graph.shapes_in(node)).is_module]
    with_params = sum(elements[id(node)] for node in layers if node.parameters)
    of_layers = sum(elements[id(node)] for node in layers) + _of_blocks(graph)
    fresh = sum(elements[id(node)] for node in own if _is_fresh(graph, node, setting))
    computed = sum(elements[id(node)] for node in own if node.op.macs(*graph.shapes_in(node)))
    ran = _params_of(graph, own)
    return (
        Estimate(
            "torchinfo",
            "estimated total size",
            FLOAT * (given + 2 * with_params + ran) + STORAGE_HEADER * len(graph.inputs),
            "twice the outputs of layers that have parameters: no ReLU, pool, join or mask, no gradients of "
            "parameters, no optimizer; the same in inference",
        ),
        Estimate(
            "torchsummary",
            "estimated total size",
            FLOAT * (given + 2 * of_layers + ran),
            "twice the outputs of all layers, in-place ones again, and of blocks that are no nn.Sequential once more; "
            "no gradients of parameters, no optimizer",
        ),
        Estimate(
            "CS231n",
            "training: activations twice, params three times",
            FLOAT * (2 * (given + fresh) + 3 * stored),
            "no pool indices, statistics or masks; gradients of activations are not all alive at once",
        ),
        Estimate(
            "fvcore",
            "activations",
            FLOAT * computed,
            "outputs of convolutions and matrix products only: a measure of speed, not of memory",
        ),
    )


def _is_fresh(graph: Graph, node: Node, setting: Setting) -> bool:
    """Whether a node allocates its output, dropout and batch norm left out as in CS231n's listing."""
    rule = node.op.memory(*graph.shapes_in(node), setting=setting)
    return (rule is None or rule.out == "new") and (node.op.weight_layer or node.op.window is not None)


def _of_blocks(graph: Graph) -> int:
    """Elements that blocks return, the network itself and chains aside: torchsummary takes each for a layer."""
    blocks = [
        scope
        for index, scope in enumerate(graph.scopes)
        if index and not scope.side and any(graph.nodes_in(index)) and not is_chain(graph, index)
    ]
    return sum(product(graph.tensors[tensor].shape) for scope in blocks for tensor in scope.outputs)


def _params_of(graph: Graph, nodes: list[Node]) -> int:
    indices = {index for node in nodes for index in node.parameters.values()}
    return sum(product(graph.parameters[index].shape) for index in indices)

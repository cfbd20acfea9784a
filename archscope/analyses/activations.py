"""Elements of each layer's output."""

from __future__ import annotations

from archscope.analyses import Column, Values
from archscope.core.arithmetic import Size, product
from archscope.core.records import Setting
from archscope.graph.graph import Graph, Node

COLUMNS = (
    Column("output_shape", "output", "channels × height × width of one example", unit="shape", total="none"),
    Column(
        "activations", "activations", "elements of the outputs of layers that allocate one; in-place and views are none"
    ),
)


def analyse(graph: Graph, setting: Setting) -> dict[str, Values]:
    """Per node the shape of its output without the batch, and the elements that it newly allocates.

    In-place results and views (ReLU, flatten) are 0: they lie in their input's storage.
    """
    return {
        "output_shape": [graph.shape_out(node)[1:] for node in graph.nodes],
        "activations": [_new_elements(graph, node, setting) for node in graph.nodes],
    }


def _new_elements(graph: Graph, node: Node, setting: Setting) -> Size | None:
    rule = node.op.memory(*graph.shapes_in(node), setting=setting)
    if rule is None:
        return None
    return sum(product(graph.tensors[index].shape) for index in node.outputs) if rule.out == "new" else 0

"""Elements of each layer's output, and their bytes."""

from __future__ import annotations

from archscope.analyses import Column, Values
from archscope.core.arithmetic import product
from archscope.core.records import Setting
from archscope.graph.graph import Graph

COLUMNS = (
    Column("output_shape", "output", "channels × height × width of one example", unit="shape", total="none"),
    Column(
        "activations", "activations", "elements of the outputs of layers that allocate one; in-place and views are none"
    ),
    Column("activation_bytes", "activation bytes", "their bytes; a sum, not a peak", unit="bytes"),
)


def analyse(graph: Graph, setting: Setting) -> dict[str, Values]:
    """Per node the shape of its output without the batch, and the elements and bytes that it newly allocates.

    In-place results and views (ReLU, flatten) are 0: they lie in their input's storage.
    """
    elements = []
    for node in graph.nodes:
        shapes = graph.shapes_in(node)
        rule = node.op.memory(*shapes, setting=setting)
        new = sum(product(graph.tensors[index].shape) for index in node.outputs)
        elements.append(None if rule is None else new if rule.out == "new" else 0)
    return {
        "output_shape": [graph.shape_out(node)[1:] for node in graph.nodes],
        "activations": elements,
        "activation_bytes": [None if each is None else each * setting.item_bytes for each in elements],
    }

"""Feature maps joined along another axis than the channels: side by side in the image, or as more examples."""

from __future__ import annotations

from collections.abc import Iterator

from archscope.graph.graph import Graph, Node
from archscope.graph.wiring import makers_of
from archscope.linting import WARNING, Found, Subject
from archscope.ops.concat import Concat
from archscope.studies.differing.structure import follows

LEVEL = WARNING
SOURCE = "titu1994/Inception-v4#3; vonclites/squeezenet PR #12"

_AXES = {0: "the batch", 2: "the height", 3: "the width"}


def examine(subject: Subject) -> Iterator[Found]:
    """Concatenations of what convolutions and pools made whose result has the channels of each of its inputs.

    Maps that keep their channels last, as transformers do, come from elsewhere.
    """
    graph = subject.graph
    if graph is None:
        return
    makers = makers_of(graph)
    for node in graph.nodes:
        axis = _axis(graph, node)
        if axis in _AXES and any(_is_map(graph, makers, tensor) for tensor in node.inputs):
            given, out = graph.shapes_in(node), graph.shape_out(node)
            yield Found(
                f"{len(given)} feature maps are joined along {_AXES[axis]}",
                f"axis {axis} grows from {given[0][axis]} to {out[axis]}, and the {out[1]} channels stay: what the "
                "branches see at one place ends up in different ones",
                "torch.cat(…, dim=1)",
                place=node.path,
                span=node.span,
            )


def _is_map(graph: Graph, makers: dict[int, int], tensor: int) -> bool:
    """Whether a convolution or a pool made a tensor, with what follows them in between."""
    index = makers.get(tensor)
    while index is not None and follows(graph, graph.nodes[index]):
        index = makers.get(graph.nodes[index].inputs[0])
    return index is not None and graph.nodes[index].op.window is not None


def _axis(graph: Graph, node: Node) -> int:
    """The axis along which maps are joined; -1 for what joins no maps."""
    if node.op.label not in {"cat", "concat"} or isinstance(node.op, Concat) or len(node.inputs) < 2:
        return -1
    given, out = graph.shapes_in(node), graph.shape_out(node)
    if len(out) != 4 or any(len(shape) != 4 for shape in given):
        return -1
    return next((axis for axis in range(4) if out[axis] == sum(shape[axis] for shape in given)), -1)

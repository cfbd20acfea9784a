"""Two layers with weights and nothing that is not linear between them: they are one layer, with the price of two."""

from __future__ import annotations

from collections.abc import Iterator

from archscope.graph.graph import Graph, Node
from archscope.graph.wiring import makers_of, readers_of
from archscope.linting import ERROR, WARNING, Found, Subject
from archscope.ops import Elementwise
from archscope.ops.avgpool import AvgPool
from archscope.ops.batchnorm import BatchNorm
from archscope.ops.conv import Conv
from archscope.ops.dropout import Dropout
from archscope.ops.fc import FC
from archscope.ops.flatten import Flatten
from archscope.ops.softmax import Softmax

LEVEL = WARNING
SOURCE = "Lasagne/Recipes#85 (a VGG without any ReLU); harritaylor/torchvggish#3; google/flax PR #343"

_NONE = (Dropout, Softmax)
"""What maps each number to a number and is no activation."""

_LINEAR = (BatchNorm, Dropout, Flatten, AvgPool)


def examine(subject: Subject) -> Iterator[Found]:
    """Pairs of layers in a row, counted together; an error where the network has no activation at all.

    Not those that are meant: a depthwise convolution and its 1×1 (arXiv:1704.04861), a 1×1 bottleneck with batch norm
    (arXiv:1801.04381), a narrow layer that factorises a wide one.
    """
    graph = subject.graph
    if graph is None:
        return
    pairs = list(_pairs(graph))
    if not pairs:
        return
    layers = sum(node.op.weight_layer for node in graph.nodes)
    everywhere = not any(isinstance(node.op, Elementwise) and not isinstance(node.op, _NONE) for node in graph.nodes)
    first, second = pairs[0]
    yield Found(
        f"no activation between {len(pairs)} pair{'s' * (len(pairs) != 1)} of layers: {first.path} and {second.path}"
        + (" …" if len(pairs) > 1 else ""),
        "a linear map of a linear map is a linear map: "
        + (f"all {layers} layers are one" if everywhere else "the two can do no more than one of them"),
        "nn.ReLU() between them",
        place=second.path,
        span=second.span,
        level=ERROR if everywhere else WARNING,
    )


def _pairs(graph: Graph) -> Iterator[tuple[Node, Node]]:
    makers, readers = makers_of(graph), readers_of(graph)
    for node in graph.nodes:
        if not isinstance(node.op, Conv | FC):
            continue
        between: list[Node] = []
        maker = makers.get(node.inputs[0], -1)
        while maker >= 0 and isinstance(graph.nodes[maker].op, _LINEAR):
            between.append(graph.nodes[maker])
            maker = makers.get(graph.nodes[maker].inputs[0], -1)
        first = graph.nodes[maker] if maker >= 0 else None
        if first is None or not isinstance(first.op, Conv | FC) or len(readers[first.outputs[0]]) > 1:
            continue
        if not _meant(graph, first, node, between):
            yield first, node


def _meant(graph: Graph, first: Node, second: Node, between: list[Node]) -> bool:
    channels = [graph.shapes_in(node)[0][1] for node in (first, second)]
    depthwise = any(
        isinstance(node.op, Conv) and node.op.groups == each > 1
        for node, each in zip((first, second), channels, strict=True)
    )
    norms = any(isinstance(node.op, BatchNorm) for node in between)
    pointwise = isinstance(first.op, Conv) and first.op.kernel_size in {1, (1, 1)}
    narrow = graph.shape_out(first)[1] * 2 <= min(channels[0], graph.shape_out(second)[1]) and not isinstance(
        first.op, FC
    )
    return depthwise or (norms and pointwise) or narrow

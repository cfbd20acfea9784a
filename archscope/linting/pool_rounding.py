"""A pool that rounds its size down and never reads the last row and column; papers of Caffe's time round up."""

from __future__ import annotations

from collections.abc import Iterator

from archscope.graph.graph import Graph, Node
from archscope.linting import INFO, WARNING, Found, Subject
from archscope.ops.avgpool import AvgPool
from archscope.ops.maxpool import MaxPool

LEVEL = WARNING
SOURCE = "dmlc/cxxnet PR #156; forresti/SqueezeNet#33; arXiv:1409.4842, Table 1 (112 to 56, not 55)"


def examine(subject: Subject) -> Iterator[Found]:
    """Pools that round otherwise than the paper's; where no paper is known, those that leave rows unread."""
    if subject.graph is None:
        return
    if subject.known is not None:
        for each in subject.differences:
            if each.aspect == "ceil_mode" and each.matters:
                yield Found(
                    f"the pool {each.what}",
                    "every map after it has another size, and other pixels under each position",
                    f"ceil_mode={each.spec}",
                    place=each.where,
                )
        return
    for node in subject.graph.nodes:
        if isinstance(node.op, MaxPool | AvgPool):
            yield from _unread(subject.graph, node)


def _unread(graph: Graph, node: Node) -> Iterator[Found]:
    window, shape, out = node.op.window, graph.shapes_in(node)[0], graph.shape_out(node)
    if window is None or window.kernel_size <= window.stride:
        return  # windows that lie apart: that rows are left over is how they are meant
    height, last = shape[2], (out[2] - 1) * window.stride[0] - window.padding[0] + window.kernel_size[0]
    if last < height:
        yield Found(
            f"the pool reads {last} of {height} rows, and makes {out[2]}",
            f"with ceil_mode it makes {out[2] + 1}: papers that go from {height} to {out[2] + 1} round up",
            "ceil_mode=True, if the paper's size is the rounded-up one",
            place=node.path,
            span=node.span,
            level=INFO,
        )

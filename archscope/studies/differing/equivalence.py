"""Do two ops compute the same at this size? What is written differently and means the same is told from what is not."""

from __future__ import annotations

from typing import Any

from archscope.core.arithmetic import Shape
from archscope.core.records import pair
from archscope.graph.graph import Graph, Node
from archscope.ops import Op
from archscope.ops.adaptiveavgpool import AdaptiveAvgPool
from archscope.ops.avgpool import AvgPool
from archscope.ops.dropout import Dropout
from archscope.ops.maxpool import MaxPool

_WINDOW = ("kernel_size", "stride", "padding", "dilation")


def settings(op: Op) -> dict[str, Any]:
    """What an op is set to, its window per axis.

    Whether it works in place is no setting, the numbers are the same; nor are sizes that torch was seen to return.
    """
    own = {name: getattr(op, name) for name in op.__dataclass_fields__ if name not in {"inplace", "shape", "shapes"}}
    window = op.window
    if window is not None:
        own |= {name: getattr(window, name) for name in _WINDOW if name in own}
    return own


def does_nothing(graph: Graph, node: Node) -> bool:
    """Whether a node hands on what it gets, at its size: dropout of nothing, a pool from 7×7 to 7×7.

    >>> from archscope.core.records import Tensor
    >>> from archscope.graph.graph import Scope
    >>> pool = Node(AdaptiveAvgPool(7), "pool", "pool", (0,), (1,))
    >>> tensors = (Tensor((1, 512, 7, 7)), Tensor((1, 512, 7, 7)))
    >>> does_nothing(Graph("vgg", (0,), (), tensors, (pool,), (), ()), pool)
    True
    """
    if isinstance(node.op, Dropout):
        return node.op.p == 0
    if isinstance(node.op, AdaptiveAvgPool):
        return pair(node.op.output_size) == graph.shapes_in(node)[0][2:]
    window = node.op.window
    pool = isinstance(node.op, MaxPool | AvgPool)
    return pool and window is not None and (*window.kernel_size, *window.stride) == (1, 1, 1, 1)


def alike(a: Op, b: Op, shape: Shape) -> bool:
    """Whether two pools that are written differently have the same windows on an input of ``shape``.

    GoogLeNet's last pool, on 7×7, and torchvision's (arXiv:1409.4842, Table 1):

    >>> alike(AvgPool(7, 1), AdaptiveAvgPool(1), (1, 1024, 7, 7))
    True
    >>> alike(AvgPool(5, 3), AdaptiveAvgPool(4), (1, 512, 14, 14))
    False
    """
    if isinstance(a, AdaptiveAvgPool) and isinstance(b, AvgPool):
        return _fixed(a, shape) == _windows(b, shape)
    if isinstance(b, AdaptiveAvgPool) and isinstance(a, AvgPool):
        return _fixed(b, shape) == _windows(a, shape)
    if type(a) is not type(b) or not isinstance(a, MaxPool | AvgPool) or not isinstance(b, MaxPool | AvgPool):
        return False
    return _windows(a, shape) == _windows(b, shape) and _otherwise(a) == _otherwise(b)


def _otherwise(op: Op) -> dict[str, Any]:
    return {name: value for name, value in settings(op).items() if name not in {*_WINDOW, "ceil_mode"}}


def _windows(op: AvgPool | MaxPool, shape: Shape) -> tuple[Any, ...] | None:
    """Where windows begin, per axis, and how large they are; None where they do not fit."""
    if any(n + 2 * p < k for n, k, p in zip(shape[2:], op.window.kernel_size, op.window.padding, strict=True)):
        return None
    sizes = op.out_shape(shape)[2:]
    steps = zip(sizes, op.window.stride, op.window.padding, strict=True)
    starts = tuple(tuple(range(-padding, size * stride - padding, stride)) for size, stride, padding in steps)
    return starts, op.window.kernel_size


def _fixed(op: AdaptiveAvgPool, shape: Shape) -> tuple[Any, ...] | None:
    """The windows of an adaptive pool, as :func:`_windows` gives them; None where they are of several sizes."""
    sizes = list(zip(shape[2:], pair(op.output_size), strict=True))
    if any(n % out for n, out in sizes):
        return None
    return tuple(tuple(range(0, n, n // out)) for n, out in sizes), tuple(n // out for n, out in sizes)

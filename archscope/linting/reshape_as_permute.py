"""A reshape where axes were to be swapped: the sizes are right, and the numbers are shuffled."""

from __future__ import annotations

from collections.abc import Iterator

from archscope.core.arithmetic import Shape
from archscope.linting import ERROR, Found, Subject

LEVEL = ERROR
SOURCE = "PyTorch documentation of Tensor.view, which keeps the order of the numbers; course notes on HWC images"

_RESHAPES = frozenset({"reshape", "view", "_unsafe_view", "resize_"})


def examine(subject: Subject) -> Iterator[Found]:
    """Reshapes of images and sequences whose result has the input's sizes in another order."""
    graph = subject.graph
    if graph is None:
        return
    for node in graph.nodes:
        if node.op.label not in _RESHAPES or not node.inputs:
            continue
        before, after = graph.shapes_in(node)[0], graph.shape_out(node)
        if len(before) > 2 and before != after and sorted(before) == sorted(after) and before[0] == after[0]:
            order = ", ".join(str(axis) for axis in _order(before, after))
            yield Found(
                f"{node.op.label} makes {_spelled(after)} of {_spelled(before)}",
                "a reshape keeps the order of the numbers: the first row of one channel becomes pixels of all channels",
                f"x.permute({order})",
                place=node.path,
                span=node.span,
            )


def _order(before: Shape, after: Shape) -> list[int]:
    """The axes of ``before`` in the order of ``after``; of equal sizes the first one first.

    >>> _order((2, 3, 32, 32), (2, 32, 32, 3))
    [0, 2, 3, 1]
    """
    left = list(range(len(before)))
    found = []
    for size in after:
        axis = next(axis for axis in left if before[axis] == size)
        left.remove(axis)
        found.append(axis)
    return found


def _spelled(shape: Shape) -> str:
    return "×".join(str(size) for size in shape[1:])

"""A reshape where axes were to be swapped: the sizes are right, and the numbers are shuffled."""

from __future__ import annotations

from collections.abc import Iterator

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
            order = ", ".join(str(before.index(size)) for size in after)
            yield Found(
                f"{node.op.label} makes {_spelled(after)} of {_spelled(before)}",
                "a reshape keeps the order of the numbers: the first row of one channel becomes pixels of all channels",
                f"x.permute({order})",
                place=node.path,
                span=node.span,
            )


def _spelled(shape: tuple[int, ...]) -> str:
    return "×".join(str(size) for size in shape[1:])

"""The batch is flattened away: what works for one example fails for two, or mixes them."""

from __future__ import annotations

from collections.abc import Iterator

from archscope.core.errors import ArchscopeError
from archscope.graph.graph import Graph
from archscope.linting import ERROR, Found, Subject

LEVEL = ERROR
SOURCE = (
    "clcarwin/convert_torch_to_pytorch PR #1; udacity/P1_Facial_Keypoints#2; udacity/deep-learning-v2-pytorch#86, "
    "#396; "
    "pytorch/tutorials PR #1505"
)


def examine(subject: Subject) -> Iterator[Found]:
    """Networks that take one example and not three, or whose outputs are not one per example."""
    if subject.again is None:
        return
    try:
        one = subject.again(1, None)
    except ArchscopeError:
        return
    try:
        three = subject.again(3, None)
    except ArchscopeError as error:
        yield _found(one, f"three examples at once fail: {error.problems[0].message}")
        return
    sizes = [three.tensors[output.tensor].shape[:1] for output in three.outputs]
    if any(size != (3,) for size in sizes):
        yield _found(
            one, f"of 3 examples it makes outputs of {', '.join(str(size[0]) if size else 'no axis' for size in sizes)}"
        )


def _found(one: Graph, what: str) -> Found:
    """The finding, at the first op whose result has lost the batch."""
    node = next((node for node in one.nodes if one.shape_out(node)[:1] != (1,)), None)
    shapes = f"({', '.join(map(str, one.shape_out(node)))})" if node is not None else ""
    return Found(
        what,
        f"one example becomes {shapes}, without an axis for the batch" if shapes else "only one example fits",
        "x.flatten(1), or x.view(x.size(0), -1)",
        place=node.path if node is not None else "",
        span=node.span if node is not None else None,
    )

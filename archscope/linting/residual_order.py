"""A ReLU at the end of a residual branch, before the addition: the block can add, and never take away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archscope.graph.graph import Node
from archscope.linting import WARNING, Found, Subject
from archscope.ops.add import Add
from archscope.studies.differing.structure import Leaf, Part, Region, structure_of
from archscope.studies.differing.wording import kind_of

LEVEL = WARNING
SOURCE = "arXiv:1603.05027, Figure 4(c); kuangliu/pytorch-cifar#4, #78; AlexeyAB/darknet#3870"


def examine(subject: Subject) -> Iterator[Found]:
    """Residual blocks whose longer branch ends in ReLU, counted together."""
    graph = subject.graph
    if graph is None:
        return
    blocks = [part for part in structure_of(graph).chain if isinstance(part, Region)]
    wrong = [
        block
        for block in blocks
        if isinstance(graph.nodes[block.join].op, Add)
        and any(not branch for branch in block.branches)
        and any(_ends_in_relu(graph.nodes, branch[-1]) for branch in block.branches if branch)
    ]
    if wrong:
        node = graph.nodes[wrong[0].join]
        yield Found(
            f"ReLU before the addition in {len(wrong)} residual block{'s' * (len(wrong) != 1)}",
            "what is added is never negative, so that activations only grow from block to block; ResNet-110 on "
            "CIFAR-10 has "
            "7.84 % errors so, and 6.61 % with the ReLU after the addition",
            "add first, then ReLU",
            place=node.path,
            span=node.span,
        )


def _ends_in_relu(nodes: Sequence[Node], part: Part) -> bool:
    last = part.followers[-1] if part.followers else None
    return isinstance(part, Leaf) and last is not None and kind_of(nodes[last].op) == "ReLU"

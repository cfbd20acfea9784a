"""The name says another depth than the layers add up to: a "vgg13" that is configuration A has 11 of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archscope import catalog
from archscope.core.errors import ArchscopeError
from archscope.graph.graph import Graph
from archscope.graph.paths import longest_path
from archscope.linting import ERROR, Found, Subject
from archscope.ops import Op
from archscope.ops.conv import Conv
from archscope.studies.differing.costs import cost_of

LEVEL = ERROR
SOURCE = (
    "arXiv:1409.1556, Tables 1 and 2, where A and B both print 133M; huyng/tensorflow-vgg#4 and #18; "
    "huggingface/computer-vision-course PR #303"
)

_NAME = re.compile(r"^(?:my|custom|plain)?_?(vgg|resnet|resnext|densenet)(?:net)?[\s_-]*(\d{2,4})(?!\d)", re.IGNORECASE)


def examine(subject: Subject) -> Iterator[Found]:
    """A number in the name of a family that counts weight layers, which is not their number.

    A name of the catalogue promises what its table has: DenseNet-264 has 265 weight layers in the paper.
    """
    match = _NAME.search(subject.name.rpartition(":")[2])
    if subject.graph is None or match is None:
        return
    graph, promised = subject.graph, f"{match.group(1).lower()}{match.group(2)}"
    known = _known(promised)
    depth = len(longest_path(graph))
    wanted = int(match.group(2)) if known is None else len(longest_path(known))
    if depth == wanted:
        return
    twin = _twin(graph, match.group(1).lower())
    yield Found(
        f"{match.string!r} has {depth} weight layers, {_by_stage(graph)} by resolution{twin and f': it is {twin}'}",
        _why(graph, known),
        f"give it {wanted} weight layers, or call it {match.group(1)}{depth}",
    )


def _known(name: str) -> Graph | None:
    try:
        return catalog.lowered(*catalog.find(name))[1]
    except ArchscopeError:
        return None


def _by_stage(graph: Graph) -> str:
    """Weight layers along the path per resolution: ``1+1+2+2+2+3``."""
    counts: dict[tuple[int, ...], int] = {}
    for node in longest_path(graph):
        axes = graph.shape_out(node)[2:]
        counts[axes] = counts.get(axes, 0) + 1
    return "+".join(str(count) for count in counts.values())


def _twin(graph: Graph, family: str) -> str:
    """The network of the catalogue whose convolutions are these; empty where there is none."""
    mine = _convolutions(graph)
    for name, entry in catalog.everything().items():
        if name.startswith(family) and _convolutions(catalog.lowered(*entry)[1]) == mine:
            return name
    return ""


def _convolutions(graph: Graph) -> list[tuple[object, ...]]:
    return [_setting(node.op) for node in graph.nodes if isinstance(node.op, Conv) and not node.side]


def _setting(op: Op) -> tuple[object, ...]:
    return (op.window, getattr(op, "out_channels", 0))


def _why(graph: Graph, known: Graph | None) -> str:
    mine, its = cost_of(graph), cost_of(known) if known is not None else None
    if its is None or mine.macs is None or its.macs is None:
        return "whoever reads the name expects that network's accuracy and cost"
    return (
        f"the params need not show it, {mine.params:,} against {its.params:,}; the MACs do: "
        f"{mine.macs / 1e9:.2f} G against {its.macs / 1e9:.2f} G"
    )

"""``draw``: a network as a picture: SVG, Mermaid or dot."""

from __future__ import annotations

from typing import Unpack

from archscope import analyses
from archscope.api.networks import Network, lower
from archscope.core.errors import Problem, UsageError
from archscope.core.records import Setting
from archscope.drawings.figure import Figure, figure_of, has_beside, has_dense
from archscope.graph.graph import Graph
from archscope.spec.options import Changes

SUFFIXES = {"svg": ".svg", "mermaid": ".mmd", "dot": ".dot"}
"""The drawings that there are, and how such a file's name ends."""

STYLES = ("boxes", "volumes")

HIGHLIGHTS = {"params": "params", "macs": "MACs", "memory": "bytes of outputs in float32"}


def draw(
    network: Network | Graph,
    to: str = "svg",
    *,
    style: str = "boxes",
    depth: int | None = None,
    highlight: str = "",
    **changes: Unpack[Changes],
) -> str:
    """A picture of a network as text: what runs one after another goes down, branches lie side by side.

    network: what lower takes, a module as well, or a Graph. to: ``svg``, ``mermaid`` or ``dot``. style: ``boxes``, or
    ``volumes``, the maps as cuboids to scale, which only svg has. depth: blocks deeper than this are one box each; of
    volumes every block is one. highlight: colours boxes by their share of ``params``, ``macs`` or ``memory``, the bytes
    of their outputs, instead of by kind; only svg does. Raises UsageError for other values, and what lower raises.
    """
    if to not in SUFFIXES:
        raise UsageError(Problem("bad-value", f"to is {to!r}", expected=", ".join(SUFFIXES)))
    if highlight and highlight not in HIGHLIGHTS:
        raise UsageError(Problem("bad-value", f"highlight is {highlight!r}", expected=", ".join(HIGHLIGHTS)))
    if highlight and to != "svg":
        raise UsageError(Problem("bad-value", f"highlight is {highlight!r}, and only svg has colours for it"))
    if style not in STYLES:
        raise UsageError(Problem("bad-value", f"style is {style!r}", expected=", ".join(STYLES)))
    if style == "volumes" and (to != "svg" or depth is not None):
        given = f"to is {to!r}" if to != "svg" else f"depth is {depth}"
        raise UsageError(Problem("bad-value", f"{given}, and volumes are an svg in which every block is one"))
    if depth is not None and depth < 0:
        raise UsageError(Problem("bad-value", f"depth is {depth}", expected="a whole number from 0 on"))
    graph = network if isinstance(network, Graph) else lower(network, **changes)
    if style == "volumes":
        return _volumes(graph, highlight)
    return _rendered(graph, pictured(graph, depth), to, highlight)


def pictured(graph: Graph, depth: int | None = None) -> Figure:
    """What a drawing of a graph shows, with the params and MACs of its boxes, auxiliary heads included."""
    setting = Setting(batch=1, mode="train")
    counts = {name: analyses.of_column(name)[0].analyse(graph, setting)[name] for name in ("params", "macs")}
    return figure_of(graph, counts, depth)


def _volumes(graph: Graph, highlight: str) -> str:
    from archscope.drawings.volumes import volumes

    image = graph.tensors[graph.inputs[0]].shape[1:]
    notes = ["maps to scale: height and width by one, channels by another; a number behind a name is its channels"]
    notes += ["auxiliary heads are not drawn"] if any(node.side for node in graph.nodes) else []
    notes += _more_notes(graph, highlight)
    return volumes(pictured(graph), image, _title(graph), tuple(notes), highlight)


def _title(graph: Graph) -> str:
    return " · ".join(part for part in (graph.name, graph.title, graph.source) if part)


def _more_notes(graph: Graph, highlight: str) -> list[str]:
    notes = [f"changed from the paper: {', '.join(graph.changes)}"] if graph.changes else []
    return [*notes, *([f"colour: share of the largest box's {HIGHLIGHTS[highlight]}"] if highlight else [])]


def _rendered(graph: Graph, figure: Figure, to: str, highlight: str) -> str:
    title = _title(graph)
    shape = "×".join(map(str, graph.tensors[graph.inputs[0]].shape[1:]))
    notes = [f"input {shape}; a box says what it is, what follows within it, and its output without the batch"]
    notes += ["in a dense block each layer takes all results before it"] if has_dense(figure) else []
    notes += ["side by side ×n: n such ways, which differ in the channels that they take"] if has_beside(figure) else []
    notes += _more_notes(graph, highlight)
    if to == "mermaid":
        from archscope.drawings.mermaid import mermaid

        return mermaid(figure, title, tuple(notes))
    if to == "dot":
        from archscope.drawings.dot import dot

        return dot(figure, title, tuple(notes))
    from archscope.drawings.svg import svg

    return svg(figure, title, tuple(notes), highlight)

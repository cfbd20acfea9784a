"""Which part of a network a word means: a layer, a block, a row of its table, a cell, its depth, or all of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from archscope.core.errors import Problem, UnknownName, UsageError, nearest
from archscope.core.source import Span
from archscope.graph.graph import Graph

DEPTH = "depth"


class Place(NamedTuple):
    """Where a layer stands in its paper's table: file, line, row and column in words, and the cell as printed."""

    file: str
    line: int
    where: str
    cell: str


class Target(NamedTuple):
    """A part of a network. kind: ``layer``, ``block``, ``row``, ``network`` or ``depth``; nodes and scope: by index.

    scope is -1 where the nodes are no block of their own.
    """

    kind: str
    name: str
    nodes: tuple[int, ...]
    scope: int = -1


def target(graph: Graph, what: str | None) -> Target:
    """The part that ``what`` means: a path or name, a row's label, ``row 5``, a cell, ``depth``; None is all.

    A cell goes by its text or, as where cells are set, by its row and column: ``inception (3a).#3×3``.

    Raises UnknownName with the nearest names, UsageError where several parts are meant.
    """
    wanted = _squeezed(what or "")
    everything = tuple(range(len(graph.nodes)))
    if wanted in {"", _squeezed(graph.name)}:
        return Target("network", graph.name, everything, 0)
    named = [n for n, node in enumerate(graph.nodes) if wanted in {_squeezed(node.name), _squeezed(node.path)}]
    if named:
        return Target("layer", graph.nodes[named[0]].name, (named[0],))
    for index, scope in enumerate(graph.scopes):
        if index and wanted in {_squeezed(scope.name), _squeezed(scope.path)}:
            return _block(graph, index)
    if wanted == DEPTH:
        return Target(DEPTH, DEPTH, everything, 0)
    return _of_table(graph, what or "", wanted)


def place_of_row(spans: Sequence[Span]) -> Place | None:
    """The place of what stands in one row: its only cell, else the row by its first one; None if it is in several."""
    if len({span.line for span in spans}) != 1:
        return None
    place = place_of(spans[0])
    if len(set(spans)) == 1 or place is None:
        return place
    return place._replace(where=place.where.partition(",")[0], cell=_first_cell(spans[0]))


def place_of(span: Span | None) -> Place | None:
    """The place in the table; None for what was not read from one."""
    if span is None:
        return None
    cell = span.line_text[span.column - 1 : span.column - 1 + span.length]
    return Place(span.source.name, span.line, span.place, cell)


def _block(graph: Graph, index: int) -> Target:
    scope = graph.scopes[index]
    paths = [node.path for node in graph.nodes_in(index)]
    nodes = tuple(n for n, node in enumerate(graph.nodes) if node.path in set(paths))
    return Target("block", scope.name or scope.path, nodes, index)


def _of_table(graph: Graph, what: str, wanted: str) -> Target:
    """The layers of a row, by its label or number, or of one cell."""
    rows: dict[tuple[int, int], list[int]] = {}
    for n, node in enumerate(graph.nodes):
        if node.span is not None and wanted in _words_of_row(node.span):
            rows.setdefault((node.span.line, 0), []).append(n)
    found = list(rows.values())
    if not found:
        found = [[n] for n, node in enumerate(graph.nodes) if node.text and _squeezed(node.text) == wanted]
    if not found:
        raise _unknown(graph, what)
    if len(found) > 1:
        names = [_group(graph, each).name for each in found]
        shown = ", ".join(names[:6]) + (", …" if len(names) > 6 else "")
        message = f"{what!r} is {len(names)} parts of {graph.name}: {shown}"
        raise UsageError(Problem("which-layer", message, help=f"name one of them: {names[0]}"))
    return _group(graph, found[0])


def _words_of_row(span: Span) -> set[str]:
    """What a row may be called by: ``row 5``, its first cell, the cell that the layer stands in and ``row 5.D``."""
    place = place_of(span)
    number, _, column = span.place.partition(", column ")
    number = number.partition(",")[0]
    cells = [f"{row}.{column}" for row in (number, _first_cell(span)) if column]
    words = (number, _first_cell(span), place.cell if place else "", *cells)
    return {_squeezed(each) for each in words if each.strip()}


def _first_cell(span: Span) -> str:
    return span.line_text.strip().strip("|").partition("|")[0].strip()


def _group(graph: Graph, nodes: list[int]) -> Target:
    """Layers of one row: the only one that has weights, or that there is; the block that they are; else the row."""
    weighted = [n for n in nodes if graph.nodes[n].op.weight_layer]
    single = weighted if len(weighted) == 1 else nodes if len(nodes) == 1 else []
    if single:
        return Target("layer", graph.nodes[single[0]].name, tuple(single))
    for index in range(len(graph.scopes) - 1, 0, -1):
        block = _block(graph, index)
        others = [graph.nodes[n] for n in block.nodes if n not in nodes]
        # What has no span is a join, which tables leave unnamed.
        if set(nodes) <= set(block.nodes) and all(node.span is None for node in others):
            return block
    span = graph.nodes[nodes[0]].span
    return Target("row", span.place.partition(",")[0] if span is not None else "", tuple(nodes))


def _unknown(graph: Graph, what: str) -> UnknownName:
    names = [node.name for node in graph.nodes]
    names += [name for scope in graph.scopes[1:] for name in (scope.name, scope.path) if name]
    names += [place.cell for place in map(place_of, dict.fromkeys(node.span for node in graph.nodes)) if place]
    message = f"{graph.name} has no layer, block, row or cell {what!r}"
    help_line = nearest(what, dict.fromkeys(names)) or f"archscope summary {graph.name} --full shows all layers"
    return UnknownName(Problem("unknown-layer", message, help=help_line))


def _squeezed(text: str) -> str:
    """A name as it is compared: case and blanks aside, x for ×."""
    return "".join(text.lower().split()).replace("×", "x")

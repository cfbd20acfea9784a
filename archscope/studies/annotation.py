"""What does each line of the source make? Output shapes and params beside it, and shape comments that are wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from archscope.core.arithmetic import Shape, product
from archscope.core.source import Source, Span
from archscope.graph.graph import Graph


class Line(NamedTuple):
    """A line of the source.

    outputs: the shapes, without the batch, of what it made, each once and in order: a line may run for many layers.
    calls: how often it made one. params: of all its layers. wrong: what its comment says and what is, in words.
    """

    number: int
    text: str
    outputs: tuple[Shape, ...] = ()
    calls: int = 0
    params: int = 0
    wrong: tuple[str, ...] = ()


class Event(NamedTuple):
    """Something that a line made: a node's result, or a block's.

    order: of running. within: the run of the block that the line stands in. given: the shape of its first input.
    """

    line: int
    order: float
    within: tuple[int, str]
    given: Shape
    output: Shape
    params: frozenset[int]


def annotated(graph: Graph, source: Source, made: Mapping[str, Span] | None = None) -> tuple[Line, ...]:
    """The lines of ``source`` with what they made in a captured graph.

    made: where each module was constructed, by its path: those lines show what the module makes.
    """
    events: dict[int, list[Event]] = {}
    for event in sorted((*_ran(graph, source), *_constructed(graph, source, made or {})), key=lambda each: each.order):
        events.setdefault(event.line, []).append(event)
    return tuple(_line(graph, number, text, events, source) for number, text in enumerate(source.lines, start=1))


def _ran(graph: Graph, source: Source) -> Iterator[Event]:
    """What lines made by running: each node and each block, at the innermost line of this source, once."""
    for index, node in enumerate(graph.nodes):
        if node.span is not None and node.span.source.name == source.name and not _known(graph, node.scope, node.span):
            given = graph.shapes_in(node)[0][1:] if node.inputs else ()
            params = frozenset(node.parameters.values())
            yield Event(node.span.line, index, (node.scope, ""), given, graph.shape_out(node)[1:], params)
    places = {node.outputs: index for index, node in enumerate(graph.nodes)}
    for number, scope in enumerate(graph.scopes):
        span = scope.called
        if span is None or span.source.name != source.name or not scope.outputs or _known(graph, scope.parent, span):
            continue
        inside = list(graph.nodes_in(number))
        last = max((places[node.outputs] for node in inside), default=0)
        params = frozenset(index for node in inside for index in node.parameters.values())
        given = graph.tensors[scope.inputs[0]].shape[1:] if scope.inputs else ()
        output = graph.tensors[scope.outputs[0]].shape[1:]
        yield Event(span.line, last + 0.5, (scope.parent, ""), given, output, params)


def _known(graph: Graph, scope: int, span: Span) -> bool:
    """Whether a block around was called at this line already: what runs in it is a part of that."""
    while scope > 0:
        called = graph.scopes[scope].called
        if called is not None and (called.source.name, called.line) == (span.source.name, span.line):
            return True
        scope = graph.scopes[scope].parent
    return False


def _constructed(graph: Graph, source: Source, made: Mapping[str, Span]) -> Iterator[Event]:
    """What lines made by constructing a module: per call of it, the result of the last node that runs in it."""
    for path, span in made.items():
        calls: dict[int, list[int]] = {}
        for index, node in enumerate(graph.nodes):
            if span.source.name == source.name and f"{node.path}.".startswith(f"{path}."):
                calls.setdefault(node.call, []).append(index)
        for call, inside in calls.items():
            params = frozenset(key for index in inside for key in graph.nodes[index].parameters.values())
            output = graph.shape_out(graph.nodes[inside[-1]])[1:]
            yield Event(span.line, inside[-1], (call, path), (), output, params)


def _line(graph: Graph, number: int, text: str, events: Mapping[int, list[Event]], source: Source) -> Line:
    own = events.get(number, [])
    last = {event.within: event.output for event in own}
    outputs = tuple(dict.fromkeys(last.values()))
    keys = frozenset[int]().union(*(event.params for event in own))
    params = sum(product(graph.parameters[index].shape) for index in keys)
    possible = set(outputs) if own else _around(number, events, source)
    wrong = tuple(_refuted(text, possible)) if possible else ()
    return Line(number, text, outputs, len(last), params, wrong)


def _around(number: int, events: Mapping[int, list[Event]], source: Source) -> set[Shape]:
    """What a comment on a line of its own may mean: what the line before made, what the next one takes or makes."""
    if not source.lines[number - 1].lstrip().startswith("#"):
        return set()
    found: set[Shape] = set()
    for step in (-1, 1):
        at = number + step
        while 1 <= at <= len(source.lines) and at not in events and "def " not in source.lines[at - 1]:
            at += step
        for event in events.get(at, []):
            found |= {event.output} | ({event.given} if step > 0 else set())
    return found


_SIZE = r"(?:\d+|[A-Za-z]{1,10}|-1|\?)"
_CROSS = r"(?:\s+[x×*]\s+|(?<=\d)\s*[x×*]\s*(?=\d))"
_CROSSED = re.compile(rf"(?<![\w.])({_SIZE}(?:{_CROSS}{_SIZE})+)(?![\w.])")
_LISTED = re.compile(rf"[(\[]\s*({_SIZE}(?:\s*,\s*{_SIZE})+)\s*,?\s*[)\]]")


def claims(text: str) -> list[tuple[int | None, ...]]:
    """The shapes that a line's comment states, without the batch; None for a size that it names by a letter.

    Two sizes alone are more often a kernel than a map, and say nothing for certain.

    >>> claims("x = self.pool(x)  # N x 480 x 14 x 14"), claims("x = f(x)  # (B, 512, 7, 7)")
    ([(480, 14, 14)], [(512, 7, 7)])
    >>> claims("conv = f(3, 64)  # 3x3 conv"), claims("# aux1: N x 1024, aux2: 528x4x4")
    ([], [(1024,), (528, 4, 4)])
    """
    comment = text.partition("#")[2]
    found = []
    for match in (*_CROSSED.finditer(comment), *_LISTED.finditer(comment)):
        parts = [part for part in re.split(r"\s*[x×*,]\s*", match.group(1)) if part]
        sizes = [int(part) if part.isdecimal() else None for part in parts]
        named = sizes[0] is None or len(sizes) == 4
        if named:
            sizes = sizes[1:]
        if any(size is not None for size in sizes) and (named or len(sizes) > 2):
            found.append(tuple(sizes))
    return found


def _refuted(text: str, shapes: set[Shape]) -> Iterator[str]:
    for claim in claims(text):
        if not any(_agrees(claim, shape) for shape in shapes):
            said = "×".join("?" if size is None else str(size) for size in claim)
            true = " or ".join(sorted({"×".join(map(str, shape)) for shape in shapes}))
            yield f"says {said}, is {true}"


def _agrees(claim: tuple[int | None, ...], shape: Shape) -> bool:
    """Whether a claim is the shape, with the channels first or last, or spells a vector's size as a product."""
    sizes = [size for size in claim if size is not None]
    if len(shape) == 1 and len(sizes) == len(claim) and product(tuple(sizes)) == shape[0]:
        return True
    orders = (shape, (*shape[1:], *shape[:1]))
    return any(
        len(claim) == len(order) and all(a is None or a == b for a, b in zip(claim, order, strict=True))
        for order in orders
    )

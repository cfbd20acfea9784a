"""What a picture shows of a graph, without places: boxes in sequence, side by side, within blocks, and repeated."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from archscope.analyses import Values
from archscope.core.arithmetic import Shape, product
from archscope.core.records import ITEM_BYTES
from archscope.graph.graph import Graph, Node
from archscope.spec.notation import write

MANY = 8
"""Ways side by side: of more than that, those that are alike are drawn once with their number."""

BESIDE = "side by side"

_PLACES = re.compile(r"\d+:\d+")

_LONG = re.compile(r"\d+\.\d{5,}")

Item = tuple[str, int]
"""A child of a scope: ("node", index) or ("scope", index)."""


class Numbers(NamedTuple):
    """What a box stands for: its name, its output without the batch, and its counts; None where one is not known."""

    name: str
    shape: Shape
    params: int | None
    macs: int | None
    memory: int | None


class Figure(NamedTuple):
    """A part of a picture.

    kind: ``layer``; ``block``, a frame around its parts; ``parallel``, its parts side by side and then joined;
    ``sequence``; ``skip``, a way around without a layer; ``aside``, an auxiliary head beside the way. label: what
    stands in it. family: of its op, for the colour. notes: what follows within it (``relu``). times: how often it is
    there, one after another. dense: each of its parts takes all results before it.
    """

    kind: str
    label: str = ""
    numbers: Numbers | None = None
    family: str = ""
    notes: tuple[str, ...] = ()
    parts: tuple[Figure, ...] = ()
    times: int = 1
    dense: bool = False

    def signature(self) -> object:
        """What is equal in repeats: labels and output shapes, not names and numbers."""
        shape = self.numbers.shape if self.numbers is not None and self.kind == "layer" else ()
        return self.kind, self.label, self.notes, self.times, shape, tuple(part.signature() for part in self.parts)


def figure_of(graph: Graph, counts: dict[str, Values], depth: int | None = None) -> Figure:
    """The picture of a network. counts: params and macs per node. depth: blocks deeper than this are one box each."""
    return _Drawer(graph, counts, depth).scope(0, 0)


def has_dense(figure: Figure) -> bool:
    """Whether some part of it is densely connected, which a drawing does not show with lines."""
    return figure.dense or any(map(has_dense, figure.parts))


def has_beside(figure: Figure) -> bool:
    """Whether some part of it stands for several that run side by side."""
    return (figure.label == BESIDE and figure.times > 1) or any(map(has_beside, figure.parts))


class _Drawer:
    def __init__(self, graph: Graph, counts: dict[str, Values], depth: int | None) -> None:
        self.graph = graph
        self.counts = counts
        self.depth = depth
        self.places = {id(node): at for at, node in enumerate(graph.nodes)}

    def inputs(self, item: Item) -> tuple[int, ...]:
        return self.graph.nodes[item[1]].inputs if item[0] == "node" else self.graph.scopes[item[1]].inputs

    def outputs(self, item: Item) -> tuple[int, ...]:
        return self.graph.nodes[item[1]].outputs if item[0] == "node" else self.graph.scopes[item[1]].outputs

    def is_side(self, item: Item) -> bool:
        return item[0] == "scope" and self.graph.scopes[item[1]].side and not self.graph.scopes[self.parent(item)].side

    def parent(self, item: Item) -> int:
        return self.graph.scopes[item[1]].parent

    def scope(self, index: int, depth: int) -> Figure:
        """A block: a box when it is too deep, a chain of a layer and what follows it; else a frame."""
        own = self.graph.scopes[index]
        nodes = list(self.graph.nodes_in(index))
        label = own.name.rpartition(".")[2] or own.attribute or self.graph.name
        label = own.name if label.isdigit() else label
        numbers = self.numbers(own.name or self.graph.name, nodes, own.outputs)
        if self.depth is not None and depth > self.depth and not own.section:
            return Figure("layer", label, numbers, "block", (own.kind,) if own.kind else ())
        start = own.inputs[0] if own.inputs else -1
        children = [child for child in own.children if child[0] == "node" or any(self.graph.nodes_in(child[1]))]
        inner = self.sequence(children, start, own.outputs, depth + (not own.section))
        if len(inner.parts) == 1 and inner.parts[0].kind == "layer" and inner.parts[0].times == 1:
            only = inner.parts[0]
            return only._replace(numbers=numbers)
        return Figure("block", label, numbers, own.kind, parts=inner.parts)

    def item(self, item: Item, depth: int) -> Figure:
        if item[0] == "scope":
            figure = self.scope(item[1], depth)
            return Figure("aside", parts=(figure,)) if self.is_side(item) else figure
        return self.layer(self.graph.nodes[item[1]])

    def layer(self, node: Node) -> Figure:
        numbers = self.numbers(node.name, [node], node.outputs)
        label = write(node.op) if node.op.notation is not None else node.op.label
        label = label.replace(" no-bias", "")  # a picture says what happens to maps; params stand in the tooltip
        label = _LONG.sub(lambda match: f"{float(match.group()):.4g}", label)
        return Figure("layer", label, numbers, _family(node))

    def numbers(self, name: str, nodes: Sequence[Node], outputs: tuple[int, ...]) -> Numbers:
        tensor = self.graph.tensors[outputs[0]]
        known: dict[str, int | None] = {}
        for column in ("params", "macs"):
            values = [self.counts[column][self.places[id(node)]] for node in nodes]
            known[column] = None if any(value is None for value in values) else sum(values)
        made = [self.graph.tensors[each] for node in nodes if not node.op.in_place for each in node.outputs]
        memory = sum(product(each.shape) * ITEM_BYTES.get(each.dtype, 4) for each in made)
        return Numbers(name, tensor.shape[1:], known["params"], known["macs"], memory)

    def sequence(self, items: list[Item], tensor: int, leaving: tuple[int, ...], depth: int) -> Figure:
        """Items that begin with ``tensor``: one after another, and where ways part, side by side up to the join."""
        parts: list[Figure] = []
        rest = list(items)
        while rest:
            takers = [item for item in rest if tensor in self.inputs(item) and not self.is_side(item)]
            if self.is_side(rest[0]) or (takers == rest[:1] and tensor not in leaving) or len(rest) == 1:
                first = rest.pop(0)
                parts.append(self.item(first, depth))
                tensor = tensor if self.is_side(first) else self.outputs(first)[0]
                continue
            end = self.join(rest, leaving)
            if end is None:
                parts += [self.item(each, depth) for each in rest]
                break
            parts.append(self.parallel(rest[:end], rest[end], tensor, depth))
            tensor = self.outputs(rest[end])[0]
            del rest[: end + 1]
        return Figure("sequence", parts=tuple(_folded(_merged(parts))))

    def join(self, items: list[Item], leaving: tuple[int, ...]) -> int | None:
        """The first item behind which nothing but its own result is wanted."""
        for at, item in enumerate(items[1:], 1):
            later = {tensor for each in items[at + 1 :] for tensor in self.inputs(each)} | set(leaving)
            made = {tensor for each in items[at:] for tensor in self.outputs(each)}
            if len(self.inputs(item)) > 1 and later <= made and not self.is_side(item):
                return at
        return None

    def parallel(self, items: list[Item], join: Item, tensor: int, depth: int) -> Figure:
        """The ways between a tensor and their join; a way without a layer is a skip."""
        ways = self.ways(items)
        result = self.item(join, depth)
        ends = self.inputs(join)
        if len(ways) == 1 and any(len(self.inputs(item)) > 1 and item[0] == "scope" for item in items):
            inner = tuple(_folded([_growing(self.item(each, depth)) for each in items]))
            return Figure("parallel", result.label, result.numbers, "join", parts=inner, dense=True)
        parts = [_unframed(self.sequence(way, tensor, ends, depth)) for way in ways]
        parts = _beside(parts) if len(parts) > MANY else parts
        parts += [Figure("skip")] if tensor in ends else []
        return Figure("parallel", result.label, result.numbers, "join", parts=tuple(parts))

    def ways(self, items: list[Item]) -> list[list[Item]]:
        """Items apart by whether anything flows between them."""
        ways: list[list[Item]] = []
        for item in items:
            wanted = set(self.inputs(item))
            mine = [way for way in ways if any(wanted & set(self.outputs(each)) for each in way)]
            joined = [each for way in mine for each in way]
            ways = [way for way in ways if way not in mine]
            ways.append([*joined, item])
        return ways


_FOLLOWED = {"conv", "fc", "join"}


def _family(node: Node) -> str:
    name = type(node.op).__name__
    if node.op.joins:
        return "join"
    if "Pool" in name:
        return "pool"
    return {"Conv": "conv", "FC": "fc"}.get(name, "norm" if "Norm" in name or name == "LRN" else "other")


def _growing(part: Figure) -> Figure:
    """A dense layer without what its concatenation comes to, which grows from one to the next: they are repeats."""
    parts = tuple(_growing(each) for each in part.parts)
    return part._replace(numbers=None) if part.kind == "layer" and part.family == "join" else part._replace(parts=parts)


def _beside(ways: list[Figure]) -> list[Figure]:
    """Ways that differ at most in which channels they take, as one in a frame with their number."""
    alike: dict[object, list[Figure]] = {}
    for way in ways:
        alike.setdefault((_without_places(way).signature(), *_joined_shapes(way)), []).append(way)
    found = []
    for same in alike.values():
        if len(same) == 1:
            found.append(same[0])
            continue
        parts = [part for way in same for part in way.parts]
        numbers = _together(parts)
        shown = _without_places(same[0]) if len({way.signature() for way in same}) > 1 else same[0]
        found.append(Figure("block", BESIDE, numbers, parts=shown.parts, times=len(same)))
    return found


def _joined_shapes(part: Figure) -> list[Shape]:
    """What the joins within a part come to, in order."""
    own = [part.numbers.shape] if part.kind == "parallel" and part.numbers is not None else []
    return [*own, *(shape for each in part.parts for shape in _joined_shapes(each))]


def _without_places(part: Figure, *, joined: bool = False) -> Figure:
    """A part without which channels it takes, and without how many where a join says what they come to."""
    inside = tuple(_without_places(each, joined=joined or part.kind == "parallel") for each in part.parts)
    label = _PLACES.sub("", part.label)
    numbers = None if joined and label != part.label else part.numbers
    return part._replace(label=label, numbers=numbers, parts=inside)


def _together(parts: Sequence[Figure]) -> Numbers | None:
    """What parts have together, by the name and with the output of the last one."""
    known: Numbers | None = None
    for part in parts:
        own = part.numbers if part.kind != "parallel" else _sum(_together(part.parts), part.numbers)
        known = _sum(known, own if own is not None else _together(part.parts))
        known = known._replace(name=own.name) if known is not None and own is not None else known
    return known


def _unframed(way: Figure) -> Figure:
    """A way that is a block of no kind without its frame, as papers draw branches."""
    only = way.parts[0] if len(way.parts) == 1 else None
    if only is None or only.kind != "block" or only.family or only.times > 1:
        return way
    return _unframed(Figure("sequence", parts=only.parts))


def _merged(parts: list[Figure]) -> list[Figure]:
    """What follows a convolution, an FC layer or a join stands within its box: batch norm, the activation, dropout."""
    merged: list[Figure] = []
    for part in parts:
        last = merged[-1] if merged else None
        follows = part.kind == "layer" and part.family in {"norm", "other"} and part.label != "flatten"
        if last is None or last.kind not in {"layer", "parallel"} or last.family not in _FOLLOWED or not follows:
            merged.append(part)
            continue
        merged[-1] = last._replace(notes=(*last.notes, part.label), numbers=_sum(last.numbers, part.numbers))
    return merged


def _folded(parts: Sequence[Figure]) -> list[Figure]:
    """Equal parts that follow each other, as one with the number of times."""
    folded: list[Figure] = []
    for part in parts:
        last = folded[-1] if folded else None
        if last is not None and part.kind in {"layer", "block"} and _alike(last, part):
            numbers = _sum(last.numbers, part.numbers)
            folded[-1] = last._replace(times=last.times + 1, numbers=numbers)
        else:
            folded.append(part)
    return folded


def _alike(last: Figure, part: Figure) -> bool:
    """Whether a part repeats the last one; blocks by what is in them, since each has a name of its own."""
    if last.kind == part.kind == "block":
        return (
            last.family == part.family
            and last._replace(label="", times=1).signature() == part._replace(label="").signature()
        )
    return last._replace(times=1).signature() == part.signature()


def _sum(first: Numbers | None, other: Numbers | None) -> Numbers | None:
    """Both together: the first one's name, and the shape that comes out at the end."""
    if first is None or other is None:
        return first or other
    params, macs, memory = (
        None if one is None or two is None else one + two for one, two in zip(first[2:], other[2:], strict=True)
    )
    return Numbers(first.name, other.shape, params, macs, memory)

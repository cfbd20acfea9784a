"""What differs between two networks, place by place: their structures aligned and walked through together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from archscope.graph.graph import Graph, Node
from archscope.graph.paths import longest_path
from archscope.ops import Elementwise, Op
from archscope.ops.dropout import Dropout
from archscope.studies.differing.alignment import Aligner, Match, Pair, halvings, heaviest
from archscope.studies.differing.equivalence import alike, does_nothing, settings
from archscope.studies.differing.structure import Chain, Leaf, Part, Region, Structure, nodes_of
from archscope.studies.differing.wording import Labels, counted, kind_of, op_of, setting_of, value_of


class Fact(NamedTuple):
    """One difference at one place.

    aspect, what, network, spec, matters: as in :class:`archscope.studies.differing.difference.Difference`. place: in
    the network, or in the spec for what the network lacks. also: what the spec calls it, where it has another name.
    kind: what kind of layer lies there. after: it is about what follows that layer.
    """

    aspect: str
    what: str
    network: Any
    spec: Any
    place: str
    also: str = ""
    kind: str = "layer"
    after: bool = False
    matters: bool = True


class SideBySide:
    """A network ``a`` held against ``b``, the spec."""

    def __init__(self, a: Structure, b: Structure) -> None:
        self.a, self.b = a, b
        self.aligner = Aligner(a.graph, b.graph)
        self.labels_a, self.labels_b = Labels(a.graph), Labels(b.graph)
        self.counterpart: dict[int, int] = {}
        """For the last node of a part the last node of the part of the spec that it was held against."""

    def of_chains(self, a: Chain, b: Chain) -> Iterator[Fact]:
        """The differences of two chains, in order; then the layers that only one of them has."""
        lone: list[Pair] = []
        for pair in self.aligner.chains(a, b):
            if pair.a is None or pair.b is None:
                lone.append(pair)
            else:
                self.counterpart[nodes_of([pair.a])[-1]] = nodes_of([pair.b])[-1]
                yield from self._of_pair(pair.a, pair.b)
        yield from self._of_lone(lone, in_blocks=a is self.a.chain)

    def _of_pair(self, a: Part, b: Part) -> Iterator[Fact]:
        if isinstance(a, Region) and isinstance(b, Region):
            yield from self._of_regions(a, b)
        elif isinstance(a, Leaf) and isinstance(b, Leaf) and a.layer is not None and b.layer is not None:
            yield from self._of_nodes(a.layer, b.layer, self._base(a, b))
        yield from self._of_followers(a, b)

    def _base(self, a: Part, b: Part) -> Fact:
        """A fact with the place of two parts, that the difference is still to be put into."""
        mine, its = self.labels_a.of(a), self.labels_b.of(b)
        kind = "block" if isinstance(a, Region) else "layer"
        if isinstance(a, Leaf) and a.layer is not None:
            kind = kind_of(self.a.graph.nodes[a.layer].op)
        return Fact("", "", None, None, mine, "" if mine == its else its, kind)

    def _of_nodes(self, m: int, n: int, base: Fact) -> Iterator[Fact]:
        """The settings in which two nodes differ, or that they are different ops."""
        mine, its = self.a.graph.nodes[m], self.b.graph.nodes[n]
        shape = self.a.graph.shapes_in(mine)[0]
        matters = not alike(mine.op, its.op, shape)
        here = "" if matters else ": the same windows"
        if type(mine.op) is not type(its.op):
            x, y = op_of(mine.op), op_of(its.op)
            yield base._replace(aspect="replaced", what=f"{x}, spec {y}{here}", network=x, spec=y, matters=matters)
            return
        for aspect, x, y in _differing(mine, its):
            words = setting_of(aspect, x, y) + (here or self._sizes(m, n, aspect))
            yield base._replace(aspect=aspect, what=words, network=x, spec=y, matters=matters)

    def _sizes(self, m: int, n: int, aspect: str) -> str:
        """The sizes that a different rounding makes."""
        x, y = (graph.shape_out(graph.nodes[i])[2:] for graph, i in ((self.a.graph, m), (self.b.graph, n)))
        return f": {value_of('', x)}, spec {value_of('', y)}" if aspect == "ceil_mode" and x != y else ""

    def _of_followers(self, a: Part, b: Part) -> Iterator[Fact]:
        """What follows two paired parts: batch norm, ReLU, dropout, paired by kind and in order."""
        base = self._base(a, b)
        mine = [self.a.graph.nodes[index].op for index in a.followers]
        its = [self.b.graph.nodes[index].op for index in b.followers]
        for m, n in _by_kind(mine, its):
            if m is not None and n is not None:
                pair = Leaf(a.followers[m]), Leaf(b.followers[n])
                yield from self._of_nodes(a.followers[m], b.followers[n], self._base(*pair))
            elif m is not None:
                yield _lone(self.a.graph, a.followers[m], "added", base._replace(after=True))
            elif n is not None:
                yield _lone(self.b.graph, b.followers[n], "missing", base._replace(after=True))

    def _of_regions(self, a: Region, b: Region) -> Iterator[Fact]:
        base = self._base(a, b)
        x, y = (op_of(graph.nodes[part.join].op) for graph, part in ((self.a.graph, a), (self.b.graph, b)))
        if x.split()[0] != y.split()[0]:
            yield base._replace(aspect="replaced", what=f"branches joined by {x}, spec {y}", network=x, spec=y)
        matches = self.aligner.branches(a, b)
        for match in matches:
            if match.a is not None and match.b is not None:
                yield from self.of_chains(a.branches[match.a], b.branches[match.b])
            else:
                yield self._lone_branch(a, b, match, base)
        order = tuple(match.b + 1 for match in matches if match.a is not None and match.b is not None)
        if order != tuple(sorted(order)) and x.startswith("concat"):
            words = f"branches in the order {', '.join(map(str, order))} of the spec's"
            yield base._replace(aspect="branches", what=words, network=order, spec=tuple(sorted(order)))

    def _lone_branch(self, a: Region, b: Region, match: Match, base: Fact) -> Fact:
        if match.a is not None:
            text = _spelled(self.a.graph, a.branches[match.a])
            return _with(base, "added", f"branch {text} added", text)
        text = _spelled(self.b.graph, b.branches[match.b or 0])
        return _with(base, "missing", f"branch {text} missing", text)

    def _of_lone(self, lone: Sequence[Pair], *, in_blocks: bool) -> Iterator[Fact]:
        """Parts that only one network has: layers with weights by block, as papers count them, others one by one."""
        blocks: dict[tuple[str, str, str], list[Leaf]] = {}
        for pair in lone:
            aspect, labels, part = ("added", self.labels_a, pair.a)
            if pair.a is None:
                aspect, labels, part = ("missing", self.labels_b, pair.b)
            graph = labels.graph
            if isinstance(part, Leaf) and part.layer is not None and graph.nodes[part.layer].op.weight_layer:
                node = graph.nodes[part.layer]
                block = _block(graph, node) if in_blocks else ""
                blocks.setdefault((aspect, kind_of(node.op), block), []).append(part)
            elif part is not None:
                yield _lone_part(graph, part, aspect, labels.of(part))
        for (aspect, kind, block), parts in blocks.items():
            yield from self._of_lone_layers(aspect, kind, block, parts)

    def _of_lone_layers(self, aspect: str, kind: str, block: str, parts: Sequence[Leaf]) -> Iterator[Fact]:
        labels = self.labels_a if aspect == "added" else self.labels_b
        words = f"{counted(len(parts), kind)} {'more' if aspect == 'added' else 'fewer'}{block}"
        mine, its = (len(longest_path(structure.graph)) for structure in (self.a, self.b))
        words += f": {mine} weight layers, not {its}" if (mine > its) - (mine < its) == _SIGNS[aspect] else ""
        cells = ", ".join(dict.fromkeys(op_of(labels.graph.nodes[part.layer or 0].op) for part in parts))
        for part in parts:
            yield _with(Fact("", "", None, None, labels.of(part), kind=kind), aspect, words, cells)


_SIGNS = {"added": 1, "missing": -1}


def _differing(mine: Node, its: Node) -> Iterator[tuple[str, Any, Any]]:
    """The settings that differ between two nodes of one op. Padding that goes with the kernel is not one of its own."""
    x, y = settings(mine.op), settings(its.op)
    halves = [tuple(size // 2 for size in values.get("kernel_size", ())) for values in (x, y)]
    for aspect in x:
        implied = aspect == "padding" and [x["padding"], y["padding"]] == halves
        if x[aspect] != y[aspect] and not implied:
            yield aspect, x[aspect], y[aspect]


def _by_kind(mine: Sequence[Op], its: Sequence[Op]) -> list[tuple[int | None, int | None]]:
    """Pairs what follows two layers: like with like, else norms with norms and activations with activations."""

    def weight(x: Op, y: Op) -> int:
        return 5 if type(x) is type(y) else int(_role(x) == _role(y))

    return heaviest([[weight(x, y) for y in its] for x in mine], len(its))


def _role(op: Op) -> str:
    if isinstance(op, Dropout):
        return "dropout"
    return "activation" if isinstance(op, Elementwise) else "norm"


def _block(graph: Graph, node: Node) -> str:
    """Which block a layer is in, as papers count them: by how often the map has been halved before."""
    shape, first = graph.shape_out(node), graph.tensors[graph.inputs[0]].shape
    return f" in block {halvings(first, shape) + 1}" if len(shape) > 2 else " in the head"


def _spelled(graph: Graph, chain: Chain) -> str:
    """A branch by its layers."""
    layers = [part.layer if isinstance(part, Leaf) else part.join for part in chain]
    return " + ".join(op_of(graph.nodes[index].op) for index in layers if index is not None) or "shortcut"


def _with(base: Fact, aspect: str, words: str, value: str) -> Fact:
    """The fact that one network alone has something, with what it has."""
    return base._replace(
        aspect=aspect,
        what=words,
        network=value if aspect == "added" else None,
        spec=value if aspect == "missing" else None,
    )


def _lone(graph: Graph, index: int, aspect: str, base: Fact) -> Fact:
    """A node that follows a part in one network only."""
    node = graph.nodes[index]
    nothing = does_nothing(graph, node)
    words = f"{op_of(node.op)} {aspect}" + (": it does nothing at this size" if nothing else "")
    return _with(base, aspect, words, op_of(node.op))._replace(matters=not nothing)


def _lone_part(graph: Graph, part: Part, aspect: str, place: str) -> Fact:
    """A layer without weights, or a whole block, that only one network has."""
    base = Fact("", "", None, None, place)
    if isinstance(part, Leaf):
        return _lone(graph, part.layer if part.layer is not None else part.followers[0], aspect, base)
    layers = sum(graph.nodes[index].op.weight_layer for index in nodes_of([part]))
    text = f"block of {counted(layers, 'weight layer')} ({' | '.join(_spelled(graph, each) for each in part.branches)})"
    return _with(base._replace(kind="block"), aspect, f"{text} {aspect}", text)

"""Which part of one network is which part of another? Two structures laid side by side, part by part.

Chains are aligned for the most likeness in all (Needleman and Wunsch, 1970): layers of one kind, kernel, size and name
belong together, and what has no counterpart stands alone. Branches of paired regions are matched by likeness too:
neither names nor the order in which branches are written decide.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from archscope.core.arithmetic import Shape, product
from archscope.core.errors import Problem, Unsupported
from archscope.graph.graph import Graph, Node
from archscope.ops import letters
from archscope.studies.differing.structure import Chain, Leaf, Part, Region, nodes_of

LONGEST = 4_000_000
"""Pairs of parts that an alignment weighs: two chains of 2,000 layers. Longer ones are refused, not guessed."""


class Pair(NamedTuple):
    """A part of each network; None where the other one has no such part."""

    a: Part | None
    b: Part | None


class Match(NamedTuple):
    """Branches of two paired regions, by number; None where the other one has no such branch."""

    a: int | None
    b: int | None


class Look(NamedTuple):
    """What a layer is taken for: its kind, kernel, channels and how far the map has shrunk."""

    kind: str
    kernel: tuple[int, ...]
    channels: int
    shrunk: int
    name: str


class Aligner:
    """The looks of two graphs' layers, worked out once."""

    def __init__(self, a: Graph, b: Graph) -> None:
        self.a, self.b = [_look(a, node) for node in a.nodes], [_look(b, node) for node in b.nodes]

    def chains(self, a: Chain, b: Chain) -> list[Pair]:
        """The parts of two chains, paired in order. Raises Unsupported for chains too long to weigh."""
        start = 0
        while start < min(len(a), len(b)) and self._same(a[start], b[start]):
            start += 1
        end = 0
        while end < min(len(a), len(b)) - start and self._same(a[-1 - end], b[-1 - end]):
            end += 1
        middle = self._weighed(a[start : len(a) - end], b[start : len(b) - end])
        front = [Pair(*both) for both in zip(a[:start], b[:start], strict=True)]
        back = [Pair(*both) for both in zip(a[len(a) - end :], b[len(b) - end :], strict=True)]
        return [*front, *middle, *back]

    def branches(self, a: Region, b: Region) -> list[Match]:
        """The branches of two regions, the most alike together, in the first one's order; lone ones of b at the end."""
        likeness = [
            (self._likeness(x, y), -abs(m - n), -m, -n)
            for m, x in enumerate(a.branches)
            for n, y in enumerate(b.branches)
        ]
        found: dict[int, int] = {}
        for _, _, m, n in sorted(likeness, reverse=True):
            if -m not in found and -n not in found.values():
                found[-m] = -n
        rest = [Match(None, n) for n in range(len(b.branches)) if n not in found.values()]
        return [*(Match(m, found.get(m)) for m in range(len(a.branches))), *rest]

    def _likeness(self, a: Chain, b: Chain) -> int:
        """How alike two branches are, in thousandths; two shortcuts that do nothing are wholly alike."""
        if not a and not b:
            return 1000
        paired = [pair for pair in self.chains(a, b) if pair.a is not None and pair.b is not None]
        return 2000 * sum(self._weight(*pair) for pair in paired) // (_MOST * (len(a) + len(b)))

    def _same(self, a: Part, b: Part) -> bool:
        """Whether two parts look the same in everything but their names: nothing has to be weighed."""
        return self._looks(a, 0) == self._looks(b, 1)

    def _looks(self, part: Part, which: int) -> list[tuple[object, ...]]:
        looks = (self.a, self.b)[which]
        return [looks[index][:4] for index in nodes_of([part])]

    def _weighed(self, a: Sequence[Part], b: Sequence[Part]) -> list[Pair]:
        if len(a) * len(b) > LONGEST:
            message = f"chains of {len(a):,} and {len(b):,} different parts are too long to align"
            raise Unsupported(Problem("too-long", message))
        found = heaviest([[self._weight(x, y) for y in b] for x in a], len(b))
        return [Pair(None if m is None else a[m], None if n is None else b[n]) for m, n in found]

    def _weight(self, a: Part | None, b: Part | None) -> int:
        """How much speaks for a pair; 0 where nothing does."""
        if isinstance(a, Region) and isinstance(b, Region):
            return self._of_regions(a, b)
        if not isinstance(a, Leaf) or not isinstance(b, Leaf):
            return 0
        if a.layer is None or b.layer is None:
            return _MOST if a.layer is b.layer else 0
        return _of_looks(self.a[a.layer], self.b[b.layer])

    def _of_regions(self, a: Region, b: Region) -> int:
        x, y = self.a[a.join], self.b[b.join]
        mine, its = (Counter(looks[n][:3] for n in nodes_of([part])) for looks, part in ((self.a, a), (self.b, b)))
        common = sum((mine & its).values()) * 6 // max(sum(mine.values()), sum(its.values()))
        return 2 + common + 2 * (x.kind == y.kind) + (x.shrunk == y.shrunk) + (x.name == y.name != "")


_MOST = 12
"""The weight of two layers, or two regions, that are alike in everything."""


def _of_looks(a: Look, b: Look) -> int:
    """Names weigh least: branches that were swapped keep theirs."""
    alike = 2 * (a.kernel == b.kernel) + 2 * (a.channels == b.channels) + 2 * (a.shrunk == b.shrunk)
    alike += a.name == b.name != ""
    if a.kind == b.kind:
        return 5 + alike
    pools = "pool" in a.kind and "pool" in b.kind
    dense = {a.kind, b.kind} == {"conv", "fc"}
    return 2 + alike if pools or dense else 0


def _look(graph: Graph, node: Node) -> Look:
    op, shape = node.op, graph.shape_out(node)
    kernel = op.window.kernel_size if op.window is not None else ()
    kind = letters(op.notation) if op.notation is not None else type(op).__name__
    channels = shape[1] if len(shape) > 1 else 0
    shrunk = halvings(graph.tensors[graph.inputs[0]].shape, shape)
    return Look(kind, kernel, channels, shrunk, _named(node.path))


def _named(path: str) -> str:
    """A path as a name; none for one that only counts: ``features.14`` does not say where that is."""
    return "" if path.rpartition(".")[2].isdigit() else path.replace("_", "").lower()


def halvings(first: Shape, shape: Shape) -> int:
    """How often a map has been halved since the input; -1 for a vector.

    >>> halvings((1, 3, 224, 224), (1, 256, 56, 56)), halvings((1, 3, 227, 227), (1, 96, 55, 55))
    (2, 2)
    """
    if len(shape) < 3 or len(first) != len(shape) or product(shape[2:]) == 0:
        return -1
    return int(product(first[2:]) / product(shape[2:])).bit_length() // 2


def heaviest(weights: Sequence[Sequence[int]], width: int) -> list[tuple[int | None, int | None]]:
    """The pairs (row, column), in order, that weigh most in all; None for a row or a column without a counterpart.

    A weight of 0 forbids a pair. Where several pairings are equally good, what stands alone comes last.

    >>> heaviest([[3, 0], [3, 0]], 2)
    [(0, 0), (1, None), (None, 1)]
    """
    height = len(weights)
    best = [[0] * (width + 1) for _ in range(height + 1)]
    for m in range(height - 1, -1, -1):
        row, below, own = best[m], best[m + 1], weights[m]
        for n in range(width - 1, -1, -1):
            row[n] = max(own[n] + below[n + 1] if own[n] else 0, below[n], row[n + 1])
    pairs: list[tuple[int | None, int | None]] = []
    m = n = 0
    while m < height and n < width:
        if weights[m][n] and best[m][n] == weights[m][n] + best[m + 1][n + 1]:
            pairs.append((m, n))
            m, n = m + 1, n + 1
        elif best[m][n] == best[m + 1][n]:
            pairs.append((m, None))
            m += 1
        else:
            pairs.append((None, n))
            n += 1
    return [*pairs, *((row, None) for row in range(m, height)), *((None, column) for column in range(n, width))]

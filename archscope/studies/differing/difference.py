"""In what do two networks differ? Aligned along their structure, said in words, repeats folded.

The first network is held against the second, the spec: "kernel 3×3, spec 5×5". What is only written differently (how
a pool rounds where nothing is left over, an adaptive pool that pools nothing at this size) is listed as such.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from archscope.graph.graph import Graph
from archscope.graph.wiring import makers_of
from archscope.studies.differing.side_by_side import Fact, SideBySide
from archscope.studies.differing.structure import Head, Structure, nodes_of, structure_of
from archscope.studies.differing.wording import Labels, kind_of, value_of, where


class Difference(NamedTuple):
    """One thing in which two networks differ, and everywhere it does.

    aspect: the setting by torch's name (``kernel_size``, ``p``), or ``added``, ``missing``, ``replaced``, ``branches``,
    ``input``, ``attached``, ``outputs``. what: in words, without the place; where: the place in words. network, spec:
    both values, None where there is none. places: the layers, by name; those of the spec where the network lacks them.
    matters: False where the same numbers come out at this input size.
    """

    aspect: str
    what: str
    where: str
    network: Any
    spec: Any
    places: tuple[str, ...]
    matters: bool = True

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" if self.where else self.what


def differences(network: Graph, spec: Graph) -> tuple[Difference, ...]:
    """Everything in which ``network`` differs from ``spec``; empty where it is the same network.

    Raises Unsupported for chains of thousands of layers that have little in common.
    """
    a, b = structure_of(network), structure_of(spec)
    sides = SideBySide(a, b)
    facts = [*_of_inputs(network, spec), *sides.of_chains(a.chain, b.chain), *_of_heads(sides)]
    kinds = Counter(kind_of(node.op) for node in network.nodes)
    return tuple(_folded(facts, kinds))


def _folded(facts: Iterable[Fact], kinds: Counter[str]) -> Iterator[Difference]:
    together: dict[tuple[Any, ...], list[Fact]] = {}
    for fact in facts:
        key = (fact.aspect, fact.what, str(fact.network), str(fact.spec), fact.kind, fact.after, fact.matters)
        together.setdefault(key, []).append(fact)
    for same in together.values():
        first = same[0]
        place = where([(fact.place, fact.also) for fact in same], first.kind, kinds[first.kind])
        places = tuple(fact.place for fact in same if fact.place)
        words = f"after {place}" if first.after else place
        yield Difference(first.aspect, first.what, words, first.network, first.spec, places, first.matters)


def _of_inputs(a: Graph, b: Graph) -> Iterator[Fact]:
    mine, its = (graph.tensors[graph.inputs[0]].shape[1:] for graph in (a, b))
    if mine != its:
        yield Fact("input", f"input {value_of('', mine)}, spec {value_of('', its)}", mine, its, "")


def _of_heads(sides: SideBySide) -> Iterator[Fact]:
    """Auxiliary heads: how many, where they start, what they are made of and in which order they leave the network."""
    pairs = _paired_heads(sides)
    for mine, its in pairs:
        if mine is not None and its is not None:
            yield from _of_starts(sides, mine, its)
            yield from sides.of_chains(mine.chain, its.chain)
        elif mine is not None:
            after = _start(sides.a, sides.labels_a, mine)[1]
            yield Fact("added", f"auxiliary head after {after} added", after, None, mine.output.name, kind="head")
        elif its is not None:
            after = _start(sides.b, sides.labels_b, its)[1]
            yield Fact("missing", f"auxiliary head after {after} missing", None, after, its.output.name, kind="head")
    x, y = _order(sides.a, [mine for mine, _ in pairs]), _order(sides.b, [its for _, its in pairs])
    if x != y and len(sides.a.heads) == len(sides.b.heads):
        yield Fact("outputs", f"outputs in the order {x}; spec {y}", x, y, "")


def _paired_heads(sides: SideBySide) -> list[tuple[Head | None, Head | None]]:
    """Heads that start from the same place, then the others in order."""
    theirs = {_start(sides.b, sides.labels_b, head)[0]: head for head in sides.b.heads}
    pairs: dict[Head, Head | None] = {}
    for head in sides.a.heads:
        pairs[head] = theirs.pop(sides.counterpart.get(_start(sides.a, sides.labels_a, head)[0], -1), None)
    left = list(theirs.values())
    filled = [(mine, its or (left.pop(0) if left else None)) for mine, its in pairs.items()]
    return [*filled, *((None, its) for its in left)]


def _of_starts(sides: SideBySide, mine: Head, its: Head) -> Iterator[Fact]:
    (x, after), (y, before) = _start(sides.a, sides.labels_a, mine), _start(sides.b, sides.labels_b, its)
    if sides.counterpart.get(x) != y:
        words = f"starts after {after}, spec after {before}"
        also = its.output.name if its.output.name != mine.output.name else ""
        yield Fact("attached", words, after, before, mine.output.name, also, kind="head")


def _start(structure: Structure, labels: Labels, head: Head) -> tuple[int, str]:
    """The part of the main chain that a head starts from: its last node and its name; -1 for the input."""
    maker = makers_of(structure.graph).get(head.start, -1)
    for part in structure.chain:
        nodes = nodes_of([part])
        if maker in nodes:
            return (nodes[-1] if maker == nodes[-1] else maker), labels.of(part)
    return maker, "the input"


def _order(structure: Structure, heads: Sequence[Head | None]) -> str:
    """The outputs in the order in which they are returned, heads numbered by where they start in the first network."""
    names = {head.output: f"head {number}" for number, head in enumerate(heads, start=1) if head is not None}
    return ", ".join(names.get(output, "classifier") for output in structure.graph.outputs)

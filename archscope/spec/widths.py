"""The width of a network: channels scaled, rounded, and kept such that groups still divide them and sums still fit."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from archscope.core.arithmetic import Ratio, Size, agree, choose, largest
from archscope.core.errors import Problem, Unsupported
from archscope.core.expression import Name, Operation
from archscope.ops import Op, letters
from archscope.ops.conv import Conv
from archscope.ops.fc import FC
from archscope.spec.network import Block, Item, Layer, Spec, classifiers, mapped

if TYPE_CHECKING:
    from fractions import Fraction

_FREE = (Name, Operation)


def with_width(spec: Spec, width: Fraction | Ratio, round_to: int | None) -> Spec:
    """The spec with the channels of its convolutions scaled, those that say the classes aside.

    round_to: what they are multiples of; what the table says for None. Raises Unsupported for a connection table.
    """
    if any(letters(layer.op.notation or "") == "slice" for layer in spec.layers()):
        message = f"the connection table of {spec.name} fixes its numbers of channels: width cannot change them"
        raise Unsupported(Problem("no-such-knob", message))
    heads = {id(layer) for layer in classifiers(spec.root)}
    multiples = _multiples(spec.root)

    def widened(layer: Layer) -> tuple[Item, ...]:
        op = layer.op
        if id(layer) in heads or not isinstance(op, Conv) or isinstance(op.out_channels, _FREE):
            return (layer,)
        multiple = math.lcm(round_to or spec.round_to, multiples.get(id(layer), 1))
        channels = scaled(op.out_channels, width, multiple)
        if not layer.shrinks:
            channels = largest(channels, op.out_channels)
        return (layer._replace(op=replace(op, out_channels=channels)),)

    return replace(spec, root=mapped(spec.root, widened))


def with_head_width(spec: Spec, width: Fraction | Ratio, round_to: int | None) -> Spec:
    """The spec with its hidden FC layers scaled."""
    heads = {id(layer) for layer in classifiers(spec.root)}

    def widened(layer: Layer) -> tuple[Item, ...]:
        op: Op = layer.op
        if id(layer) in heads or not isinstance(op, FC):
            return (layer,)
        return (layer._replace(op=replace(op, out_features=scaled(op.out_features, width, round_to or 1))),)

    return replace(spec, root=mapped(spec.root, widened))


def scaled(channels: Size, factor: Fraction | Ratio, multiple: int = 1) -> Size:
    """``channels × factor``, rounded half up to a multiple of ``multiple``, at least one of it.

    Where that takes away more than a tenth it is rounded up, as in MobileNet v2's code (``_make_divisible``).

    >>> from fractions import Fraction
    >>> scaled(32, Fraction("0.35")), scaled(32, Fraction("0.35"), 8)
    (11, 16)
    """
    above, below = channels * factor.numerator, factor.denominator * multiple
    units = largest(1, (2 * above + below) // (2 * below))
    if multiple > 1:
        units += choose(10 * units * below < 9 * above, 1, 0)
    return units * multiple


def _multiples(root: Block) -> dict[int, int]:
    """For each convolution, by id, what its channels must stay a multiple of.

    That is its own groups, those of the convolutions that take its channels in, and, where channels are added or
    multiplied, whatever those beside it must be multiples of.
    """
    flow = _Flow()
    flow.through(root, ())
    while flow.evened():
        pass
    return flow.multiples


class _Flow:
    """Which convolutions the channels come from that flow through a network."""

    def __init__(self) -> None:
        self.multiples: dict[int, int] = {}
        self.alike: list[list[Layer]] = []
        """Convolutions whose channels are added to one another."""

    def through(self, item: Item, before: tuple[Layer, ...]) -> tuple[Layer, ...]:
        """The convolutions behind an item's output, given those behind its input."""
        if isinstance(item, Layer):
            return self.layer(item, before)
        if item.join is None:
            return self.chain(item, before)
        ways = [self.through(branch, before) for branch in item.items]
        after = tuple(_once(layer for way in ways for layer in way))
        if letters(item.join.notation or "") != "concat":
            self.alike.extend([*each] for each in _by_channels(after))
        return after

    def chain(self, block: Block, before: tuple[Layer, ...]) -> tuple[Layer, ...]:
        if block.wiring == "dense":
            return self.dense(block, before)
        for item in block.items:
            after = self.through(item, before)
            before = before if isinstance(item, Block) and item.side else after
        return before

    def dense(self, block: Block, before: tuple[Layer, ...]) -> tuple[Layer, ...]:
        for item in block.items:
            before = tuple(_once((*before, *self.through(item, before))))
        return before

    def layer(self, layer: Layer, before: tuple[Layer, ...]) -> tuple[Layer, ...]:
        if not isinstance(layer.op, Conv):
            return () if layer.op.rank == 2 else before
        groups = 1 if isinstance(layer.op.groups, _FREE) else layer.op.groups
        for each in before:
            self.needs(each, groups)
        if isinstance(layer.op.out_channels, _FREE):
            return before  # as many channels as come in, or a multiple
        self.needs(layer, groups)
        return (layer,)

    def needs(self, layer: Layer, multiple: int) -> bool:
        """Adds what a convolution's channels must be a multiple of; whether that is new."""
        old = self.multiples.get(id(layer), 1)
        self.multiples[id(layer)] = math.lcm(old, multiple)
        return self.multiples[id(layer)] != old

    def evened(self) -> bool:
        """Makes the multiples of what is added to one another the same; whether any has changed."""
        changed = False
        for layers in self.alike:
            common = math.lcm(*(self.multiples.get(id(layer), 1) for layer in layers))
            for layer in layers:
                changed |= self.needs(layer, common)
        return changed


def _once(layers: Iterable[Layer]) -> Iterator[Layer]:
    seen: set[int] = set()
    for layer in layers:
        if id(layer) not in seen:
            seen.add(id(layer))
            yield layer


def _by_channels(layers: Iterable[Layer]) -> list[list[Layer]]:
    """Convolutions with as many channels as one another. Raises PointsDiffer for arrays that are so in part."""
    found: list[tuple[Size, list[Layer]]] = []
    for layer in layers:
        if isinstance(layer.op, Conv):
            channels = layer.op.out_channels
            own = [own for other, own in found if agree((other,), (channels,))]
            if own:
                own[0].append(layer)
            else:
                found.append((channels, [layer]))
    return [own for _, own in found]

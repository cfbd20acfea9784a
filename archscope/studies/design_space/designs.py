"""Which designs? The space of a sweep: what is varied, from where to where, and the changes that each point stands for.

A number (width, input, batch, a number in a cell …) is an axis: all its values are looked at in one pass. A word
(``bn=none,conv``) makes variants, each of a structure of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

from archscope.core.arithmetic import Ratio, Size
from archscope.core.counts import Counts
from archscope.spec.options import BATCH_NORMS, HEADS

if TYPE_CHECKING:
    import numpy as np

MOST = 10**9
"""Designs that are not worked out without being asked for twice."""


class Knob(NamedTuple):
    """What may be varied. option: the change to a network that it is; ``batch`` is none, and one of all the same.

    words: its values, if they are no numbers, by how they are written. exact: whether a value may be a fraction.
    """

    option: str
    words: tuple[tuple[str, Any], ...] = ()
    exact: bool = False


_SWITCH = (("yes", True), ("no", False))
KNOBS = {
    "width": Knob("width", exact=True),
    "head_width": Knob("head_width", exact=True),
    "input": Knob("input_size"),
    "batch": Knob("batch"),
    "classes": Knob("num_classes"),
    "channels": Knob("in_channels"),
    "blocks": Knob("blocks"),
    "head": Knob("head", tuple((word, word) for word in HEADS)),
    "bn": Knob("bn", tuple((word, word) for word in BATCH_NORMS)),
    "conv_bias": Knob("conv_bias", _SWITCH),
    "adaptive_pool": Knob("adaptive_pool", _SWITCH),
    "dense": Knob("dense", _SWITCH),
    "aux": Knob("aux", _SWITCH),
    "softmax": Knob("softmax", _SWITCH),
}
"""What may be varied of every network, by its name on the command line, in a filter and as a column."""

CELL = "set"
"""The option that holds what cells of a table are set to."""


class Number(NamedTuple):
    """A number in a cell, ``conv3-{}``, at one point or at many."""

    template: str
    size: Size

    def text(self, size: str = "") -> str:
        """The cell with the number in its place, or with what else stands for it."""
        return self.template.replace("{}", size or str(self.size))


@dataclass(frozen=True, slots=True)
class Axis:
    """A number that is varied. Its values are the whole ``numbers`` in order, divided by the ``denominator``.

    knob: what it changes. template: for a cell, its text with ``{}`` in place of the number.
    """

    name: str
    numbers: tuple[range, ...]
    knob: Knob
    denominator: int = 1
    template: str = "{}"

    def __len__(self) -> int:
        return sum(len(part) for part in self.numbers)

    def number(self, at: int) -> int:
        """The number at a position."""
        for part in self.numbers:
            if at < len(part):
                return part[at]
            at -= len(part)
        raise IndexError(at)

    def value(self, number: int) -> int | Fraction:
        """The value that a number stands for."""
        return Fraction(number, self.denominator) if self.knob.exact else number

    def change(self, number: Any) -> Any:
        """The change to a network that a number stands for, or an array of them."""
        size: Any = number if isinstance(number, int) else Counts(number)
        if self.knob.exact:
            many = Ratio(size, self.denominator)
            return Fraction(size, self.denominator) if isinstance(size, int) else many
        if self.knob.option == CELL:
            return Number(self.template, size)
        return (size, size) if self.knob.option == "input_size" else size

    def slice(self, start: int, stop: int) -> np.ndarray[Any, Any]:
        """The numbers from one position up to another one."""
        import numpy as np

        parts = []
        for part in self.numbers:
            inside = part[max(0, start) : max(0, stop)]
            parts.append(np.arange(inside.start, inside.stop, inside.step, dtype=np.int64))
            start, stop = start - len(part), stop - len(part)
        return np.concatenate(parts)


class Words(NamedTuple):
    """A word that is varied: its values as they are written, and the changes that they are."""

    name: str
    words: tuple[str, ...]
    knob: Knob
    changes: tuple[Any, ...]


class Space(NamedTuple):
    """All designs: each network, with each combination of words, at each point of the axes, the last one fastest."""

    networks: tuple[str, ...]
    words: tuple[Words, ...]
    axes: tuple[Axis, ...]

    @property
    def variants(self) -> int:
        """How many combinations of networks and words there are."""
        return len(self.networks) * prod(len(each.words) for each in self.words)

    @property
    def points(self) -> int:
        """How many designs there are."""
        return self.variants * prod(len(axis) for axis in self.axes)

    @property
    def varied(self) -> list[str]:
        """What is varied, by name."""
        return [*(each.name for each in self.words), *(axis.name for axis in self.axes)]

    def positions(self, variant: Any) -> list[Any]:
        """Which network and which words a variant has, by their positions; of an array of variants, arrays."""
        found = []
        for length in reversed((len(self.networks), *(len(each.words) for each in self.words))):
            found.append(variant % length)
            variant = variant // length
        return found[::-1]

    def variant(self, positions: Sequence[int]) -> int:
        """The variant that has a network and words, by their positions."""
        found = 0
        for at, length in zip(positions, (len(self.networks), *(len(each.words) for each in self.words)), strict=True):
            found = found * length + at
        return found

    def texts(self, variant: int) -> dict[str, str]:
        """The columns that tell a variant from others."""
        network, *words = self.positions(variant)
        chosen = {each.name: each.words[at] for each, at in zip(self.words, words, strict=True)}
        return {"network": self.networks[network], **chosen}

    def numbers(self, position: int) -> dict[str, int]:
        """The numbers of a point, by its position among all of a variant."""
        found = {}
        for axis in reversed(self.axes):
            position, at = divmod(position, len(axis))
            found[axis.name] = axis.number(at)
        return {axis.name: found[axis.name] for axis in self.axes}

    def changes(self, variant: int, numbers: Mapping[str, Any]) -> dict[str, Any]:
        """The changes to a network that some points of a variant are; ``batch`` among them."""
        _, *words = self.positions(variant)
        found: dict[str, Any] = {}
        cells: dict[str, Any] = {}
        for each, at in zip(self.words, words, strict=True):
            (cells if each.knob.option == CELL else found)[_key(each)] = each.changes[at]
        for axis in self.axes:
            (cells if axis.knob.option == CELL else found)[_key(axis)] = axis.change(numbers[axis.name])
        return {**found, CELL: cells} if cells else found

    def written(self, variant: int, numbers: Mapping[str, int]) -> dict[str, str]:
        """A design in words: what is varied, by name, as it reads back."""
        values = {axis.name: written(axis.value(numbers[axis.name])) for axis in self.axes}
        return {**self.texts(variant), **values}


def _key(varied: Axis | Words) -> str:
    return varied.name if varied.knob.option == CELL else varied.knob.option


def written(value: int | Fraction) -> str:
    """A value of an axis so that it reads back exactly: ``0.125``, or ``1/3`` where no decimal is it.

    >>> written(Fraction(1, 8)), written(Fraction(1, 3)), written(224)
    ('0.125', '1/3', '224')
    """
    power = 0
    while power < 12 and (value * 10**power).denominator != 1:
        power += 1
    digits = value * 10**power
    if digits.denominator != 1:
        return str(value)
    whole, part = divmod(int(digits), 10**power)
    return f"{whole}.{part:0{power}}" if power else str(whole)

"""The points of a sweep's axes, cut into chunks, and as arrays that are worked on together."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

from archscope.studies.design_space.designs import Axis

if TYPE_CHECKING:
    import numpy as np

CHUNK = 65_536
"""Points that are worked out at once: enough for arrays to pay, few enough for them to stay in a processor's cache."""

INNER = 64
"""How long the last axis of an array is at least, where there are as many points: short ones are slow."""


class Points(NamedTuple):
    """Points of some axes, as arrays that are worked on together.

    shape: of the arrays. values: by axis, its numbers: an int where it has one, else an array that NumPy's broadcasting
    gives the shape. order: the position of each point in the chunk, of the shape.
    """

    shape: tuple[int, ...]
    values: dict[str, Any]
    order: np.ndarray[Any, Any]

    def part(self, axis: int, positions: np.ndarray[Any, Any]) -> Points:
        """Those at some positions of one of the arrays' axes."""
        values = {
            name: value if isinstance(value, int) or value.shape[axis] == 1 else value.take(positions, axis)
            for name, value in self.values.items()
        }
        order = self.order.take(positions, axis)
        return Points(tuple(order.shape), values, order)

    def parted(self, where: np.ndarray[Any, Any]) -> list[Points]:
        """Those of a mask, and the others."""
        import numpy as np

        longer = [axis for axis, size in enumerate(where.shape) if size > 1]
        if len(longer) == 1 and where.ndim == len(self.shape):
            along = where.reshape(-1)
            return [self.part(longer[0], np.flatnonzero(each)) for each in (along, ~along)]
        values = {
            name: value if isinstance(value, int) else np.broadcast_to(value, self.shape).reshape(-1)
            for name, value in self.values.items()
        }
        flat = Points((prod(self.shape),), values, self.order.reshape(-1))
        along = np.broadcast_to(where, self.shape).reshape(-1)
        return [flat.part(0, np.flatnonzero(each)) for each in (along, ~along)]


class Grid(NamedTuple):
    """How the points of some axes are cut into chunks: boxes, so that a size stays an array along few axes.

    whole: from which axis on a chunk has all values. rows: how many values it has of the axis before.
    """

    lengths: tuple[int, ...]
    whole: int
    rows: int

    @property
    def chunks(self) -> int:
        """How many there are."""
        if self.whole == 0:
            return 1
        return prod(self.lengths[: self.whole - 1]) * -(-self.lengths[self.whole - 1] // self.rows)

    def first(self, chunk: int) -> int:
        """The position of a chunk's first point among all."""
        inside = prod(self.lengths[self.whole :])
        if self.whole == 0:
            return 0
        slabs = -(-self.lengths[self.whole - 1] // self.rows)
        lead, slab = divmod(chunk, slabs)
        return (lead * self.lengths[self.whole - 1] + slab * self.rows) * inside

    def size(self, chunk: int) -> int:
        """How many points a chunk has."""
        return (self.first(chunk + 1) if self.whole and chunk + 1 < self.chunks else prod(self.lengths)) - self.first(
            chunk
        )


def grid(axes: Sequence[Axis], chunk: int = CHUNK) -> Grid:
    """The chunks of about so many points."""
    lengths = tuple(len(axis) for axis in axes)
    whole, inside = len(lengths), 1
    while whole and inside * lengths[whole - 1] <= chunk:
        whole -= 1
        inside *= lengths[whole]
    return Grid(lengths, whole, max(1, chunk // inside))


def points_of(axes: Sequence[Axis], cut: Grid, chunk: int) -> Points:
    """The points of a chunk."""
    import numpy as np

    at = np.unravel_index(cut.first(chunk), cut.lengths) if axes else ()
    size = cut.size(chunk)
    inside = prod(cut.lengths[cut.whole :])
    lengths = [
        1 if n < cut.whole - 1 else size // inside if n == cut.whole - 1 else cut.lengths[n] for n in range(len(axes))
    ]
    arrays = [
        axis.slice(int(start), int(start) + length) for axis, start, length in zip(axes, at, lengths, strict=True)
    ]
    shape = _folded([length for length in lengths if length > 1])
    values: dict[str, Any] = {}
    before = 1
    for axis, array in zip(axes, arrays, strict=True):
        values[axis.name] = int(array[0]) if len(array) == 1 else _laid_out(array, before, shape)
        before *= len(array)
    return Points(shape, values, np.arange(size).reshape(shape))


def _folded(lengths: Sequence[int]) -> tuple[int, ...]:
    """The shape with its last axes made one, until that is not short any more."""
    shape = [*lengths]
    while len(shape) > 1 and (shape[-1] < INNER or len(shape) > 32):  # NumPy has 64 axes at most
        shape[-2:] = [shape[-2] * shape[-1]]
    return tuple(shape) or (1,)


def _laid_out(array: np.ndarray[Any, Any], before: int, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """An axis of the points as an array that broadcasts to the shape. before: the product of the lengths before it."""
    import numpy as np

    axis, outer = 0, 1
    while before >= outer * shape[axis]:
        axis, outer = axis + 1, outer * shape[axis]
    size = shape[axis]
    repeats = before // outer
    inner = size // (repeats * len(array))
    folded = np.tile(np.repeat(array, inner), repeats)
    return folded.reshape([size if n == axis else 1 for n in range(len(shape))])

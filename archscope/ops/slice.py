"""A run of neighbouring channels, ``slice0:3``: which maps a unit of LeNet-5's C3 sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from archscope.core.arithmetic import Shape, require
from archscope.core.records import ONE_POSITION, Call, MemoryRule, Natural, Setting, Window
from archscope.ops import Moving


@dataclass(frozen=True, slots=True)
class Slice(Moving):
    """Channels ``start`` up to, not including, ``stop``, counted from 0: a view, ``torch.narrow``.

    >>> Slice(start=0, stop=3).out_shape((1, 6, 14, 14))
    (1, 3, 14, 14)
    """

    start: Natural
    stop: int

    notation: ClassVar[str | None] = "slice{start}:{stop}"

    def out_shape(self, *inputs: Shape) -> Shape:
        channels = inputs[0][1]
        require(self.start < self.stop, lambda: f"a slice from {self.start} to {self.stop} is empty")
        require(self.stop <= channels, lambda: f"there is no channel {self.stop - 1} among {channels}, counted from 0")
        return (inputs[0][0], self.stop - self.start, *inputs[0][2:])

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        return MemoryRule(out="view")

    def sees(self, *inputs: Shape) -> Window | None:
        return ONE_POSITION

    def torch(self, *inputs: Shape) -> Call:
        return Call("torch.narrow", (1, self.start, self.stop - self.start))

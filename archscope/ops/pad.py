"""Channels of zeros, ``pad16``: how a shortcut without parameters reaches a block with more channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from archscope.core.arithmetic import Shape
from archscope.core.records import ONE_POSITION, Call, MemoryRule, Setting, Window
from archscope.ops import Moving


@dataclass(frozen=True, slots=True)
class Pad(Moving):
    """As many ``channels`` of zeros behind those that there are.

    Option A of residual networks, from the first to the second stage on CIFAR-10 (arXiv:1512.03385, section 4.2):

    >>> Pad(channels=16).out_shape((1, 16, 16, 16))
    (1, 32, 16, 16)
    """

    channels: int

    notation: ClassVar[str | None] = "pad{channels}"
    rank: ClassVar[int | None] = 4

    def out_shape(self, *inputs: Shape) -> Shape:
        batch, channels, *axes = inputs[0]
        return (batch, channels + self.channels, *axes)

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        return MemoryRule()

    def sees(self, *inputs: Shape) -> Window | None:
        return ONE_POSITION

    def torch(self, *inputs: Shape) -> Call:
        # torch counts axes from the last one: width, height, channels.
        return Call("torch.constant_pad_nd", ([0, 0, 0, 0, 0, self.channels],))

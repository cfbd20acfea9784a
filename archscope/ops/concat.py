"""Concatenation along the channels, ``concat``: how an inception module joins its branches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from archscope.core.arithmetic import Shape, require
from archscope.core.records import ONE_POSITION, Call, MemoryRule, Seen, Setting, Window, spelled
from archscope.ops import Moving, Op


@dataclass(frozen=True, slots=True)
class Concat(Moving):
    """``torch.cat`` along axis 1. All other sizes must be equal.

    Inception (3a), 64 + 128 + 32 + 32 channels (arXiv:1409.4842, Table 1):

    >>> Concat().out_shape((1, 64, 28, 28), (1, 128, 28, 28), (1, 32, 28, 28), (1, 32, 28, 28))
    (1, 256, 28, 28)
    """

    notation: ClassVar[str | None] = "concat"
    joins: ClassVar[bool] = True
    captures: ClassVar[tuple[str, ...]] = ("cat",)

    def out_shape(self, *inputs: Shape) -> Shape:
        batch, channels, *axes = inputs[0]
        for other in inputs[1:]:
            require(len(other) == len(inputs[0]), lambda: f"concat needs inputs of one rank; got {spelled(inputs)}")
            for mine, its in zip(axes, other[2:], strict=True):
                require(mine == its, lambda: f"branches differ in height or width: {spelled(inputs)}")
            channels = channels + other[1]
        return (batch, channels, *axes)

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        return MemoryRule(grads="part")

    def sees(self, *inputs: Shape) -> Window | None:
        return ONE_POSITION

    def torch(self, *inputs: Shape) -> Call:
        return Call("torch.cat", (1,), listed=True)

    @classmethod
    def captured(cls, seen: Seen) -> Op | None:
        return cls() if seen["dim"] == 1 and all(len(each.shape) > 1 for each in seen.tensors()) else None

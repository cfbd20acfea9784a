"""Soft-max, ``soft-max``: the last row of many tables. It is the loss while training, a layer only at inference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from archscope.core.arithmetic import Shape, Size, product
from archscope.core.records import ONE_POSITION, Call, MemoryRule, Natural, Seen, Setting, Window
from archscope.ops import Elementwise, Op


@dataclass(frozen=True, slots=True)
class Softmax(Elementwise):
    """``torch.nn.Softmax`` over the classes, or over another axis.

    >>> Softmax().out_shape((1, 1000))
    (1, 1000)
    """

    dim: Natural = 1

    notation: ClassVar[str | None] = "soft-max"
    captures: ClassVar[tuple[str, ...]] = ("softmax", "_softmax")

    def elementwise(self, *inputs: Shape) -> Size | None:
        return 3 * product(inputs[0])

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        return MemoryRule(saved=("output",), autocast="float32" if setting.device == "cuda" else "")

    def sees(self, *inputs: Shape) -> Window | None:
        return ONE_POSITION if self.dim == 1 else None

    def torch(self, *inputs: Shape) -> Call:
        return Call("nn.Softmax", (), {"dim": self.dim})

    @classmethod
    def captured(cls, seen: Seen) -> Op | None:
        return cls(seen["dim"] % max(1, len(seen.shape("self"))))

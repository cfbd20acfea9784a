"""Multiplication by a constant, ``times 0.17``: how Inception-ResNet scales down a residual."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from archscope.core.arithmetic import Shape, Size, product
from archscope.core.records import Call, MemoryRule, Setting
from archscope.ops import Elementwise


@dataclass(frozen=True, slots=True)
class Times(Elementwise):
    """``x * factor``.

    Residuals scaled before they are added (arXiv:1602.07261, section 3.3):

    >>> Times(factor=0.17).out_shape((1, 256, 35, 35))
    (1, 256, 35, 35)
    """

    factor: float

    notation: ClassVar[str | None] = "times {factor}"

    def elementwise(self, *inputs: Shape) -> Size | None:
        return product(inputs[0])

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        return MemoryRule()

    def torch(self, *inputs: Shape) -> Call:
        return Call("operator.mul", (self.factor,))

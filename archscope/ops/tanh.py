"""Hyperbolic tangent, ``tanh``; LeNet-5's squashing function is its scaled form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from archscope.core.arithmetic import Shape, Size, product
from archscope.core.records import Call, MemoryRule, Setting
from archscope.ops import Elementwise


@dataclass(frozen=True, slots=True)
class Tanh(Elementwise):
    """``torch.nn.Tanh``.

    >>> Tanh().out_shape((1, 6, 28, 28))
    (1, 6, 28, 28)
    """

    notation: ClassVar[str | None] = "tanh"
    nonlinearity: ClassVar[bool] = True
    captures: ClassVar[tuple[str, ...]] = ("tanh",)

    def elementwise(self, *inputs: Shape) -> Size | None:
        return product(inputs[0])

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        return MemoryRule(saved=("output",))

    def torch(self, *inputs: Shape) -> Call:
        return Call("nn.Tanh")

"""Logistic function, ``sigmoid``: the gate of squeeze-and-excitation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from archscope.core.arithmetic import Shape, Size, product
from archscope.core.records import Call, MemoryRule, Setting
from archscope.ops import Elementwise


@dataclass(frozen=True, slots=True)
class Sigmoid(Elementwise):
    """``torch.nn.Sigmoid``.

    The gate in the first stage of SE-ResNet-50, a number for each of 256 maps (arXiv:1709.01507, Table 1):

    >>> Sigmoid().out_shape((1, 256, 1, 1))
    (1, 256, 1, 1)
    """

    notation: ClassVar[str | None] = "sigmoid"
    nonlinearity: ClassVar[bool] = True
    captures: ClassVar[tuple[str, ...]] = ("sigmoid",)

    def elementwise(self, *inputs: Shape) -> Size | None:
        return 3 * product(inputs[0])

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        return MemoryRule(saved=("output",))

    def torch(self, *inputs: Shape) -> Call:
        return Call("nn.Sigmoid")

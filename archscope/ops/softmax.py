"""Soft-max, ``soft-max``: the last row of many tables. It is the loss while training, a layer only at inference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from archscope.core.arithmetic import Shape, Size, product
from archscope.core.records import Call, MemoryRule, Setting
from archscope.ops import Elementwise


@dataclass(frozen=True, slots=True)
class Softmax(Elementwise):
    """``torch.nn.Softmax`` over the classes.

    >>> Softmax().out_shape((1, 1000))
    (1, 1000)
    """

    notation: ClassVar[str | None] = "soft-max"

    def elementwise(self, *inputs: Shape) -> Size | None:
        return 3 * product(inputs[0])

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        return MemoryRule(saved=("output",), autocast="float32" if setting.device == "cuda" else "")

    def torch(self, *inputs: Shape) -> Call:
        return Call("nn.Softmax", (), {"dim": 1})

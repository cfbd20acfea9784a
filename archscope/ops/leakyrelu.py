"""Leaky rectified linear unit, ``leakyrelu 0.1``: darknets' activation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from archscope.core.arithmetic import Shape
from archscope.core.records import Call, MemoryRule, Seen, Setting
from archscope.ops import Activation, Op


@dataclass(frozen=True, slots=True)
class LeakyReLU(Activation):
    """``torch.nn.LeakyReLU``: numbers below 0 are multiplied by ``negative_slope``.

    On the input that YOLO takes, after its first convolution (arXiv:1506.02640, section 2.2, slope 0.1):

    >>> LeakyReLU(negative_slope=0.1).out_shape((1, 64, 224, 224))
    (1, 64, 224, 224)
    """

    negative_slope: float = 0.01
    inplace: bool = False

    notation: ClassVar[str | None] = "leakyrelu[ {negative_slope}]"
    words: ClassVar[dict[str, tuple[str, Any]]] = {"in-place": ("inplace", True)}
    captures: ClassVar[tuple[str, ...]] = ("leaky_relu", "leaky_relu_")
    cost: ClassVar[int] = 2

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        # In place the sign of the result tells that of the input.
        return MemoryRule(out="inplace", saved=("output",)) if self.inplace else MemoryRule(saved=("input0",))

    def torch(self, *inputs: Shape) -> Call:
        options: dict[str, Any] = {} if self.negative_slope == 0.01 else {"negative_slope": self.negative_slope}
        return Call("nn.LeakyReLU", (), options | ({"inplace": True} if self.inplace else {}))

    @classmethod
    def captured(cls, seen: Seen) -> Op | None:
        return cls(float(seen["negative_slope"]), seen.in_place)

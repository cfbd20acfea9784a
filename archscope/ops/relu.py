"""Rectified linear unit, ``relu``: what follows every hidden layer since AlexNet; ``relu6`` is MobileNetV2's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from archscope.core.arithmetic import Shape, Size, product
from archscope.core.records import Aux, Call, MemoryRule, Seen, Setting
from archscope.ops import Elementwise, Op


@dataclass(frozen=True, slots=True)
class ReLU(Elementwise):
    """``torch.nn.ReLU``, in place as torchvision's networks have it. With a ``ceiling`` no output is above that.

    After VGG's first convolution, and after MobileNetV2's (arXiv:1409.1556, Table 1; arXiv:1801.04381, Table 2):

    >>> ReLU().out_shape((1, 64, 224, 224))
    (1, 64, 224, 224)
    >>> ReLU(ceiling=6).out_shape((1, 32, 112, 112))
    (1, 32, 112, 112)
    """

    ceiling: int | None = None
    inplace: bool = True

    notation: ClassVar[str | None] = "relu[{ceiling}]"
    nonlinearity: ClassVar[bool] = True
    words: ClassVar[dict[str, tuple[str, Any]]] = {"out-of-place": ("inplace", False)}
    captures: ClassVar[tuple[str, ...]] = ("relu", "relu_", "relu6", "relu6_", "hardtanh", "hardtanh_")

    @property
    def in_place(self) -> bool:
        return self.inplace

    def elementwise(self, *inputs: Shape) -> Size | None:
        return product(inputs[0]) * (1 if self.ceiling is None else 2)

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        out = "inplace" if self.inplace else "new"
        if self.ceiling is None:
            return MemoryRule(out=out, saved=("output",))
        if not self.inplace:
            return MemoryRule(saved=("input0",))
        # Backward needs the input that is overwritten: autograd copies it, and nothing is saved.
        return MemoryRule(out=out, aux=(Aux("self_clone", product(inputs[0]), recorded=True),), saved=("self_clone",))

    def torch(self, *inputs: Shape) -> Call:
        options = {"inplace": True} if self.inplace else {}
        if self.ceiling is None:
            return Call("nn.ReLU", (), options)
        return Call("nn.ReLU6", (), options) if self.ceiling == 6 else Call("nn.Hardtanh", (0, self.ceiling), options)

    @classmethod
    def captured(cls, seen: Seen) -> Op | None:
        if not seen.name.startswith("hardtanh"):
            return cls(6 if seen.name.startswith("relu6") else None, seen.in_place)
        low, high = seen["min_val"], seen["max_val"]
        return cls(int(high), seen.in_place) if low == 0 and high == int(high) > 0 else None

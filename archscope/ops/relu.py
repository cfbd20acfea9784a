"""Rectified linear unit, ``relu``: what follows every hidden layer since AlexNet; ``relu6`` is MobileNetV2's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from archscope.core.arithmetic import Shape, Size, product
from archscope.core.records import Aux, Call, MemoryRule, Setting
from archscope.ops import Elementwise


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
    words: ClassVar[dict[str, tuple[str, Any]]] = {"out-of-place": ("inplace", False)}

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

"""Rectified linear unit, ``relu``: what follows every hidden layer since AlexNet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from archscope.core.arithmetic import Shape, Size, product
from archscope.core.records import Call, MemoryRule, Setting
from archscope.ops import Elementwise


@dataclass(frozen=True, slots=True)
class ReLU(Elementwise):
    """``torch.nn.ReLU``, in place as torchvision's networks have it.

    >>> ReLU().out_shape((1, 64, 224, 224))
    (1, 64, 224, 224)
    """

    inplace: bool = True

    notation: ClassVar[str | None] = "relu"
    words: ClassVar[dict[str, tuple[str, Any]]] = {"out-of-place": ("inplace", False)}

    @property
    def in_place(self) -> bool:
        return self.inplace

    def elementwise(self, *inputs: Shape) -> Size | None:
        return product(inputs[0])

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        return MemoryRule(out="inplace" if self.inplace else "new", saved=("output",))

    def torch(self, *inputs: Shape) -> Call:
        return Call("nn.ReLU", (), {"inplace": True} if self.inplace else {})

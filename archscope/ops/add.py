"""Addition, ``add``: how a residual block joins its shortcut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from archscope.core.arithmetic import Shape, Size, product, require
from archscope.core.records import ONE_POSITION, Call, MemoryRule, Seen, Setting, Window, spelled
from archscope.ops import Op


@dataclass(frozen=True, slots=True)
class Add(Op):
    """``+=`` of tensors of one shape, in place in the first one, as torchvision's residual blocks do.

    >>> Add().out_shape((1, 256, 56, 56), (1, 256, 56, 56))
    (1, 256, 56, 56)
    """

    inplace: bool = True

    notation: ClassVar[str | None] = "add"
    words: ClassVar[dict[str, tuple[str, Any]]] = {"out-of-place": ("inplace", False)}
    joins: ClassVar[bool] = True
    captures: ClassVar[tuple[str, ...]] = ("add", "add_")

    @property
    def in_place(self) -> bool:
        return self.inplace

    def out_shape(self, *inputs: Shape) -> Shape:
        for other in inputs[1:]:
            require(len(other) == len(inputs[0]), lambda: f"add needs inputs of one shape; got {spelled(inputs)}")
            for mine, its in zip(inputs[0], other, strict=True):
                require(mine == its, lambda: f"add needs inputs of one shape; got {spelled(inputs)}")
        return inputs[0]

    def macs(self, *inputs: Shape) -> Size | None:
        return 0

    def elementwise(self, *inputs: Shape) -> Size | None:
        return (len(inputs) - 1) * product(inputs[0])

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        return MemoryRule(out="inplace" if self.inplace else "new", grads="alias")

    def sees(self, *inputs: Shape) -> Window | None:
        return ONE_POSITION

    def torch(self, *inputs: Shape) -> Call:
        return Call("operator.iadd" if self.inplace else "operator.add")

    @classmethod
    def captured(cls, seen: Seen) -> Op | None:
        shape = seen.shape("self")
        alike = seen["alpha"] == 1 and shape == seen.shape("other") and shape != ()
        return cls(seen.in_place) if alike else None

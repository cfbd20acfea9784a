"""Addition of a constant, ``plus 0.5``: the second half of a fixed input normalisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from archscope.core.arithmetic import Shape, Size, product
from archscope.core.records import Call, MemoryRule, Setting
from archscope.ops import Elementwise


@dataclass(frozen=True, slots=True)
class Plus(Elementwise):
    """``x + term``.

    >>> Plus(term=0.5).out_shape((1, 1, 224, 224))
    (1, 1, 224, 224)
    """

    term: float

    notation: ClassVar[str | None] = "plus {term}"

    def elementwise(self, *inputs: Shape) -> Size | None:
        return product(inputs[0])

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        return MemoryRule(grads="alias")

    def torch(self, *inputs: Shape) -> Call:
        return Call("operator.add", (self.term,))

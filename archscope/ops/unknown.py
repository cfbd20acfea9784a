"""What no op captures: an operator of somebody's own, whose counts archscope does not know and does not guess."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from archscope.core.arithmetic import Shape
from archscope.ops import Op


@dataclass(frozen=True, slots=True)
class Unknown(Op):
    """An operator by its ``function``'s name, with the ``shapes`` that it was seen to return. Every count is missing.

    >>> Unknown("mine::swirl", ((1, 64, 28, 28),)).macs((1, 64, 28, 28)) is None
    True
    """

    function: str
    shapes: tuple[Shape, ...]

    infers: ClassVar[bool] = False

    @property
    def label(self) -> str:
        return self.function

    def out_shape(self, *inputs: Shape) -> Shape:
        return self.shapes[0]

    def out_shapes(self, *inputs: Shape) -> tuple[Shape, ...]:
        return self.shapes

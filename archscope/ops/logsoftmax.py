"""Logarithm of the soft-max, ``log-softmax``: what a negative log-likelihood loss takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from archscope.core.arithmetic import Shape, Size, product
from archscope.core.records import ONE_POSITION, Call, MemoryRule, Natural, Seen, Setting, Window
from archscope.ops import Elementwise, Op


@dataclass(frozen=True, slots=True)
class LogSoftmax(Elementwise):
    """``torch.nn.LogSoftmax`` over one axis.

    >>> LogSoftmax().out_shape((1, 1000))
    (1, 1000)
    """

    dim: Natural = 1

    notation: ClassVar[str | None] = "log-softmax"
    captures: ClassVar[tuple[str, ...]] = ("log_softmax", "_log_softmax")

    def elementwise(self, *inputs: Shape) -> Size | None:
        return 4 * product(inputs[0])

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        return MemoryRule(saved=("output",))

    def sees(self, *inputs: Shape) -> Window | None:
        return ONE_POSITION if self.dim == 1 else None

    def torch(self, *inputs: Shape) -> Call:
        return Call("nn.LogSoftmax", (), {"dim": self.dim})

    @classmethod
    def captured(cls, seen: Seen) -> Op | None:
        return cls(seen["dim"] % max(1, len(seen.shape("self"))))

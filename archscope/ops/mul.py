"""Multiplication of tensors, ``mul``: how a gate scales the maps it has looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from archscope.core.arithmetic import Shape, Size, choose, product, require
from archscope.core.records import ONE_POSITION, Call, MemoryRule, Seen, Setting, Window, spelled
from archscope.ops import Op, in_turn


@dataclass(frozen=True, slots=True)
class Mul(Op):
    """``*`` of two tensors. The second one may be 1 where the first is not, and then holds for all of that axis.

    Squeeze-and-excitation in the first stage of SE-ResNet-50 (arXiv:1709.01507, Table 1):

    >>> Mul().out_shape((1, 256, 56, 56), (1, 256, 1, 1))
    (1, 256, 56, 56)
    """

    notation: ClassVar[str | None] = "mul"
    joins: ClassVar[bool] = True
    captures: ClassVar[tuple[str, ...]] = ("mul",)

    def out_shape(self, *inputs: Shape) -> Shape:
        for other in inputs[1:]:
            require(len(other) == len(inputs[0]), lambda: f"mul needs inputs of one rank; got {spelled(inputs)}")
            for mine, its in zip(inputs[0], other, strict=True):
                require((its == mine) | (its == 1), lambda: f"mul cannot stretch the second of {spelled(inputs)}")
        return inputs[0]

    def macs(self, *inputs: Shape) -> Size | None:
        return 0

    def elementwise(self, *inputs: Shape) -> Size | None:
        return (len(inputs) - 1) * product(inputs[0])

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        # The gradient of a smaller input is first made at full size, then summed.
        full = product(inputs[0])
        stretched = [choose(product(other) == full, 0, full) for other in inputs[1:]]
        return in_turn(
            [MemoryRule(saved=("input0", "input1"), transient=each, factors=True) for each in stretched], full
        )

    def sees(self, *inputs: Shape) -> Window | None:
        return ONE_POSITION

    def torch(self, *inputs: Shape) -> Call:
        return Call("operator.mul")

    @classmethod
    def captured(cls, seen: Seen) -> Op | None:
        mine, its = seen.shape("self"), seen.shape("other")
        fits = len(mine) == len(its) > 0 and all(b in {a, 1} for a, b in zip(mine, its, strict=True))
        return cls() if fits else None

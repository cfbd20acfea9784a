"""GELU-gated linear unit, ``geglu``: half of the channels, each times the GELU of its partner in the other half."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from archscope.core.arithmetic import Shape, Size, product, require
from archscope.core.records import ONE_POSITION, Aux, Call, MemoryRule, Setting, Window
from archscope.ops import Op


@dataclass(frozen=True, slots=True)
class GEGLU(Op):
    """``a * gelu(b)`` of the first and the second half of the channels (arXiv:2002.05202, section 2).

    The two matrices of the paper's unit are one layer of twice the width before it: ``FC-4096``, then ``geglu``, with
    the 2048 hidden channels that section 3.1 gives T5's feed-forward layers:

    >>> GEGLU().out_shape((1, 4096))
    (1, 2048)
    """

    notation: ClassVar[str | None] = "geglu"
    nonlinearity: ClassVar[bool] = True

    def out_shape(self, *inputs: Shape) -> Shape:
        batch, channels, *axes = inputs[0]
        require(channels % 2 == 0, lambda: f"{channels} channels have no two halves")
        return (batch, channels // 2, *axes)

    def macs(self, *inputs: Shape) -> Size | None:
        return 0

    def elementwise(self, *inputs: Shape) -> Size | None:
        return 5 * product(self.out_shape(*inputs))

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        # Both halves are views. Their gradients are put together where the gate, and the output's, are gone already.
        return MemoryRule(aux=(Aux("gate", product(self.out_shape(*inputs))),), saved=("input0", "gate"))

    def sees(self, *inputs: Shape) -> Window | None:
        return ONE_POSITION

    def torch(self, *inputs: Shape) -> Call:
        return Call("GEGLU", forward="a, b = x.chunk(2, dim=1)\nreturn a * torch.nn.functional.gelu(b)")

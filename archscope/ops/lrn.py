"""Local response normalisation, ``LRN``: AlexNet's, which VGG tried in A-LRN and dropped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from archscope.core.arithmetic import Shape, Size, product
from archscope.core.records import Aux, Call, MemoryRule, Setting
from archscope.ops import Op


@dataclass(frozen=True, slots=True)
class LRN(Op):
    """``torch.nn.LocalResponseNorm``: b = a / (k + alpha/size · sum of a² over ``size`` neighbouring channels)^beta.

    torch divides alpha by the size, Krizhevsky et al. (2012, section 3.3) do not: their alpha = 1e-4 with n = 5 is
    torch's 5e-4, the default here. Caffe divides too and has k = 1: ``LRN alpha=0.0001 k=1``.

    >>> LRN().out_shape((1, 96, 55, 55))
    (1, 96, 55, 55)
    """

    size: int = 5
    alpha: float = 5e-4
    beta: float = 0.75
    k: float = 2.0

    notation: ClassVar[str | None] = "LRN"
    rank: ClassVar[int | None] = 4

    def out_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def macs(self, *inputs: Shape) -> Size | None:
        return 0

    def elementwise(self, *inputs: Shape) -> Size | None:
        return product(inputs[0]) * (self.size + 5)

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        batch, channels, *axes = inputs[0]
        plane, full = batch * product(axes), product(inputs[0])
        aux = (Aux("padded_square", plane * (channels + self.size - 1)), Aux("base", full), Aux("divisor", full))
        return MemoryRule(aux=aux, saved=("input0", "padded_square", "base", "divisor"), transient=4 * full)

    def torch(self, *inputs: Shape) -> Call:
        return Call("nn.LocalResponseNorm", (self.size,), {"alpha": self.alpha, "beta": self.beta, "k": self.k})

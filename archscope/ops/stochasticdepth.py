"""Stochastic depth, ``stochasticdepth 0.2``: while training, what a residual block adds is left out at random."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from archscope.core.arithmetic import Shape, Size, require
from archscope.core.records import Aux, Call, MemoryRule, Natural, Setting
from archscope.ops import Elementwise

FORWARD = """
if not self.training or self.share == 0:
    return x
kept = x.new_empty((x.shape[0],) + (1,) * (x.dim() - 1)).bernoulli_(1 - self.share)
return x * kept.div_(1 - self.share)
"""


@dataclass(frozen=True, slots=True)
class StochasticDepth(Elementwise):
    """Examples are zeroed with probability p · layer / layers, others scaled up (arXiv:1603.09382, section 3).

    The identity outside training, and the same as ``torchvision.ops.StochasticDepth`` of mode ``row``.

    In the last block of EfficientNet-B0 (arXiv:1905.11946, section 5.2):

    >>> StochasticDepth(p=0.2, layer=15, layers=16).share
    0.1875
    """

    p: float = 0.5
    layer: Natural = 1
    layers: int = 1

    notation: ClassVar[str | None] = "stochasticdepth[ {p}]"

    @property
    def share(self) -> float:
        """The probability that an example is zeroed."""
        return self.p * self.layer / self.layers

    def out_shape(self, *inputs: Shape) -> Shape:
        require(0 <= self.share < 1, lambda: f"stochastic depth cannot drop a share of {self.share}: it is below 1")
        return inputs[0]

    def elementwise(self, *inputs: Shape) -> Size | None:
        return 0

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        if setting.mode == "eval" or self.share == 0:
            return MemoryRule(out="view", grads="alias")
        return MemoryRule(aux=(Aux("kept", inputs[0][0]),), saved=("kept",))

    def torch(self, *inputs: Shape) -> Call:
        return Call("StochasticDepth", (), {"share": self.share}, forward=FORWARD)

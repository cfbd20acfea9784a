"""``softplus``: a smooth rectifier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from archscope.core.arithmetic import Shape
from archscope.core.records import Call, MemoryRule, Seen, Setting
from archscope.ops import Activation, Op


@dataclass(frozen=True, slots=True)
class Softplus(Activation):
    """``torch.nn.Softplus``: log(1 + exp(beta · x)) / beta.

    The step sizes of a state space model, 1,536 channels for each of 1,024 tokens (arXiv:2312.00752, section 3.2):

    >>> Softplus().out_shape((1, 1024, 1536))
    (1, 1024, 1536)
    """

    beta: float = 1.0
    threshold: float = 20.0

    notation: ClassVar[str | None] = "softplus"
    captures: ClassVar[tuple[str, ...]] = ("softplus",)
    cost: ClassVar[int] = 3

    def torch(self, *inputs: Shape) -> Call:
        given: dict[str, Any] = {"beta": self.beta, "threshold": self.threshold}
        usual = {"beta": 1.0, "threshold": 20.0}
        return Call("nn.Softplus", (), {name: value for name, value in given.items() if value != usual[name]})

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        return MemoryRule(saved=(self.keeps,), autocast="float32" if setting.device == "cuda" else "")

    @classmethod
    def captured(cls, seen: Seen) -> Op | None:
        return cls(float(seen["beta"]), float(seen["threshold"]))

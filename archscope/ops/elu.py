"""Exponential linear unit, ``elu``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from archscope.core.arithmetic import Shape
from archscope.core.records import Call, MemoryRule, Seen, Setting
from archscope.ops import Activation, Op


@dataclass(frozen=True, slots=True)
class ELU(Activation):
    """``torch.nn.ELU``: alpha · (exp(x) - 1) below 0 (arXiv:1511.07289, section 3).

    >>> ELU().out_shape((1, 192, 32, 32))
    (1, 192, 32, 32)
    """

    alpha: float = 1.0
    inplace: bool = False

    notation: ClassVar[str | None] = "elu"
    words: ClassVar[dict[str, tuple[str, Any]]] = {"in-place": ("inplace", True)}
    captures: ClassVar[tuple[str, ...]] = ("elu", "elu_")
    cost: ClassVar[int] = 3

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        # In place the derivative follows from the result.
        return MemoryRule(out="inplace", saved=("output",)) if self.inplace else MemoryRule(saved=("input0",))

    def torch(self, *inputs: Shape) -> Call:
        options: dict[str, Any] = {} if self.alpha == 1.0 else {"alpha": self.alpha}
        return Call("nn.ELU", (), options | ({"inplace": True} if self.inplace else {}))

    @classmethod
    def captured(cls, seen: Seen) -> Op | None:
        return cls(float(seen["alpha"]), seen.in_place) if seen["scale"] == 1 == seen["input_scale"] else None

"""Dropout, ``dropout 0.5``: p is the share that is dropped, as in torch; TensorFlow 1 names the share kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from archscope.core.arithmetic import Shape, Size, product, require
from archscope.core.records import Aux, Call, MemoryRule, Seen, Setting
from archscope.ops import Elementwise, Op


@dataclass(frozen=True, slots=True)
class Dropout(Elementwise):
    """``torch.nn.Dropout``; the identity outside training.

    >>> Dropout(p=0.4).out_shape((1, 1024))
    (1, 1024)
    """

    p: float = 0.5
    inplace: bool = False

    notation: ClassVar[str | None] = "dropout[ {p}]"
    follows_flatten: ClassVar[bool] = True
    words: ClassVar[dict[str, tuple[str, Any]]] = {"in-place": ("inplace", True)}
    captures: ClassVar[tuple[str, ...]] = ("dropout", "dropout_")

    @property
    def in_place(self) -> bool:
        return self.inplace

    def out_shape(self, *inputs: Shape) -> Shape:
        require(0 <= self.p <= 1, lambda: f"dropout cannot drop a share of {self.p}: it is from 0 to 1")
        return inputs[0]

    def elementwise(self, *inputs: Shape) -> Size | None:
        return 0

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        if setting.mode == "eval" or self.p == 0:  # then torch returns its input
            return MemoryRule(out="view", grads="alias")
        bits = setting.device == "cuda" and not self.inplace
        mask = Aux("mask", product(inputs[0]), 1 if bits else 0)
        return MemoryRule(out="inplace" if self.inplace else "new", aux=(mask,), saved=("mask",))

    def torch(self, *inputs: Shape) -> Call:
        options: dict[str, Any] = {} if self.p == 0.5 else {"p": self.p}
        return Call("nn.Dropout", (), options | ({"inplace": True} if self.inplace else {}))

    @classmethod
    def captured(cls, seen: Seen) -> Op | None:
        return cls(float(seen["p"]), seen.in_place)

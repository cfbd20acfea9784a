"""Dropout, ``dropout 0.5``: p is the share that is dropped, as in torch; TensorFlow 1 names the share kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from archscope.core.arithmetic import Shape, Size, product, require
from archscope.core.records import Aux, Call, MemoryRule, Setting
from archscope.ops import Elementwise


@dataclass(frozen=True, slots=True)
class Dropout(Elementwise):
    """``torch.nn.Dropout``; the identity outside training.

    >>> Dropout(p=0.4).out_shape((1, 1024))
    (1, 1024)
    """

    p: float = 0.5

    notation: ClassVar[str | None] = "dropout[ {p}]"
    follows_flatten: ClassVar[bool] = True
    captures: ClassVar[tuple[str, ...]] = ("dropout",)

    def out_shape(self, *inputs: Shape) -> Shape:
        require(0 <= self.p <= 1, lambda: f"dropout cannot drop a share of {self.p}: it is from 0 to 1")
        return inputs[0]

    def elementwise(self, *inputs: Shape) -> Size | None:
        return 0

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        if setting.mode == "eval":
            return MemoryRule(out="view", grads="alias")
        mask = Aux("mask", product(inputs[0]), 1 if setting.device == "cuda" else 0)
        return MemoryRule(aux=(mask,), saved=("mask",))

    def torch(self, *inputs: Shape) -> Call:
        return Call("nn.Dropout", (), {} if self.p == 0.5 else {"p": self.p})

"""Gaussian error linear unit, ``gelu``: the activation of transformers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from archscope.core.arithmetic import Shape
from archscope.core.records import Call, Seen
from archscope.ops import Activation, Op


@dataclass(frozen=True, slots=True)
class GELU(Activation):
    """``torch.nn.GELU``: x times the share of a normal distribution below x, exactly or by a hyperbolic tangent.

    In ViT-B/16's first block, 197 tokens (arXiv:2010.11929, section 3.1 and Table 1):

    >>> GELU().out_shape((1, 197, 3072))
    (1, 197, 3072)
    """

    tanh: bool = False

    notation: ClassVar[str | None] = "gelu"
    words: ClassVar[dict[str, tuple[str, Any]]] = {"tanh": ("tanh", True)}
    captures: ClassVar[tuple[str, ...]] = ("gelu",)
    module: ClassVar[str] = "nn.GELU"
    cost: ClassVar[int] = 4

    def torch(self, *inputs: Shape) -> Call:
        return Call("nn.GELU", (), {"approximate": "tanh"} if self.tanh else {})

    @classmethod
    def captured(cls, seen: Seen) -> Op | None:
        return cls(tanh=seen["approximate"] == "tanh")

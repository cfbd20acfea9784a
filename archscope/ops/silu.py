"""Sigmoid linear unit, ``silu``: EfficientNet's activation, called swish there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from archscope.ops import Activation


@dataclass(frozen=True, slots=True)
class SiLU(Activation):
    """``torch.nn.SiLU``: x times its sigmoid.

    EfficientNet-B0 after its stem (arXiv:1905.11946, Table 1):

    >>> SiLU().out_shape((1, 32, 112, 112))
    (1, 32, 112, 112)
    """

    inplace: bool = False

    notation: ClassVar[str | None] = "silu"
    words: ClassVar[dict[str, tuple[str, Any]]] = {"in-place": ("inplace", True)}
    captures: ClassVar[tuple[str, ...]] = ("silu", "silu_")
    module: ClassVar[str] = "nn.SiLU"
    cost: ClassVar[int] = 4

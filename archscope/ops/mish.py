"""``mish``: YOLOv4's activation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from archscope.ops import Activation


@dataclass(frozen=True, slots=True)
class Mish(Activation):
    """``torch.nn.Mish``: x · tanh(softplus(x)) (arXiv:1908.08681, section 2).

    On the input that YOLOv4 takes, after its first convolution:

    >>> Mish().out_shape((1, 32, 608, 608))
    (1, 32, 608, 608)
    """

    inplace: bool = False

    notation: ClassVar[str | None] = "mish"
    words: ClassVar[dict[str, tuple[str, Any]]] = {"in-place": ("inplace", True)}
    captures: ClassVar[tuple[str, ...]] = ("mish", "mish_")
    module: ClassVar[str] = "nn.Mish"
    cost: ClassVar[int] = 5

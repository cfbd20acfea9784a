"""Hard swish, ``hardswish``: what MobileNet v3 has in its deeper half."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from archscope.ops import Activation


@dataclass(frozen=True, slots=True)
class HardSwish(Activation):
    """``torch.nn.Hardswish``: x · relu6(x + 3) / 6.

    MobileNetV3-Large after its stem (arXiv:1905.02244, Table 1):

    >>> HardSwish().out_shape((1, 16, 112, 112))
    (1, 16, 112, 112)
    """

    inplace: bool = False

    notation: ClassVar[str | None] = "hardswish"
    words: ClassVar[dict[str, tuple[str, Any]]] = {"in-place": ("inplace", True)}
    captures: ClassVar[tuple[str, ...]] = ("hardswish", "hardswish_")
    module: ClassVar[str] = "nn.Hardswish"
    cost: ClassVar[int] = 5

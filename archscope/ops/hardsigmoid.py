"""Hard sigmoid, ``hardsigmoid``: the gate of squeeze-and-excitation in MobileNet v3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from archscope.ops import Activation


@dataclass(frozen=True, slots=True)
class HardSigmoid(Activation):
    """``torch.nn.Hardsigmoid``: relu6(x + 3) / 6.

    A gate of MobileNetV3-Large, 7×7 with 960 maps (arXiv:1905.02244, Table 1):

    >>> HardSigmoid().out_shape((1, 960, 1, 1))
    (1, 960, 1, 1)
    """

    inplace: bool = False

    notation: ClassVar[str | None] = "hardsigmoid"
    words: ClassVar[dict[str, tuple[str, Any]]] = {"in-place": ("inplace", True)}
    captures: ClassVar[tuple[str, ...]] = ("hardsigmoid", "hardsigmoid_")
    module: ClassVar[str] = "nn.Hardsigmoid"
    cost: ClassVar[int] = 4

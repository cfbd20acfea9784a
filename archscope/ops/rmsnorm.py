"""Normalisation by the root of the mean square, ``rmsnorm``: what language models have since Llama."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from archscope.core.arithmetic import Shape, Size, product
from archscope.core.records import ONE_POSITION, Call, MemoryRule, Seen, Setting, Window
from archscope.ops import Op


@dataclass(frozen=True, slots=True)
class RMSNorm(Op):
    """``torch.nn.RMSNorm`` over the last ``axes`` axes (arXiv:1910.07467, section 4). No ``eps`` is torch's smallest.

    Llama 7B, 2,048 tokens of 4,096 numbers (arXiv:2302.13971, Table 2):

    >>> RMSNorm().weights((1, 2048, 4096))
    {'weight': (4096,)}
    """

    axes: int = 1
    eps: float | None = None
    weight: bool = True

    notation: ClassVar[str | None] = "rmsnorm"
    words: ClassVar[dict[str, tuple[str, Any]]] = {"no-affine": ("weight", False)}
    captures: ClassVar[tuple[str, ...]] = ("rms_norm",)
    stores: ClassVar[tuple[str, ...]] = ("weight",)

    def out_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def weights(self, *inputs: Shape) -> dict[str, Shape]:
        return {"weight": inputs[0][-self.axes :]} if self.weight else {}

    def macs(self, *inputs: Shape) -> Size | None:
        return 0

    def elementwise(self, *inputs: Shape) -> Size | None:
        return (4 if self.weight else 3) * product(inputs[0])

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        return None  # it differs between torch's fused kernel and its composition, and was not measured

    def sees(self, *inputs: Shape) -> Window | None:
        return ONE_POSITION if len(inputs[0]) == 2 else None

    def torch(self, *inputs: Shape) -> Call:
        options: dict[str, Any] = {} if self.eps is None else {"eps": self.eps}
        if not self.weight:
            options["elementwise_affine"] = False
        return Call("nn.RMSNorm", (list(inputs[0][-self.axes :]),), options)

    @classmethod
    def captured(cls, seen: Seen) -> Op | None:
        return cls(len(seen["normalized_shape"]), seen["eps"], seen["weight"] is not None)

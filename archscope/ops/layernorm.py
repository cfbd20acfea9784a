"""Layer normalisation, ``layernorm``: each token by its own mean and deviation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from archscope.core.arithmetic import Shape, Size, product
from archscope.core.records import ONE_POSITION, Aux, Call, MemoryRule, Seen, Setting, Window
from archscope.ops import Op


@dataclass(frozen=True, slots=True)
class LayerNorm(Op):
    """``torch.nn.LayerNorm`` over the last ``axes`` axes (arXiv:1607.06450, section 3).

    ViT-B/16, 197 tokens of 768 numbers (arXiv:2010.11929, Table 1):

    >>> LayerNorm().weights((1, 197, 768))
    {'weight': (768,), 'bias': (768,)}
    """

    axes: int = 1
    eps: float = 1e-5
    weight: bool = True
    bias: bool = True

    notation: ClassVar[str | None] = "layernorm"
    words: ClassVar[dict[str, tuple[str, Any]]] = {"no-affine": ("weight", False), "no-bias": ("bias", False)}
    captures: ClassVar[tuple[str, ...]] = ("layer_norm",)
    stores: ClassVar[tuple[str, ...]] = ("weight", "bias")

    def out_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def weights(self, *inputs: Shape) -> dict[str, Shape]:
        given = {"weight": self.weight, "bias": self.weight and self.bias}
        return {name: inputs[0][-self.axes :] for name, there in given.items() if there}

    def macs(self, *inputs: Shape) -> Size | None:
        return 0

    def elementwise(self, *inputs: Shape) -> Size | None:
        return (7 if self.weight else 5) * product(inputs[0])

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        rows = product(inputs[0][: -self.axes])
        statistics = (Aux("mean", rows, 4), Aux("rstd", rows, 4))
        return MemoryRule(aux=statistics, saved=("input0", *self.weights(*inputs), "mean", "rstd"))

    def sees(self, *inputs: Shape) -> Window | None:
        return ONE_POSITION if len(inputs[0]) == 2 else None

    def torch(self, *inputs: Shape) -> Call:
        options: dict[str, Any] = {} if self.eps == 1e-5 else {"eps": self.eps}
        if not self.weight:
            options["elementwise_affine"] = False
        elif not self.bias:
            options["bias"] = False
        return Call("nn.LayerNorm", (list(inputs[0][-self.axes :]),), options)

    @classmethod
    def captured(cls, seen: Seen) -> Op | None:
        return cls(len(seen["normalized_shape"]), seen["eps"], seen["weight"] is not None, seen["bias"] is not None)

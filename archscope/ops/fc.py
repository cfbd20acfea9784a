"""Fully connected layer, ``FC-4096``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from archscope.core.arithmetic import Shape, Size, product
from archscope.core.records import ONE_POSITION, Call, MemoryRule, Seen, Setting, Window
from archscope.ops import Op


@dataclass(frozen=True, slots=True)
class FC(Op):
    """``torch.nn.Linear`` on the last axis.

    VGG's first one holds most of the network (arXiv:1409.1556, Table 1, FC-4096 on 512×7×7):

    >>> FC(out_features=4096).weights((1, 25088))
    {'weight': (4096, 25088), 'bias': (4096,)}
    >>> FC(out_features=4096).macs((1, 25088))
    102760448
    """

    out_features: int
    bias: bool = True

    notation: ClassVar[str | None] = "FC-{out_features}"
    words: ClassVar[dict[str, tuple[str, Any]]] = {"no-bias": ("bias", False)}
    rank: ClassVar[int | None] = 2
    weight_layer: ClassVar[bool] = True
    captures: ClassVar[tuple[str, ...]] = ("linear",)
    stores: ClassVar[tuple[str, ...]] = ("weight", "bias")
    packs: ClassVar[bool] = True

    def out_shape(self, *inputs: Shape) -> Shape:
        return (*inputs[0][:-1], self.out_features)

    def weights(self, *inputs: Shape) -> dict[str, Shape]:
        matrix = (self.out_features, inputs[0][-1])
        return {"weight": matrix, "bias": (self.out_features,)} if self.bias else {"weight": matrix}

    def macs(self, *inputs: Shape) -> Size | None:
        return product(inputs[0]) * self.out_features

    def elementwise(self, *inputs: Shape) -> Size | None:
        return product(self.out_shape(*inputs)) if self.bias else 0

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        return MemoryRule(saved=("input0", "weight"), factors=True, autocast="low")

    def sees(self, *inputs: Shape) -> Window | None:
        return ONE_POSITION if len(inputs[0]) == self.rank else None

    def torch(self, *inputs: Shape) -> Call:
        return Call("nn.Linear", (inputs[0][-1], self.out_features), {} if self.bias else {"bias": False})

    @classmethod
    def captured(cls, seen: Seen) -> Op | None:
        matrix = seen.shape("weight")
        return cls(matrix[0], bias=seen["bias"] is not None) if len(matrix) == 2 else None

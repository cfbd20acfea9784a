"""A bilinear form of two vectors per output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from archscope.core.arithmetic import Shape, Size, product, require
from archscope.core.records import Call, MemoryRule, Seen, Setting
from archscope.ops import Op


@dataclass(frozen=True, slots=True)
class Bilinear(Op):
    """``torch.nn.Bilinear``: each of ``out_features`` numbers is x · W y, a matrix product and then a dot product.

    >>> Bilinear(40).macs((128, 20), (128, 30))
    3225600
    """

    out_features: int
    bias: bool = True

    weight_layer: ClassVar[bool] = True
    captures: ClassVar[tuple[str, ...]] = ("bilinear",)
    stores: ClassVar[tuple[str, ...]] = ("weight", "bias")

    def out_shape(self, *inputs: Shape) -> Shape:
        left, right = inputs[:2]
        require(len(left) == len(right), lambda: f"a bilinear form of {len(left)} and of {len(right)} axes")
        return (*left[:-1], self.out_features)

    def weights(self, *inputs: Shape) -> dict[str, Shape]:
        weight = (self.out_features, inputs[0][-1], inputs[1][-1])
        return {"weight": weight, "bias": (self.out_features,)} if self.bias else {"weight": weight}

    def macs(self, *inputs: Shape) -> Size | None:
        left, right = inputs[:2]
        return product(left[:-1]) * self.out_features * (left[-1] + 1) * right[-1]

    def gradient_macs(self, *inputs: Shape) -> dict[str, Size] | None:
        return None  # in which order its products are taken is not fixed

    def elementwise(self, *inputs: Shape) -> Size | None:
        return product(self.out_shape(*inputs)) if self.bias else 0

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        return MemoryRule(saved=("input0", "input1", "weight"))

    def torch(self, *inputs: Shape) -> Call:
        options = {} if self.bias else {"bias": False}
        return Call("nn.Bilinear", (inputs[0][-1], inputs[1][-1], self.out_features), options)

    @classmethod
    def captured(cls, seen: Seen) -> Op | None:
        return cls(seen.shape("weight")[0], seen["bias"] is not None)

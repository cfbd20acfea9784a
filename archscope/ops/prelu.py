"""Parametric rectifier, ``prelu``: the slope below 0 is learnt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from archscope.core.arithmetic import Shape, Size, product, require
from archscope.core.records import Call, MemoryRule, Seen, Setting
from archscope.ops import Elementwise, Op


@dataclass(frozen=True, slots=True)
class PReLU(Elementwise):
    """``torch.nn.PReLU``: one slope for all channels, or one for each (arXiv:1502.01852, section 2.1).

    >>> PReLU(num_parameters=64).weights((1, 64, 112, 112))
    {'weight': (64,)}
    """

    num_parameters: int = 1

    notation: ClassVar[str | None] = "prelu[{num_parameters}]"
    nonlinearity: ClassVar[bool] = True
    captures: ClassVar[tuple[str, ...]] = ("prelu",)
    stores: ClassVar[tuple[str, ...]] = ("weight",)

    def out_shape(self, *inputs: Shape) -> Shape:
        count, channels = self.num_parameters, inputs[0][1]
        require((count == 1) | (count == channels), lambda: f"{count} slopes do not fit {channels} channels")
        return inputs[0]

    def weights(self, *inputs: Shape) -> dict[str, Shape]:
        return {"weight": (self.num_parameters,)}

    def elementwise(self, *inputs: Shape) -> Size | None:
        return 2 * product(inputs[0])

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        return MemoryRule(saved=("input0", "weight"), transient=product(inputs[0]))

    def torch(self, *inputs: Shape) -> Call:
        return Call("nn.PReLU", (self.num_parameters,) if self.num_parameters != 1 else ())

    @classmethod
    def captured(cls, seen: Seen) -> Op | None:
        weight = seen.shape("weight")
        return cls(weight[0]) if len(weight) == 1 else None

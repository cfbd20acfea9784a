"""Group normalisation, ``groupnorm32``: each example by the mean and deviation of groups of channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from archscope.core.arithmetic import Shape, Size, product, require
from archscope.core.records import ONE_POSITION, Aux, Call, MemoryRule, Seen, Setting, Window
from archscope.ops import Op


@dataclass(frozen=True, slots=True)
class GroupNorm(Op):
    """``torch.nn.GroupNorm`` (arXiv:1803.08494, section 3.1; 32 groups by default there).

    >>> GroupNorm(num_groups=32).weights((1, 256, 56, 56))
    {'weight': (256,), 'bias': (256,)}
    """

    num_groups: int
    eps: float = 1e-5
    affine: bool = True

    notation: ClassVar[str | None] = "groupnorm{num_groups}"
    words: ClassVar[dict[str, tuple[str, Any]]] = {"no-affine": ("affine", False)}
    captures: ClassVar[tuple[str, ...]] = ("group_norm",)
    stores: ClassVar[tuple[str, ...]] = ("weight", "bias")

    def out_shape(self, *inputs: Shape) -> Shape:
        groups, channels = self.num_groups, inputs[0][1]
        require(channels % groups == 0, lambda: f"{groups} groups do not divide {channels} channels")
        return inputs[0]

    def weights(self, *inputs: Shape) -> dict[str, Shape]:
        channels = (inputs[0][1],)
        return {"weight": channels, "bias": channels} if self.affine else {}

    def macs(self, *inputs: Shape) -> Size | None:
        return 0

    def elementwise(self, *inputs: Shape) -> Size | None:
        return (7 if self.affine else 5) * product(inputs[0])

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        rows = inputs[0][0] * self.num_groups
        statistics = (Aux("mean", rows, 4), Aux("rstd", rows, 4))
        weight = ("weight",) if self.affine else ()
        return MemoryRule(aux=statistics, saved=("input0", *weight, "mean", "rstd"))

    def sees(self, *inputs: Shape) -> Window | None:
        axes = inputs[0][2:]  # its statistics are those of a whole map
        return Window((axes[0], axes[1]), (0, 0)) if len(axes) == 2 else ONE_POSITION if not axes else None

    def torch(self, *inputs: Shape) -> Call:
        options: dict[str, Any] = {} if self.eps == 1e-5 else {"eps": self.eps}
        if not self.affine:
            options["affine"] = False
        return Call("nn.GroupNorm", (self.num_groups, inputs[0][1]), options)

    @classmethod
    def captured(cls, seen: Seen) -> Op | None:
        whole = (seen["weight"] is None) == (seen["bias"] is None)
        return cls(seen["num_groups"], seen["eps"], seen["weight"] is not None) if whole else None

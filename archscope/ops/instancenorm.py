"""Instance normalisation, ``instancenorm``: each map of each example by its own mean and deviation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from archscope.core.arithmetic import Shape, Size, product
from archscope.core.records import Aux, Call, MemoryRule, Seen, Setting, Window
from archscope.ops import Op


@dataclass(frozen=True, slots=True)
class InstanceNorm(Op):
    """``torch.nn.InstanceNorm2d``, which learns nothing by default (arXiv:1607.08022, equation 4).

    RAFT's feature encoder, after its first convolution of a pair of 440×1024 frames (arXiv:2003.12039, appendix A):

    >>> InstanceNorm().out_shape((2, 64, 220, 512))
    (2, 64, 220, 512)
    """

    eps: float = 1e-5
    affine: bool = False

    notation: ClassVar[str | None] = "instancenorm"
    words: ClassVar[dict[str, tuple[str, Any]]] = {"affine": ("affine", True)}
    rank: ClassVar[int | None] = 4
    captures: ClassVar[tuple[str, ...]] = ("instance_norm",)
    stores: ClassVar[tuple[str, ...]] = ("weight", "bias")

    def out_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def weights(self, *inputs: Shape) -> dict[str, Shape]:
        return {"weight": (inputs[0][1],), "bias": (inputs[0][1],)} if self.affine else {}

    def macs(self, *inputs: Shape) -> Size | None:
        return 0

    def elementwise(self, *inputs: Shape) -> Size | None:
        return (7 if self.affine else 5) * product(inputs[0])

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        maps = product(inputs[0][:2])
        statistics = (Aux("save_mean", maps, 4), Aux("save_invstd", maps, 4))
        if not self.affine:
            return MemoryRule(aux=statistics, saved=("input0", "save_mean", "save_invstd"))
        repeated = (Aux("weights_of_maps", maps), Aux("biases_of_maps", maps))  # one for each map of each example
        return MemoryRule(aux=(*statistics, *repeated), saved=("input0", "save_mean", "save_invstd", "weights_of_maps"))

    def sees(self, *inputs: Shape) -> Window | None:
        return Window((inputs[0][2], inputs[0][3]), (0, 0))  # its statistics are those of a whole map

    def torch(self, *inputs: Shape) -> Call:
        options: dict[str, Any] = {} if self.eps == 1e-5 else {"eps": self.eps}
        if self.affine:
            options["affine"] = True
        return Call("nn.InstanceNorm2d", (inputs[0][1],), options)

    @classmethod
    def captured(cls, seen: Seen) -> Op | None:
        tracked = seen["running_mean"] is not None
        whole = (seen["weight"] is None) == (seen["bias"] is None)
        return cls(seen["eps"], seen["weight"] is not None) if whole and not tracked else None

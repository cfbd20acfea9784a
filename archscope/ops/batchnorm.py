"""Batch normalisation, ``batchnorm``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from archscope.core.arithmetic import Shape, Size, product
from archscope.core.records import Aux, Call, MemoryRule, Seen, Setting, Tensor
from archscope.ops import Op


@dataclass(frozen=True, slots=True)
class BatchNorm(Op):
    """``torch.nn.BatchNorm2d`` after a convolution, ``BatchNorm1d`` after an FC layer (arXiv:1502.03167, section 3.2).

    >>> BatchNorm().weights((1, 64, 224, 224))
    {'weight': (64,), 'bias': (64,)}
    """

    eps: float = 1e-5
    momentum: float = 0.1

    notation: ClassVar[str | None] = "batchnorm"
    captures: ClassVar[tuple[str, ...]] = ("batch_norm",)
    stores: ClassVar[tuple[str, ...]] = ("weight", "bias", "running_mean", "running_var")

    def out_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def weights(self, *inputs: Shape) -> dict[str, Shape]:
        return {"weight": (inputs[0][1],), "bias": (inputs[0][1],)}

    def buffers(self, *inputs: Shape) -> dict[str, tuple[Shape, str]]:
        channels = (inputs[0][1],)
        return {
            "running_mean": (channels, "float"),
            "running_var": (channels, "float"),
            "num_batches_tracked": ((), "int64"),
        }

    def macs(self, *inputs: Shape) -> Size | None:
        return 0

    def elementwise(self, *inputs: Shape) -> Size | None:
        return 2 * product(inputs[0])

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        saved = ("input0", "weight", "running_mean", "running_var")
        if setting.mode == "eval":
            return MemoryRule(saved=saved)
        channels = inputs[0][1]
        item = setting.statistic_bytes
        statistics = (Aux("save_mean", channels, item), Aux("save_invstd", channels, item))
        return MemoryRule(aux=statistics, saved=(*saved, "save_mean", "save_invstd"))

    def torch(self, *inputs: Shape) -> Call:
        options: dict[str, Any] = {}
        if self.eps != 1e-5:
            options["eps"] = self.eps
        if self.momentum != 0.1:
            options["momentum"] = self.momentum
        return Call("nn.BatchNorm2d" if len(inputs[0]) == 4 else "nn.BatchNorm1d", (inputs[0][1],), options)

    @classmethod
    def captured(cls, seen: Seen) -> Op | None:
        whole = all(isinstance(seen[name], Tensor) for name in cls.stores)
        return cls(seen["eps"], seen["momentum"]) if whole and len(seen.shape("input")) in {2, 4} else None

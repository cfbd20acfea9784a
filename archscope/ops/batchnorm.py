"""Batch normalisation, ``batchnorm``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from archscope.core.arithmetic import Shape, Size, product
from archscope.core.records import ONE_POSITION, Aux, Call, MemoryRule, Seen, Setting, Tensor, Window
from archscope.ops import Op


@dataclass(frozen=True, slots=True)
class BatchNorm(Op):
    """``torch.nn.BatchNorm2d`` after a convolution, ``BatchNorm1d`` after an FC layer (arXiv:1502.03167, section 3.2).

    >>> BatchNorm().weights((1, 64, 224, 224))
    {'weight': (64,), 'bias': (64,)}
    """

    eps: float = 1e-5
    momentum: float = 0.1
    affine: bool = True
    track_running_stats: bool = True

    notation: ClassVar[str | None] = "batchnorm"
    words: ClassVar[dict[str, tuple[str, Any]]] = {
        "no-affine": ("affine", False),
        "no-running-stats": ("track_running_stats", False),
    }
    captures: ClassVar[tuple[str, ...]] = ("batch_norm",)
    stores: ClassVar[tuple[str, ...]] = ("weight", "bias", "running_mean", "running_var")

    def out_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def weights(self, *inputs: Shape) -> dict[str, Shape]:
        return {"weight": (inputs[0][1],), "bias": (inputs[0][1],)} if self.affine else {}

    def buffers(self, *inputs: Shape) -> dict[str, tuple[Shape, str]]:
        channels = (inputs[0][1],)
        if not self.track_running_stats:
            return {}
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
        stored = (*self.weights(*inputs), *self.buffers(*inputs))
        saved = ("input0", *(name for name in stored if name in {"weight", "running_mean", "running_var"}))
        if setting.mode == "eval" and self.track_running_stats:
            return MemoryRule(saved=saved)
        channels = inputs[0][1]
        item = setting.statistic_bytes
        statistics = (Aux("save_mean", channels, item), Aux("save_invstd", channels, item))
        return MemoryRule(aux=statistics, saved=(*saved, "save_mean", "save_invstd"))

    def sees(self, *inputs: Shape) -> Window | None:
        axes = inputs[0][2:]
        if self.track_running_stats or not axes:
            return ONE_POSITION
        return Window((axes[0], axes[1]), (0, 0)) if len(axes) == 2 else None  # its statistics are those of the maps

    def torch(self, *inputs: Shape) -> Call:
        usual = {"eps": 1e-5, "momentum": 0.1, "affine": True, "track_running_stats": True}
        options: dict[str, Any] = {
            name: getattr(self, name) for name, value in usual.items() if getattr(self, name) != value
        }
        axes = {4: 2, 5: 3}.get(len(inputs[0]), 1)
        return Call(f"nn.BatchNorm{axes}d", (inputs[0][1],), options)

    @classmethod
    def captured(cls, seen: Seen) -> Op | None:
        given = {name for name in cls.stores if isinstance(seen[name], Tensor)}
        pairs = ({"weight", "bias"}, {"running_mean", "running_var"})
        if len(seen.shape("input")) < 2 or any(given & pair not in (set(), pair) for pair in pairs):
            return None
        return cls(seen["eps"], seen["momentum"], "weight" in given, "running_mean" in given)

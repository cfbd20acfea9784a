"""Pooling over one or three axes, and over two with what a cell cannot say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from archscope.core.arithmetic import Shape, Size, product
from archscope.core.records import Aux, MemoryRule, Seen, Setting, Window
from archscope.ops import Observed, Op


@dataclass(frozen=True, slots=True)
class Pool(Observed):
    """A pool by its ``function``'s name with the ``shapes`` that torch returned for it.

    A max pool of S3D on 64 frames (arXiv:1712.04851, Figure 2; torchvision's ``s3d``):

    >>> Pool("max_pool3d", ((1, 64, 32, 56, 56),), (1, 3, 3)).out_shape((1, 64, 32, 112, 112))
    (1, 64, 32, 56, 56)
    """

    kernel_size: tuple[int, ...] = ()

    captures: ClassVar[tuple[str, ...]] = (
        "max_pool1d", "max_pool2d", "max_pool3d", "max_pool1d_with_indices", "max_pool2d_with_indices",
        "max_pool3d_with_indices", "avg_pool1d", "avg_pool2d", "avg_pool3d", "adaptive_avg_pool1d",
        "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d", "adaptive_max_pool2d",
        "adaptive_max_pool3d", "fractional_max_pool2d", "fractional_max_pool3d", "_adaptive_avg_pool2d",
        "_adaptive_avg_pool3d",
    )  # fmt: skip

    def macs(self, *inputs: Shape) -> Size | None:
        return 0

    def elementwise(self, *inputs: Shape) -> Size | None:
        return product(self.shapes[0]) * product(self.kernel_size) if self.kernel_size else product(inputs[0])

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        if "max" not in self.function:
            to_one = self.function.startswith("adaptive") and product(self.shapes[0][2:]) == 1
            return MemoryRule(saved=() if to_one else ("input0",))
        if len(self.shapes) > 1:  # the indices are a result, too
            return MemoryRule(saved=("input0", "output1"))
        return MemoryRule(aux=(Aux("indices", product(self.shapes[0]), 8),), saved=("input0", "indices"))

    def sees(self, *inputs: Shape) -> Window | None:
        """All of a map for an adaptive pool to one position; of others capturing keeps too little."""
        axes = inputs[0][2:]
        to_one = self.function.startswith("adaptive") and product(self.shapes[0][2:]) == 1
        return Window((axes[0], axes[1]), (0, 0)) if to_one and len(axes) == 2 else None

    @classmethod
    def captured(cls, seen: Seen) -> Op | None:
        kernel = seen.get("kernel_size") or ()
        own = (kernel,) if isinstance(kernel, int) else tuple(kernel)
        return cls(seen.name, tuple(each.shape for each in seen.run()), own)

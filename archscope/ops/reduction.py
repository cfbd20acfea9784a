"""Sums, means, maxima: what makes fewer numbers of many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from archscope.core.arithmetic import Shape, Size, product
from archscope.core.records import MemoryRule, Seen, Setting, Window
from archscope.ops import Observed, Op

KEEPS_NOTHING = frozenset({
    "sum", "mean", "any", "all", "count_nonzero", "argmax", "argmin", "nansum",
})  # fmt: skip
KEEPS_OUTPUT = frozenset({
    "amax", "amin", "prod", "norm", "linalg_vector_norm", "logsumexp", "cumprod",
})  # fmt: skip

GLOBAL = frozenset({"mean", "sum", "amax", "amin"})
"""What may pool a whole map."""


@dataclass(frozen=True, slots=True)
class Reduction(Observed):
    """A reduction by its ``function``'s name in ATen, with the ``shapes`` that torch returned for it.

    >>> Reduction("mean", ((1, 768),)).elementwise((1, 768, 7, 7))
    37632
    """

    captures: ClassVar[tuple[str, ...]] = (
        "reduction", "_weight_norm", "_weight_norm_interface", "native_batch_norm", "_native_batch_norm_legit",
        "_native_batch_norm_legit_no_training", "mean", "sum", "std", "var", "var_mean", "std_mean", "max", "min",
        "amax", "amin", "argmax", "argmin", "any", "all", "norm", "linalg_vector_norm", "logsumexp", "prod", "median",
        "cumsum", "cumprod", "aminmax", "topk", "sort", "argsort", "kthvalue", "mode", "logcumsumexp", "bincount",
        "histc", "nll_loss_forward", "nll_loss2d_forward", "native_layer_norm", "native_group_norm", "nanmedian",
        "cummax", "cummin", "dist", "trace", "segment_reduce", "multi_margin_loss", "cumsum_", "cumprod_",
        "_embedding_bag", "_embedding_bag_forward_only",
    )  # fmt: skip

    def macs(self, *inputs: Shape) -> Size | None:
        return 0

    def elementwise(self, *inputs: Shape) -> Size | None:
        return product(inputs[0])

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        if self.function in KEEPS_NOTHING:
            return MemoryRule()
        return MemoryRule(saved=("input0", "output") if self.function in KEEPS_OUTPUT else ("input0",))

    def sees(self, *inputs: Shape) -> Window | None:
        """All of a map where one position is left of it, with or without its axes: global pooling by another name."""
        batch, channels, *axes = (*inputs[0], 0, 0)[: max(2, len(inputs[0]))]
        left = self.shapes[0]
        to_one = len(axes) == 2 and left[:2] == (batch, channels) and set(left[2:]) <= {1} and channels not in axes
        return Window((axes[0], axes[1]), (0, 0)) if to_one and self.function in GLOBAL else None

    @classmethod
    def captured(cls, seen: Seen) -> Op | None:
        shapes = tuple(each.shape for each in seen.run())
        return cls(seen.name, shapes) if shapes and not seen.in_place else None

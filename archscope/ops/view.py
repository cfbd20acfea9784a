"""The same numbers under another shape: reshape, permute, slice, expand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from archscope.core.arithmetic import Shape
from archscope.core.records import ONE_POSITION, MemoryRule, Seen, Setting, Window
from archscope.ops import Moving, Observed, Op

IDENTITIES = frozenset({"dropout", "feature_dropout", "alpha_dropout", "lift_fresh", "detach", "contiguous", "alias"})
"""What leaves every number where it is."""


@dataclass(frozen=True, slots=True)
class View(Moving, Observed):
    """A view by its ``function``'s name in ATen, with the ``shapes`` that torch returned: its input's storage.

    >>> View("permute", ((1, 7, 7, 768),)).out_shape((1, 768, 7, 7))
    (1, 7, 7, 768)
    """

    captures: ClassVar[tuple[str, ...]] = (
        "view", "dropout", "feature_dropout", "alpha_dropout", "lift_fresh", "detach_", "t_", "transpose_",
        "unsqueeze_", "squeeze_", "as_strided_", "set_",
    )  # fmt: skip

    @property
    def stops_gradient(self) -> bool:
        return self.function.startswith("detach")

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        return MemoryRule(out="view", grads="alias")

    def sees(self, *inputs: Shape) -> Window | None:
        return ONE_POSITION if self.function in IDENTITIES else None

    @classmethod
    def captured(cls, seen: Seen) -> Op | None:
        """What shares the storage of the first tensor; the same operator may have to copy, and is none then."""
        outputs, first = seen.run(), seen.tensors()[0]
        shares = bool(outputs) and all(each.storage == first.storage for each in outputs)
        return cls(seen.name, tuple(each.shape for each in outputs)) if shares else None

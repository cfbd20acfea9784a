"""Rows times the matrix of their group: how a mixture of experts runs all of its experts at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from archscope.core.arithmetic import Shape, Size, product, require
from archscope.core.records import MemoryRule, Seen, Setting, spelled
from archscope.ops import Op


@dataclass(frozen=True, slots=True)
class GroupedMatMul(Op):
    """``torch.nn.functional.grouped_mm``: each row meets one of several matrices, so that the count is exact.

    Mixtral 8x7B, 128 tokens by two experts each, into 14,336 and as many gates (arXiv:2401.04088, Table 1):

    >>> GroupedMatMul().macs((256, 4096), (8, 4096, 28672), (8,))
    30064771072
    """

    captures: ClassVar[tuple[str, ...]] = ("_grouped_mm",)
    packs: ClassVar[bool] = True

    def out_shape(self, *inputs: Shape) -> Shape:
        rows, matrices = inputs[:2]
        require(
            rows[-1] == matrices[-2], lambda: f"cannot multiply {spelled(inputs)}: {rows[-1]} is not {matrices[-2]}"
        )
        return (*rows[:-1], matrices[-1])

    def macs(self, *inputs: Shape) -> Size | None:
        return product(self.out_shape(*inputs)) * inputs[0][-1]

    def gradient_macs(self, *inputs: Shape) -> dict[str, Size] | None:
        macs = self.macs(*inputs) or 0
        return {"input0": macs, "input1": macs}

    def elementwise(self, *inputs: Shape) -> Size | None:
        return 0

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        return MemoryRule(saved=("input0", "input1", "input2"), factors=True, autocast="low")

    @classmethod
    def captured(cls, seen: Seen) -> Op | None:
        plain = seen["bias"] is None and seen["out_dtype"] is None and seen["offs"] is not None
        return cls() if plain and len(seen.shape("self")) == 2 and len(seen.shape("mat2")) == 3 else None

"""Matrix products of tensors, in all of torch's spellings: ``x @ y``, ``torch.bmm``, ``torch.addmm``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from archscope.core.arithmetic import Shape, Size, agree, choose, product, require
from archscope.core.records import Call, MemoryRule, Seen, Setting, spelled
from archscope.ops import Op


@dataclass(frozen=True, slots=True)
class MatMul(Op):
    """``torch.matmul`` of its last two inputs, over batches that are stretched; ``added``: to a first one.

    What attention scores are made of, ViT-B/16 with 12 heads of 64 (arXiv:2010.11929, Table 1):

    >>> MatMul().macs((1, 12, 197, 64), (1, 12, 64, 197))
    29805312
    """

    added: bool = False

    captures: ClassVar[tuple[str, ...]] = (
        "matmul", "mm", "bmm", "mv", "dot", "vdot", "addmm", "addmm_", "addmv", "addmv_", "addbmm", "addbmm_",
        "baddbmm", "baddbmm_",
    )  # fmt: skip
    packs: ClassVar[bool] = True

    def out_shape(self, *inputs: Shape) -> Shape:
        left, right = inputs[-2:]
        self.inner(*inputs)
        batch = _stretched(left[:-2], right[:-2])
        return (*batch, *left[-2:-1], *(right[-1:] if len(right) > 1 else ()))

    def inner(self, *inputs: Shape) -> Size:
        """How many numbers are multiplied and summed up for each number of the result."""
        left, right = inputs[-2:]
        inner = right[-2] if len(right) > 1 else right[0]
        require(left[-1] == inner, lambda: f"cannot multiply {spelled(inputs)}: {left[-1]} is not {inner}")
        return inner

    def macs(self, *inputs: Shape) -> Size | None:
        left, right = inputs[-2:]
        batch = product(_stretched(left[:-2], right[:-2]))
        rows, columns = product(left[-2:-1]), product(right[-1:] if len(right) > 1 else ())
        return batch * rows * self.inner(*inputs) * columns

    def gradient_macs(self, *inputs: Shape) -> dict[str, Size] | None:
        macs, first = self.macs(*inputs) or 0, len(inputs) - 2
        return {f"input{first}": macs, f"input{first + 1}": macs}

    def elementwise(self, *inputs: Shape) -> Size | None:
        return product(self.out_shape(*inputs)) if self.added else 0

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        first = len(inputs) - 2
        left, right = inputs[first][:-2], inputs[first + 1][:-2]
        if (left and right) and not agree(left, right):
            return None  # one of them is copied as often as the other has it
        return MemoryRule(saved=(f"input{first}", f"input{first + 1}"), factors=True, autocast="low")

    def torch(self, *inputs: Shape) -> Call:
        return Call("torch.addmm" if self.added else "torch.matmul")

    @classmethod
    def captured(cls, seen: Seen) -> Op | None:
        if seen.in_place or seen.name == "addbmm":  # which sums over its batch
            return None
        return cls(added=seen.name.startswith(("add", "badd")))


def _stretched(left: Shape, right: Shape) -> Shape:
    """The axes of two shapes, aligned at their ends; 1 is stretched to what the other has."""
    count = max(len(left), len(right))
    ones = (1,) * count
    pairs = zip((*ones[len(left) :], *left), (*ones[len(right) :], *right), strict=True)
    return tuple(choose(mine == 1, its, mine) for mine, its in pairs)

"""Products of two tensors by the names of their axes: ``torch.einsum``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from archscope.core.arithmetic import Shape, Size, product, require
from archscope.core.records import MemoryRule, Seen, Setting, spelled
from archscope.ops import Op


@dataclass(frozen=True, slots=True)
class Einsum(Op):
    """``torch.einsum`` of two tensors: a multiplication for each value of all letters, summed over those not kept.

    Relative positions in a window of 7×7 with heads of 32 (arXiv:2204.01697, MaxViT, section 3.3):

    >>> Einsum("bhid,bhjd->bhij").macs((64, 2, 49, 32), (64, 2, 49, 32))
    9834496
    """

    equation: str

    captures: ClassVar[tuple[str, ...]] = ("einsum",)
    infers: ClassVar[bool] = False

    def out_shape(self, *inputs: Shape) -> Shape:
        sizes = self.sizes(*inputs)
        return tuple(sizes[letter] for letter in self.equation.partition("->")[2])

    def sizes(self, *inputs: Shape) -> dict[str, Size]:
        """The size of each letter."""
        sizes: dict[str, Size] = {}
        for term, shape in zip(self.equation.partition("->")[0].split(","), inputs, strict=True):
            for letter, size in zip(term, shape, strict=True):
                known = sizes.setdefault(letter, size)
                require(known == size, lambda: f"{self.equation} has two sizes of one letter: {spelled(inputs)}")
        return sizes

    def macs(self, *inputs: Shape) -> Size | None:
        return product(tuple(self.sizes(*inputs).values()))

    def gradient_macs(self, *inputs: Shape) -> dict[str, Size] | None:
        macs = self.macs(*inputs) or 0
        return {"input0": macs, "input1": macs}

    def elementwise(self, *inputs: Shape) -> Size | None:
        return 0

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        return MemoryRule(saved=("input0", "input1"), factors=True, autocast="low")

    @classmethod
    def captured(cls, seen: Seen) -> Op | None:
        """Two tensors whose letters are all summed or kept by a product; torch composes any other of these."""
        equation = seen["equation"].replace(" ", "")
        shapes = [each.shape for each in seen.tensors()]
        terms = equation.partition("->")[0].split(",")
        plain = "->" in equation and "." not in equation and len(shapes) == 2
        if not plain or any(len(set(term)) != len(term) for term in terms):
            return None
        kept = set(equation.partition("->")[2])
        alone = set(terms[0]) ^ set(terms[1])
        if not alone <= kept or set(terms[0]) & set(terms[1]) <= kept:  # a sum before the product; no sum at all
            return None
        sizes = [dict(zip(term, shape, strict=True)) for term, shape in zip(terms, shapes, strict=True)]
        alike = all(sizes[1].get(letter, size) == size for letter, size in sizes[0].items())
        return cls(equation) if alike else None

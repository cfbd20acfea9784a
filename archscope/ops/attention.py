"""Attention as one operator: soft-max of queries times keys, times values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from archscope.core.arithmetic import Shape, Size, agree, product, require
from archscope.core.records import Aux, Call, MemoryRule, Seen, Setting, spelled
from archscope.ops import Op


@dataclass(frozen=True, slots=True)
class Attention(Op):
    """``torch.nn.functional.scaled_dot_product_attention`` (arXiv:1706.03762, section 3.2.1); a mask is a fourth input.

    MACs are those of both products, for all pairs: a causal mask saves some of them in some kernels, not in others.
    Their gradients are four products; what a kernel computes twice to save memory is not counted.

    ViT-B/16, 197 tokens, 12 heads of 64 (arXiv:2010.11929, Table 1):

    >>> Attention().macs((1, 12, 197, 64), (1, 12, 197, 64), (1, 12, 197, 64))
    59610624
    """

    is_causal: bool = False
    enable_gqa: bool = False
    p: float = 0.0

    captures: ClassVar[tuple[str, ...]] = ("scaled_dot_product_attention",)

    def out_shape(self, *inputs: Shape) -> Shape:
        query, key, value = inputs[:3]
        require(query[-1] == key[-1], lambda: f"queries and keys differ in their last axis: {spelled(inputs)}")
        require(key[-2] == value[-2], lambda: f"there are not as many keys as values: {spelled(inputs)}")
        return (*query[:-1], value[-1])

    def _products(self, *inputs: Shape) -> tuple[Size, Size]:
        """MACs of queries times keys, and of their soft-max times values."""
        query, key, value = inputs[:3]
        pairs = product(query[:-1]) * key[-2]
        return pairs * query[-1], pairs * value[-1]

    def macs(self, *inputs: Shape) -> Size | None:
        return sum(self._products(*inputs))

    def gradient_macs(self, *inputs: Shape) -> dict[str, Size] | None:
        scores, values = self._products(*inputs)
        # The gradient of the soft-max, one more product with the values, serves queries and keys.
        return {"input0": scores, "input1": scores, "input2": values, "input0|input1": values}

    def elementwise(self, *inputs: Shape) -> Size | None:
        return 4 * product(inputs[0][:-1]) * inputs[1][-2]

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        if not agree(inputs[0][-1:], inputs[2][-1:]) or len(inputs) > 3:
            return None  # another kernel, which was not measured
        # The fused kernel keeps a number per query instead of the scores.
        logsumexp = Aux("logsumexp", product(inputs[0][:-1]), 4)
        return MemoryRule(aux=(logsumexp,), saved=("input0", "input1", "input2", "output", "logsumexp"), autocast="low")

    def torch(self, *inputs: Shape) -> Call:
        options = {"is_causal": True} if self.is_causal else {}
        return Call("torch.nn.functional.scaled_dot_product_attention", (), options)

    @classmethod
    def captured(cls, seen: Seen) -> Op | None:
        return cls(bool(seen["is_causal"]), bool(seen["enable_gqa"]), float(seen["dropout_p"]))

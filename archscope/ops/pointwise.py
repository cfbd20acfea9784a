"""Functions of single numbers, and of numbers at the same place in several tensors: what torch marks as pointwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from archscope.core.arithmetic import Shape, Size, product
from archscope.core.records import ONE_POSITION, MemoryRule, Seen, Setting, Window
from archscope.ops import Observed, Op

KEEPS_NOTHING = frozenset({
    "add", "sub", "rsub", "neg", "clone", "copy", "round", "floor", "ceil", "trunc", "sign", "fill", "zero",
    "bitwise_not", "bitwise_and", "bitwise_or", "logical_not", "logical_and", "logical_or", "logical_xor", "eq",
    "ne", "lt", "le", "gt", "ge", "isnan", "isinf", "isfinite", "to", "_to_copy", "type_as", "lerp_scalar", "real",
    "imag",
})  # fmt: skip
KEEPS_INPUTS = frozenset({
    "mul", "div", "atan2", "maximum", "minimum", "abs", "sin", "cos", "tan", "log", "log2", "log10", "log1p",
    "square", "pow", "clamp", "clamp_min", "clamp_max", "erf", "sinh", "cosh", "logit", "softplus", "threshold",
    "log_sigmoid", "xlogy", "addcmul", "addcdiv", "hardshrink", "softshrink",
})  # fmt: skip
KEEPS_OUTPUT = frozenset({
    "exp", "exp2", "expm1", "sqrt", "rsqrt", "reciprocal", "sigmoid", "tanh",
})  # fmt: skip
KEEPS_MASK = {"where": "input0", "masked_fill": "input1"}


@dataclass(frozen=True, slots=True)
class Pointwise(Observed):
    """A pointwise ``function`` by ATen's name, with the ``shapes`` that torch returned for it.

    >>> Pointwise("exp", ((1, 1000),)).elementwise((1, 1000))
    1000
    """

    inplace: bool = False

    captures: ClassVar[tuple[str, ...]] = (
        "pointwise", "copy_", "where", "type_as", "square", "float_power", "one_hot", "floor_divide", "floor_divide_",
        "masked_fill", "masked_fill_", "eq_", "ge_", "gt_", "le_", "lt_", "ne_", "abs_", "copysign_", "gelu_", "isin",
        "rsub", "addr", "glu", "huber_loss", "mse_loss", "smooth_l1_loss", "soft_margin_loss", "binary_cross_entropy",
        "binary_cross_entropy_with_logits", "log_sigmoid_forward", "native_dropout", "rrelu_with_noise", "threshold_",
        "xlogy_", "copy", "fill", "zero", "_prelu_kernel",
    )  # fmt: skip

    @property
    def in_place(self) -> bool:
        return self.inplace

    def macs(self, *inputs: Shape) -> Size | None:
        return 0

    def elementwise(self, *inputs: Shape) -> Size | None:
        return 0 if self.function in {"clone", "copy", "fill", "zero"} else product(self.shapes[0])

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        out = "inplace" if self.inplace else "new"
        if self.function in KEEPS_NOTHING:
            return MemoryRule(out=out, grads="alias")
        if self.function in KEEPS_OUTPUT:
            return MemoryRule(out=out, saved=("output",))
        if self.function in KEEPS_MASK:
            return MemoryRule(out=out, saved=(KEEPS_MASK[self.function],))
        if self.function in KEEPS_INPUTS:
            saved = tuple(f"input{n}" for n in range(len(inputs)))
            return MemoryRule(out=out, saved=saved, factors=self.function == "mul")
        return None  # what is kept of another function was not measured

    def sees(self, *inputs: Shape) -> Window | None:
        return ONE_POSITION if all(len(each) == len(self.shapes[0]) for each in inputs) else None

    @classmethod
    def captured(cls, seen: Seen) -> Op | None:
        outputs = seen.run()
        if len(outputs) != 1:
            return None
        name = seen.name.removesuffix("_") if seen.in_place else seen.name
        return cls(name, (outputs[0].shape,), seen.in_place)

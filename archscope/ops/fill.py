"""Numbers made of nothing: zeros, ranges, noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from archscope.core.arithmetic import Shape
from archscope.core.records import MemoryRule, Seen, Setting
from archscope.ops import Moving, Observed, Op


@dataclass(frozen=True, slots=True)
class Fill(Moving, Observed):
    """A factory by its ``function``'s name in ATen, with the ``shapes`` that torch returned for it.

    >>> Fill("zeros", ((1, 197, 768),)).out_shape()
    (1, 197, 768)
    """

    inplace: bool = False

    captures: ClassVar[tuple[str, ...]] = (
        "empty", "zeros", "ones", "full", "arange", "linspace", "logspace", "eye", "rand", "randn", "randint",
        "randperm", "normal", "empty_strided", "scalar_tensor", "new_empty", "new_zeros", "new_ones", "new_full",
        "new_empty_strided", "empty_like", "zeros_like", "ones_like", "full_like", "rand_like", "randn_like",
        "randint_like", "bernoulli", "bernoulli_", "normal_", "uniform_", "exponential_", "random_", "tril_indices",
        "triu_indices", "multinomial", "hann_window", "hamming_window", "zero_", "fill_", "cauchy_", "geometric_",
        "log_normal_", "cauchy", "exponential", "geometric", "log_normal", "poisson", "uniform", "normal_functional",
        "empty_permuted",
    )  # fmt: skip

    @property
    def in_place(self) -> bool:
        return self.inplace

    @property
    def stops_gradient(self) -> bool:
        return True

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        return MemoryRule(out="inplace" if self.inplace else "new", grads="none")

    @classmethod
    def captured(cls, seen: Seen) -> Op | None:
        name = seen.name.removesuffix("_") if seen.in_place else seen.name
        return cls(name, tuple(each.shape for each in seen.run()), seen.in_place)

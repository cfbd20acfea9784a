"""Local response normalisation, ``LRN``: AlexNet's, which VGG tried in A-LRN and dropped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from archscope.core.arithmetic import Shape, Size, product
from archscope.core.records import ONE_POSITION, Call, InnerCall, MemoryRule, Setting, Window
from archscope.ops import Op


@dataclass(frozen=True, slots=True)
class LRN(Op):
    """``torch.nn.LocalResponseNorm``: b = a / (k + alpha/size · sum of a² over ``size`` neighbouring channels)^beta.

    torch divides alpha by the size, Krizhevsky et al. (2012, section 3.3) do not: their alpha = 1e-4 with n = 5 is
    torch's 5e-4, the default here. Caffe divides too and has k = 1: ``LRN alpha=0.0001 k=1``.

    >>> LRN().out_shape((1, 96, 55, 55))
    (1, 96, 55, 55)
    """

    size: int = 5
    alpha: float = 5e-4
    beta: float = 0.75
    k: float = 2.0

    notation: ClassVar[str | None] = "LRN"
    rank: ClassVar[int | None] = 4
    captures: ClassVar[tuple[str, ...]] = ("torch.nn.functional.local_response_norm",)

    def out_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def macs(self, *inputs: Shape) -> Size | None:
        return 0

    def elementwise(self, *inputs: Shape) -> Size | None:
        return product(inputs[0]) * (self.size + 5)

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        batch, channels, *axes = inputs[0]
        plane, full = batch * product(axes), product(inputs[0])
        # Autocast knows different calls on a CPU and on a GPU.
        mean, power = ("", "float32") if setting.device == "cuda" else ("float32", "")
        padded = plane * (channels + self.size - 1)
        # x / (k + alpha * mean of neighbouring squares) ** beta, as torch.nn.functional.local_response_norm writes it.
        # held: a variable keeps the mean until the power is taken.
        square, quotient = MemoryRule(saved=("input",)), MemoryRule(saved=("input",), transient=2 * full)
        raised = MemoryRule(saved=("input0",), transient=2 * full, autocast=power)
        return MemoryRule(
            calls=(
                InnerCall(square, (0, 0), full),  # 1
                InnerCall(MemoryRule(), (1,), padded),  # 2: zeros in front and behind
                InnerCall(MemoryRule(saved=("input0",), autocast=mean), (2,), full, held=5),  # 3: of the neighbours
                InnerCall(MemoryRule(), (3,), full),  # 4: times alpha
                InnerCall(MemoryRule(grads="alias"), (4,), full),  # 5: plus k
                InnerCall(raised, (5,), full),  # 6: to the power of beta
                InnerCall(quotient, (0, 6), full),  # 7
            )
        )

    def sees(self, *inputs: Shape) -> Window | None:
        return ONE_POSITION

    def torch(self, *inputs: Shape) -> Call:
        return Call("nn.LocalResponseNorm", (self.size,), {"alpha": self.alpha, "beta": self.beta, "k": self.k})

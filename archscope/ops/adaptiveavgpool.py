"""Average pooling to a fixed size, ``adaptiveavgpool7``; to 1 it is global average pooling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from archscope.core.arithmetic import Shape, Size, choose, product
from archscope.core.records import Call, MemoryRule, Pair, Seen, Setting, Window, axes, pair, short
from archscope.ops import Op


@dataclass(frozen=True, slots=True)
class AdaptiveAvgPool(Op):
    """``torch.nn.AdaptiveAvgPool2d``: windows are laid out so that the output has ``output_size``.

    Network in Network's head (arXiv:1312.4400, section 3.2), also torchvision's in front of VGG's FC layers:

    >>> AdaptiveAvgPool(output_size=1).out_shape((1, 1024, 7, 7))
    (1, 1024, 1, 1)
    """

    output_size: Pair = 1

    notation: ClassVar[str | None] = "adaptiveavgpool[{output_size}]"
    rank: ClassVar[int | None] = 4
    captures: ClassVar[tuple[str, ...]] = ("adaptive_avg_pool2d",)

    def out_shape(self, *inputs: Shape) -> Shape:
        return (*inputs[0][:2], *pair(self.output_size))

    def macs(self, *inputs: Shape) -> Size | None:
        return 0

    def elementwise(self, *inputs: Shape) -> Size | None:
        return product(inputs[0])

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        to_one = pair(self.output_size) == (1, 1)  # torch computes it as a mean, which keeps nothing
        return MemoryRule(saved=() if to_one else ("input0",))

    def sees(self, *inputs: Shape) -> Window | None:
        """One window for all outputs: exact where the output divides the input, else one that holds each of them.

        torch averages from ``i·n // size`` up to, not including, ``ceil((i + 1)·n / size)``.
        """
        sizes = tuple(zip(inputs[0][2:], pair(self.output_size), strict=True))
        (down, across) = (choose(size == 1, 0, n // size) for n, size in sizes)
        (height, width) = (n - (size - 1) * (n // size) for n, size in sizes)
        (high, wide) = (n % size == 0 for n, size in sizes)
        return Window((height, width), (down, across), exact=(high, wide))

    def torch(self, *inputs: Shape) -> Call:
        return Call("nn.AdaptiveAvgPool2d", (short(pair(self.output_size)),))

    @classmethod
    def captured(cls, seen: Seen) -> Op | None:
        return cls(axes(seen["output_size"])) if len(seen.shape("self")) == 4 else None

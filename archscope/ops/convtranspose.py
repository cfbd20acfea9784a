"""Transposed convolution: what decoders enlarge maps with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from archscope.core.arithmetic import Shape, Size, product, require
from archscope.core.records import Call, MemoryRule, Seen, Setting
from archscope.ops import Op

Sizes = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ConvTranspose(Op):
    """``torch.nn.ConvTranspose1d`` to ``3d``: each position of the input adds a kernel to the output.

    Its MACs are those of input positions, not of output positions. DCGAN's second layer (arXiv:1511.06434, Figure 1):

    >>> layer = ConvTranspose((4, 4), 512, (2, 2), (1, 1), (0, 0), (1, 1))
    >>> layer.out_shape((1, 1024, 4, 4)), layer.macs((1, 1024, 4, 4))
    ((1, 512, 8, 8), 134217728)
    """

    kernel_size: Sizes
    out_channels: int
    stride: Sizes
    padding: Sizes
    output_padding: Sizes
    dilation: Sizes
    groups: int = 1
    bias: bool = True

    weight_layer: ClassVar[bool] = True
    captures: ClassVar[tuple[str, ...]] = ("conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "convolution")
    stores: ClassVar[tuple[str, ...]] = ("weight", "bias")

    @property
    def label(self) -> str:
        return f"convtranspose{len(self.kernel_size)}d"

    def out_shape(self, *inputs: Shape) -> Shape:
        count = len(self.kernel_size)
        *batch, channels = inputs[0][:-count]
        require(channels % self.groups == 0, lambda: f"{self.groups} groups do not divide {channels} channels")
        settings = zip(self.kernel_size, self.stride, self.padding, self.output_padding, self.dilation, strict=True)
        sizes = zip(inputs[0][-count:], settings, strict=True)
        return (*batch, self.out_channels, *(_size_after(size, *setting) for size, setting in sizes))

    def weights(self, *inputs: Shape) -> dict[str, Shape]:
        kernel = (inputs[0][-len(self.kernel_size) - 1], self.out_channels // self.groups, *self.kernel_size)
        return {"weight": kernel, "bias": (self.out_channels,)} if self.bias else {"weight": kernel}

    def macs(self, *inputs: Shape) -> Size | None:
        return product(inputs[0]) * product(self.weights(*inputs)["weight"][1:])

    def elementwise(self, *inputs: Shape) -> Size | None:
        return product(self.out_shape(*inputs)) if self.bias else 0

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        return MemoryRule(saved=("input0", "weight"), autocast="low")

    def torch(self, *inputs: Shape) -> Call:
        options: dict[str, Any] = {
            "stride": self.stride,
            "padding": self.padding,
            "output_padding": self.output_padding,
            "dilation": self.dilation,
            "groups": self.groups,
            "bias": self.bias,
        }
        channels = inputs[0][-len(self.kernel_size) - 1]
        name = f"nn.ConvTranspose{len(self.kernel_size)}d"
        return Call(name, (channels, self.out_channels, self.kernel_size), options)

    @classmethod
    def captured(cls, seen: Seen) -> Op | None:
        kernel = seen.shape("weight")[2:]
        if seen.get("transposed") is False:
            return None
        names = ("stride", "padding", "output_padding", "dilation")
        stride, padding, output_padding, dilation = (_each(seen[name], len(kernel)) for name in names)
        groups, bias = seen["groups"], seen["bias"] is not None
        channels = seen.shape("weight")[1] * groups
        return cls(kernel, channels, stride, padding, output_padding, dilation, groups, bias)


def _each(numbers: Sequence[int], count: int) -> Sizes:
    """A number per axis, where torch also takes a list of one for all."""
    return tuple(numbers) * count if len(numbers) == 1 else tuple(numbers)


def _size_after(n: Size, kernel: Size, stride: Size, padding: Size, extra: Size, dilation: Size) -> Size:
    return (n - 1) * stride - 2 * padding + dilation * (kernel - 1) + extra + 1

"""Convolution over one, three or any number of axes; ``conv.py`` has the one over two that tables spell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from archscope.core.arithmetic import Shape, Size, product, require
from archscope.core.records import Call, MemoryRule, Seen, Setting, Window
from archscope.ops import Op

Sizes = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Convolution(Op):
    """``torch.nn.Conv1d``, ``Conv3d``, and ``Conv2d`` with what a cell cannot say; a number per axis.

    padding: at either side of each axis; None keeps the size, as torch's ``same``: an odd one goes behind.

    The first layer of R(2+1)D on 16 frames (arXiv:1711.11248, section 4, torchvision's stem):

    >>> Convolution((1, 7, 7), 45, (1, 2, 2), (0, 3, 3), (1, 1, 1), bias=False).out_shape((1, 3, 16, 112, 112))
    (1, 45, 16, 56, 56)
    """

    kernel_size: Sizes
    out_channels: int
    stride: Sizes
    padding: Sizes | None
    dilation: Sizes
    groups: int = 1
    bias: bool = True

    weight_layer: ClassVar[bool] = True
    captures: ClassVar[tuple[str, ...]] = ("conv1d", "conv2d", "conv3d", "convolution")
    stores: ClassVar[tuple[str, ...]] = ("weight", "bias")

    @property
    def label(self) -> str:
        return f"conv{len(self.kernel_size)}d"

    def out_shape(self, *inputs: Shape) -> Shape:
        count = len(self.kernel_size)
        *batch, channels = inputs[0][:-count]
        require(channels % self.groups == 0, lambda: f"{self.groups} groups do not divide {channels} channels")
        if self.padding is None:
            return (*batch, self.out_channels, *inputs[0][-count:])
        settings = zip(self.kernel_size, self.stride, self.padding, self.dilation, strict=True)
        sizes = zip(inputs[0][-count:], settings, strict=True)
        return (*batch, self.out_channels, *(_size_after(size, *setting) for size, setting in sizes))

    def weights(self, *inputs: Shape) -> dict[str, Shape]:
        channels = inputs[0][-len(self.kernel_size) - 1]
        kernel = (self.out_channels, channels // self.groups, *self.kernel_size)
        return {"weight": kernel, "bias": (self.out_channels,)} if self.bias else {"weight": kernel}

    def macs(self, *inputs: Shape) -> Size | None:
        return product(self.out_shape(*inputs)) * product(self.weights(*inputs)["weight"][1:])

    def elementwise(self, *inputs: Shape) -> Size | None:
        return product(self.out_shape(*inputs)) if self.bias else 0

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        return MemoryRule(saved=("input0", "weight"), autocast="low")

    def sees(self, *inputs: Shape) -> Window | None:
        if len(self.kernel_size) != 2 or len(inputs[0]) != 4:
            return None
        (height, width), (down, across), (far, wide) = self.kernel_size, self.stride, self.dilation
        (top, left) = (far * (height - 1) // 2, wide * (width - 1) // 2) if self.padding is None else self.padding
        return Window((height, width), (down, across), (top, left), (far, wide))

    def torch(self, *inputs: Shape) -> Call:
        channels = inputs[0][-len(self.kernel_size) - 1]
        options: dict[str, Any] = {
            "stride": self.stride,
            "padding": "same" if self.padding is None else self.padding,
            "dilation": self.dilation,
            "groups": self.groups,
            "bias": self.bias,
        }
        name = f"nn.Conv{len(self.kernel_size)}d"
        return Call(name, (channels, self.out_channels, self.kernel_size), options)

    @classmethod
    def captured(cls, seen: Seen) -> Op | None:
        kernel = seen.shape("weight")[2:]
        if seen.get("transposed"):
            return None
        padding = seen["padding"]
        if isinstance(padding, str):
            padding = None if padding == "same" else [0]
        return cls(
            kernel,
            seen.shape("weight")[0],
            _each(seen["stride"], len(kernel)),
            None if padding is None else _each(padding, len(kernel)),
            _each(seen["dilation"], len(kernel)),
            seen["groups"],
            seen["bias"] is not None,
        )


def _each(numbers: Sequence[int], count: int) -> Sizes:
    """A number per axis, where torch also takes a list of one for all."""
    return tuple(numbers) * count if len(numbers) == 1 else tuple(numbers)


def _size_after(n: Size, kernel: Size, stride: Size, padding: Size, dilation: Size) -> Size:
    reach, padded = dilation * (kernel - 1) + 1, n + 2 * padding
    require(reach <= padded, lambda: f"a kernel that reaches {reach} is larger than its padded input {padded}")
    return (padded - reach) // stride + 1

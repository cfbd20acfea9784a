"""Convolution, as VGG writes it: ``conv3-64`` is 3×3, 64 channels, stride 1, padded to keep its size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from archscope.core.arithmetic import Shape, Size, is_many, product, require
from archscope.core.records import Call, MemoryRule, Padding, Pair, Seen, Setting, Window, axes, pair, short
from archscope.ops import Op


@dataclass(frozen=True, slots=True)
class Conv(Op):
    """Two-dimensional cross-correlation, ``torch.nn.Conv2d``. Padding left out is half the kernel, ``k // 2``.

    VGG configuration D, conv3-64 on the image and conv3-512 on 28×28 (arXiv:1409.1556, Table 1):

    >>> Conv(kernel_size=3, out_channels=64).weights((1, 3, 224, 224))
    {'weight': (64, 3, 3, 3), 'bias': (64,)}
    >>> Conv(kernel_size=3, out_channels=512).macs((1, 256, 28, 28))
    924844032
    """

    kernel_size: Pair
    out_channels: int
    stride: Pair = 1
    padding: Padding | None = None
    dilation: Pair = 1
    groups: int = 1
    bias: bool = True

    notation: ClassVar[str | None] = "conv{kernel_size}-{out_channels}[/{stride}]"
    words: ClassVar[dict[str, tuple[str, Any]]] = {"valid": ("padding", 0), "no-bias": ("bias", False)}
    rank: ClassVar[int | None] = 4
    weight_layer: ClassVar[bool] = True
    captures: ClassVar[tuple[str, ...]] = ("conv2d", "convolution")
    stores: ClassVar[tuple[str, ...]] = ("weight", "bias")

    @property
    def window(self) -> Window:
        kernel = pair(self.kernel_size)
        padding = (kernel[0] // 2, kernel[1] // 2) if self.padding is None else pair(self.padding)
        return Window(kernel, pair(self.stride), padding, pair(self.dilation))

    def out_shape(self, *inputs: Shape) -> Shape:
        batch, channels, *axes = inputs[0]
        groups, out = self.groups, self.out_channels
        require(channels % groups == 0, lambda: f"{groups} groups do not divide {channels} incoming channels")
        require(out % groups == 0, lambda: f"{groups} groups do not divide {out} outgoing channels")
        window = self.window
        per_axis = zip(axes, window.kernel_size, window.stride, window.padding, window.dilation, strict=True)
        return (batch, out, *(_size_after(*numbers) for numbers in per_axis))

    def weights(self, *inputs: Shape) -> dict[str, Shape]:
        kernel = (self.out_channels, inputs[0][1] // self.groups, *pair(self.kernel_size))
        return {"weight": kernel, "bias": (self.out_channels,)} if self.bias else {"weight": kernel}

    def macs(self, *inputs: Shape) -> Size | None:
        return product(self.out_shape(*inputs)) * (inputs[0][1] // self.groups * product(pair(self.kernel_size)))

    def elementwise(self, *inputs: Shape) -> Size | None:
        return product(self.out_shape(*inputs)) if self.bias else 0

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        return MemoryRule(saved=("input0", "weight"), autocast="low")

    def torch(self, *inputs: Shape) -> Call:
        window = self.window
        given: dict[str, Any] = {
            "stride": window.stride,
            "padding": window.padding,
            "dilation": window.dilation,
            "groups": self.groups,
            "bias": self.bias,
        }
        usual: dict[str, Any] = {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1), "groups": 1, "bias": True}
        options = {name: short(value) for name, value in given.items() if is_many(value) or value != usual[name]}
        return Call("nn.Conv2d", (inputs[0][1], self.out_channels, short(pair(self.kernel_size))), options)

    @classmethod
    def captured(cls, seen: Seen) -> Op | None:
        kernel = seen.shape("weight")
        if len(kernel) != 4 or len(seen.shape("input")) != 4 or seen.get("transposed"):
            return None
        dilation, padding = axes(seen["dilation"]), seen["padding"]
        if isinstance(padding, str):
            reach = [each * (size - 1) for each, size in zip(pair(dilation), kernel[2:], strict=True)]
            if padding == "same" and any(each % 2 for each in reach):
                return None  # torch pads one side more than the other
            padding = [0, 0] if padding == "valid" else [each // 2 for each in reach]
        usual = (kernel[2] // 2, kernel[3] // 2)
        return cls(
            kernel_size=axes(kernel[2:]),
            out_channels=kernel[0],
            stride=axes(seen["stride"]),
            padding=None if pair(axes(padding)) == usual else axes(padding),
            dilation=dilation,
            groups=seen["groups"],
            bias=seen["bias"] is not None,
        )


def _size_after(n: Size, kernel: Size, stride: Size, padding: Size, dilation: Size) -> Size:
    reach, padded = dilation * (kernel - 1) + 1, n + 2 * padding
    require(reach <= padded, lambda: f"a kernel that reaches {reach} is larger than its padded input {padded}")
    return (padded - reach) // stride + 1

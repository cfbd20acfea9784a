"""Max pooling: ``maxpool`` is VGG's 2×2 with stride 2, ``maxpool3/2 ceil`` GoogLeNet's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from archscope.core.arithmetic import Shape, Size, product
from archscope.core.pooling import pooled_shape, pooling_window
from archscope.core.records import Aux, Call, MemoryRule, Padding, Pair, Seen, Setting, Window, axes, pair, short
from archscope.ops import Op


@dataclass(frozen=True, slots=True)
class MaxPool(Op):
    """``torch.nn.MaxPool2d``. The stride left out is the kernel; ``same`` pads by half the kernel.

    AlexNet's overlapping pool, and GoogLeNet's, which needs ``ceil`` to get from 112 to 56:

    >>> MaxPool(kernel_size=3, stride=2).out_shape((1, 96, 55, 55))
    (1, 96, 27, 27)
    >>> MaxPool(kernel_size=3, stride=2, ceil_mode=True).out_shape((1, 64, 112, 112))
    (1, 64, 56, 56)
    """

    kernel_size: Pair = 2
    stride: Pair | None = None
    padding: Padding | None = 0
    ceil_mode: bool = False

    notation: ClassVar[str | None] = "maxpool[{kernel_size}][/{stride}]"
    words: ClassVar[dict[str, tuple[str, Any]]] = {"ceil": ("ceil_mode", True), "same": ("padding", None)}
    rank: ClassVar[int | None] = 4
    captures: ClassVar[tuple[str, ...]] = ("max_pool2d",)

    @property
    def window(self) -> Window:
        return pooling_window(self.kernel_size, self.stride, self.padding)

    def out_shape(self, *inputs: Shape) -> Shape:
        return pooled_shape(inputs[0], self.window, self.ceil_mode)

    def macs(self, *inputs: Shape) -> Size | None:
        return 0

    def elementwise(self, *inputs: Shape) -> Size | None:
        return product(self.out_shape(*inputs)) * (product(self.window.kernel_size) - 1)

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        indices = Aux("indices", product(self.out_shape(*inputs)), 8)
        return MemoryRule(aux=(indices,), saved=("input0", "indices"))

    def torch(self, *inputs: Shape) -> Call:
        window = self.window
        options: dict[str, Any] = {"stride": short(window.stride)}
        if window.padding != (0, 0):
            options["padding"] = short(window.padding)
        if self.ceil_mode:
            options["ceil_mode"] = True
        return Call("nn.MaxPool2d", (short(pair(self.kernel_size)),), options)

    @classmethod
    def captured(cls, seen: Seen) -> Op | None:
        if len(seen.shape("self")) != 4 or axes(seen["dilation"]) != 1:
            return None
        kernel, stride, padding = axes(seen["kernel_size"]), seen["stride"], axes(seen["padding"])
        half = tuple(each // 2 for each in pair(kernel))
        same = None if pair(padding) == half != (0, 0) else padding
        own_stride = None if not stride or axes(stride) == kernel else axes(stride)
        return cls(kernel, own_stride, same, seen["ceil_mode"])

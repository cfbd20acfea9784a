"""Average pooling: ``avgpool7/1`` is GoogLeNet's last, ``avgpool5/3`` its auxiliary heads'."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from archscope.core.arithmetic import Shape, Size, choose, product
from archscope.core.pooling import pooled_shape, pooling_window
from archscope.core.records import Call, MemoryRule, Padding, Pair, Seen, Setting, Window, axes, pair, short
from archscope.ops import Op


@dataclass(frozen=True, slots=True)
class AvgPool(Op):
    """``torch.nn.AvgPool2d``. The stride left out is the kernel; ``same`` pads by half the kernel.

    The auxiliary head at GoogLeNet's inception (4a), 14×14 to 4×4 (arXiv:1409.4842, section 5):

    >>> AvgPool(kernel_size=5, stride=3).out_shape((1, 512, 14, 14))
    (1, 512, 4, 4)
    """

    kernel_size: Pair = 2
    stride: Pair | None = None
    padding: Padding | None = 0
    ceil_mode: bool = False
    count_include_pad: bool = True

    notation: ClassVar[str | None] = "avgpool[{kernel_size}][/{stride}]"
    words: ClassVar[dict[str, tuple[str, Any]]] = {
        "ceil": ("ceil_mode", True),
        "same": ("padding", None),
        "exclude-pad": ("count_include_pad", False),
    }
    rank: ClassVar[int | None] = 4
    captures: ClassVar[tuple[str, ...]] = ("avg_pool2d",)

    @property
    def window(self) -> Window:
        return pooling_window(self.kernel_size, self.stride, self.padding)

    def out_shape(self, *inputs: Shape) -> Shape:
        return pooled_shape(inputs[0], self.window, self.ceil_mode)

    def macs(self, *inputs: Shape) -> Size | None:
        return 0

    def elementwise(self, *inputs: Shape) -> Size | None:
        return product(self.out_shape(*inputs)) * product(self.window.kernel_size)

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        return MemoryRule(saved=("input0",))

    def sees(self, *inputs: Shape) -> Window | None:
        """Its window; over a whole map, unpadded, it is global average pooling, and stays where it is."""
        window, (height, width) = self.window, inputs[0][2:]
        if window.padding != (0, 0):
            return window
        down, across = window.stride
        strides = (choose(window.kernel_size[0] >= height, 0, down), choose(window.kernel_size[1] >= width, 0, across))
        return window._replace(stride=strides)

    def torch(self, *inputs: Shape) -> Call:
        window = self.window
        options: dict[str, Any] = {"stride": short(window.stride)}
        if window.padding != (0, 0):
            options["padding"] = short(window.padding)
        if self.ceil_mode:
            options["ceil_mode"] = True
        if not self.count_include_pad:
            options["count_include_pad"] = False
        return Call("nn.AvgPool2d", (short(pair(self.kernel_size)),), options)

    @classmethod
    def captured(cls, seen: Seen) -> Op | None:
        if len(seen.shape("self")) != 4 or seen["divisor_override"] is not None:
            return None
        kernel, stride, padding = axes(seen["kernel_size"]), seen["stride"], axes(seen["padding"])
        half = tuple(each // 2 for each in pair(kernel))
        same = None if pair(padding) == half != (0, 0) else padding
        own_stride = None if not stride or axes(stride) == kernel else axes(stride)
        return cls(kernel, own_stride, same, seen["ceil_mode"], seen["count_include_pad"])

"""What max and average pooling have in common: their windows and the two ways of rounding."""

from __future__ import annotations

from archscope.core.arithmetic import Shape, Size, ceil_div, choose, require
from archscope.core.records import Pair, Window, pair


def pooling_window(kernel_size: Pair, stride: Pair | None, padding: Pair | None) -> Window:
    """The window of a pool: the stride defaults to the kernel, padding None is half the kernel."""
    kernel = pair(kernel_size)
    half = (kernel[0] // 2, kernel[1] // 2)
    return Window(kernel, kernel if stride is None else pair(stride), half if padding is None else pair(padding))


def pooled_shape(shape: Shape, window: Window, ceil_mode: bool) -> Shape:
    """Shape after pooling. In ceil mode a window may reach over the edge, but none may start beyond it.

    >>> pooled_shape((1, 480, 28, 28), Window((3, 3), (2, 2)), True)
    (1, 480, 14, 14)
    """
    batch, channels, *axes = shape
    per_axis = zip(axes, window.kernel_size, window.stride, window.padding, strict=True)
    return (batch, channels, *(_size_after(*numbers, ceil_mode=ceil_mode) for numbers in per_axis))


def _size_after(n: Size, kernel: Size, stride: Size, padding: Size, *, ceil_mode: bool) -> Size:
    padded = n + 2 * padding
    require(padding <= kernel // 2, lambda: f"a padding of {padding} is more than half of the pool's kernel {kernel}")
    reach = padded + stride - 1 if ceil_mode else padded
    require(kernel <= reach, lambda: f"a pool of {kernel} is larger than its padded input {padded}")
    if not ceil_mode:
        return (padded - kernel) // stride + 1
    size = ceil_div(padded - kernel, stride) + 1
    return choose((size - 1) * stride >= n + padding, size - 1, size)

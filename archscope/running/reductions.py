"""An image made smaller as a network's pools do it, or otherwise, and how much of its edges is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from archscope.core.errors import Problem, UsageError
from archscope.core.records import Window
from archscope.graph.graph import Graph

if TYPE_CHECKING:
    import torch


class Step(NamedTuple):
    """A pool: its name, its window, whether it rounds up, and whether it takes the largest or the mean."""

    name: str
    window: Window
    ceil_mode: bool
    kind: str


class Reduced(NamedTuple):
    """An image after a step: (channels, height, width), and the share of the input's edge energy that it keeps."""

    name: str
    image: torch.Tensor
    edges: float


def steps(graph: Graph, names: Sequence[str]) -> list[Step]:
    """The pools with these names, in running order."""
    found = []
    for node in graph.nodes:
        window = node.op.window
        if node.name in names and window is not None:
            kind = "max" if "Max" in node.op.torch(*graph.shapes_in(node)).name else "avg"
            found.append(Step(node.name, window, bool(getattr(node.op, "ceil_mode", False)), kind))
    return found


def reduced(image: torch.Tensor, path: Sequence[Step], method: str = "") -> list[Reduced]:
    """An image (channels, height, width) after each step, by one of :data:`METHODS`; as the pools do it for none."""
    found = [Reduced("input", image, 1.0)]
    now = image[None]
    for step in path:
        size = _pooled(now, step, "max").shape[2:]
        if size[0] * size[1] == 0:
            break
        now = METHODS[method or step.kind](now, step, (size[0], size[1]))
        found.append(Reduced(step.name, now[0], edge_energy(now[0], image)))
    return found


def edge_energy(small: torch.Tensor, image: torch.Tensor) -> float:
    """The squared differences of neighbouring pixels, summed, of a reduced image over those of the image itself.

    The reduced one is looked at as large as the image, each of its pixels repeated. 0 for an image without edges.
    """
    from torch.nn.functional import interpolate

    whole = interpolate(small[None], image.shape[1:], mode="nearest-exact")[0]
    own = _energy(image)
    return _energy(whole) / own if own else 0.0


def checked_methods(text: str) -> list[str]:
    """The methods that a text lists. Raises UsageError for one that there is not."""
    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in names:
        if name not in METHODS:
            raise UsageError(Problem("bad-value", f"--downsample is {name!r}", expected=", ".join(METHODS)))
    if not names:
        raise UsageError(Problem("bad-value", "--downsample names none", expected=", ".join(METHODS)))
    return names


def _energy(image: torch.Tensor) -> float:
    down, across = image.diff(dim=1), image.diff(dim=2)
    return float(down.pow(2).sum() + across.pow(2).sum())


def _pooled(image: torch.Tensor, step: Step, kind: str) -> torch.Tensor:
    from torch.nn.functional import avg_pool2d, max_pool2d

    given: dict[str, Any] = {"stride": step.window.stride, "padding": step.window.padding, "ceil_mode": step.ceil_mode}
    size: Any = step.window.kernel_size
    return (
        max_pool2d(image, size, **given) if kind == "max" else avg_pool2d(image, size, count_include_pad=False, **given)
    )


def _gaussian(image: torch.Tensor, _: Step, size: tuple[int, int]) -> torch.Tensor:
    """Blurred as far as two samples lie apart, half of that being the deviation; then every so many pixels."""
    import torch
    from torch.nn.functional import conv2d, interpolate, pad

    deviation = image.shape[2] / size[0] / 2
    reach = max(1, round(3 * deviation))
    places = torch.arange(-reach, reach + 1, dtype=image.dtype)
    weights = torch.exp(-(places**2) / (2 * deviation**2))
    weights = weights / weights.sum()
    channels = image.shape[1]
    wide = pad(image, (reach, reach, reach, reach), mode="replicate")
    across = conv2d(wide, weights.view(1, 1, 1, -1).repeat(channels, 1, 1, 1), groups=channels)
    down = conv2d(across, weights.view(1, 1, -1, 1).repeat(channels, 1, 1, 1), groups=channels)
    return interpolate(down, size, mode="nearest-exact")


def _lanczos(image: torch.Tensor, _: Step, size: tuple[int, int]) -> torch.Tensor:
    import torch
    from PIL import Image

    channels = []
    for channel in image[0]:
        whole = Image.frombytes("F", (channel.shape[1], channel.shape[0]), channel.contiguous().numpy().tobytes())
        small = whole.resize((size[1], size[0]), Image.Resampling.LANCZOS)
        channels.append(torch.frombuffer(bytearray(small.tobytes()), dtype=torch.float32).view(*size))
    return torch.stack(channels)[None]


def _interpolated(mode: str) -> Callable[[torch.Tensor, Step, tuple[int, int]], torch.Tensor]:
    def run(image: torch.Tensor, _: Step, size: tuple[int, int]) -> torch.Tensor:
        from torch.nn.functional import interpolate

        return interpolate(image, size, mode=mode)

    return run


METHODS: dict[str, Callable[[Any, Step, tuple[int, int]], Any]] = {
    "max": lambda image, step, _: _pooled(image, step, "max"),
    "avg": lambda image, step, _: _pooled(image, step, "avg"),
    "gaussian": _gaussian,
    "nearest": _interpolated("nearest-exact"),
    "linear": _interpolated("bilinear"),
    "area": _interpolated("area"),
    "cubic": _interpolated("bicubic"),
    "lanczos": _lanczos,
}
"""How an image may be made smaller: with the pool's own windows (max, avg), or to the size that the pool gives."""

"""From a stored picture to what a network takes: a record of plain values, so that a run can repeat it exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from archscope.core.errors import Problem, UsageError

if TYPE_CHECKING:
    import torch

RESIZES = ("squash", "short")
NORMALIZATIONS: Mapping[str, tuple[tuple[float, ...], tuple[float, ...]] | None] = {
    "data": None,
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "half": ((0.5,), (0.5,)),
    "none": ((0.0,), (1.0,)),
}
"""Mean and deviation per channel of values from 0 to 1; None where they are those of the training images."""


@dataclass(frozen=True)
class Preprocessing:
    """What is done to every picture.

    channels: 1 or 3; grey is repeated, colours are weighed. size: height and width that come out. resize: ``squash``
    to it, or the ``short`` side to ``short_side`` and cut out the centre. mean, std: per channel, of values up to 1.
    """

    channels: int
    size: tuple[int, int]
    resize: str = "squash"
    short_side: int = 0
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)

    def plain(self) -> dict[str, Any]:
        """The same as plain values, for JSON."""
        return asdict(self)

    def at_short_side(self, side: int) -> Preprocessing:
        """The same at another scale."""
        return replace(self, resize="short", short_side=side)


def resized(pictures: torch.Tensor, how: Preprocessing) -> torch.Tensor:
    """Pictures of one size, uint8 [..., c, h, w], in the channels and the size that come out: uint8 [..., C, H, W]."""
    from torchvision.transforms.v2 import functional

    colours = with_channels(pictures, how.channels)
    if how.resize == "squash":
        return _scaled(colours, how.size)
    cut: torch.Tensor = functional.center_crop(covering(colours, how), list(how.size))
    return cut


def covering(pictures: torch.Tensor, how: Preprocessing) -> torch.Tensor:
    """Pictures with their shorter side at ``short_side``, or larger where they would not cover ``size``.

    The longer side is cut to a whole number, as torchvision's ``Resize`` does.
    """
    height, width = pictures.shape[-2:]
    short = min(height, width)
    least = max(-(-size * short // side) for size, side in zip(how.size, (height, width), strict=True))
    side = max(how.short_side, least)
    return _scaled(pictures, (max(how.size[0], height * side // short), max(how.size[1], width * side // short)))


def normalised(pictures: torch.Tensor, how: Preprocessing) -> torch.Tensor:
    """uint8 [..., C, H, W] as float32: (x/255 - mean)/std."""
    import torch
    from torchvision.transforms.v2 import functional

    values = functional.to_dtype(pictures, torch.float32, scale=True)
    mean, std = (_per_channel(each, how.channels) for each in (how.mean, how.std))
    ready: torch.Tensor = functional.normalize(values, mean, std, inplace=True)
    return ready


def with_channels(pictures: torch.Tensor, channels: int) -> torch.Tensor:
    """Grey pictures in three equal channels, or coloured ones in one; others as they are."""
    from torchvision.transforms.v2 import functional

    own = pictures.shape[-3]
    if own == channels:
        return pictures
    change = functional.rgb_to_grayscale if channels == 1 else functional.grayscale_to_rgb
    changed: torch.Tensor = change(pictures)
    return changed


def statistics(pictures: torch.Tensor) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and deviation per channel of uint8 [N, C, H, W], of values from 0 to 1. A deviation of 0 counts as 1."""
    import torch

    values = pictures.transpose(0, 1).flatten(1).to(torch.float64).div_(255)
    mean, std = values.mean(1).tolist(), values.std(1, correction=0).tolist()
    return tuple(round(each, 6) for each in mean), tuple(round(each, 6) or 1.0 for each in std)


def checked_choices(normalize: str, resize: str, shape: Sequence[int]) -> None:
    """Raises UsageError for a way to normalise or to resize that there is not, and for a shape of no picture."""
    if normalize not in NORMALIZATIONS:
        raise UsageError(
            Problem("bad-value", f"normalize is {normalize!r}", expected=", ".join(sorted(NORMALIZATIONS)))
        )
    if resize not in RESIZES:
        raise UsageError(Problem("bad-value", f"resize is {resize!r}", expected=", ".join(RESIZES)))
    if len(shape) != 3 or shape[0] not in {1, 3}:
        sizes = "×".join(map(str, shape))
        message = f"the network takes {sizes}, and pictures have 1 or 3 channels, a height and a width"
        raise UsageError(Problem("wrong-channels", message, help="--in-channels 3 or --in-channels 1"))


def _scaled(pictures: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    from torchvision.transforms.v2 import functional

    if tuple(pictures.shape[-2:]) == tuple(size):
        return pictures
    scaled: torch.Tensor = functional.resize(pictures, list(size), antialias=True)
    return scaled


def _per_channel(values: Sequence[float], channels: int) -> list[float]:
    return list(values) if len(values) == channels else [sum(values) / len(values)] * channels

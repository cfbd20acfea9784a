"""What is done at random to training pictures, by torchvision's transforms (v2), from numbers that each example draws.

``flip``: left to right, every other. ``crop:4``: 4 black pixels around it, then cut out anew. ``resized-crop:0.08``: a
part of 8 % of its area or more, at most 4:3 out of proportion, in place of a resize. ``rotate:15``: up to 15 degrees
either way. ``colour:0.4``: brightness, contrast and saturation by up to 40 %. Each changes the last one's result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from archscope.core.errors import Problem, UsageError, nearest

if TYPE_CHECKING:
    import torch

    from archscope.training.preprocessing import Preprocessing


class _Kind(NamedTuple):
    """A kind of augmentation: numbers it draws per example; its amount unless given, and between what that lies."""

    draws: int
    usual: float
    least: float
    most: float


KINDS = {
    "flip": _Kind(1, 0.5, 0.0, 1.0),
    "crop": _Kind(2, 4, 1, 64),
    "resized-crop": _Kind(4, 0.08, 0.01, 1.0),
    "rotate": _Kind(1, 15, 0, 180),
    "colour": _Kind(3, 0.4, 0.0, 1.0),
}
_SCALE_DRAWS = 3


@dataclass(frozen=True)
class Augmentation:
    """What is done at random, in this order. steps: a kind and its amount. scales: of a shorter side that varies."""

    steps: tuple[tuple[str, float], ...] = ()
    scales: tuple[int, int] | None = None

    def __bool__(self) -> bool:
        return bool(self.steps) or self.scales is not None

    @property
    def draws(self) -> int:
        """How many numbers an example draws."""
        return sum(KINDS[kind].draws for kind, _ in self.steps) + (_SCALE_DRAWS if self.scales else 0)

    @property
    def frames_at_random(self) -> bool:
        """Whether what is cut out of a picture is drawn, so that a picture cannot be resized once for all."""
        return self.scales is not None or any(kind == "resized-crop" for kind, _ in self.steps)

    def evaluation_side(self, shape: tuple[int, int, int]) -> int:
        """The shorter side without augmentation: the middle of the scales (VGG, section 3.2), else of the input."""
        return sum(self.scales) // 2 if self.scales is not None else min(shape[1:])


def augmentation_of(words: Sequence[str], scale_jitter: str | None, shape: tuple[int, int, int]) -> Augmentation:
    """The augmentation that words say, for an input of (C, H, W). Raises UsageError for words that say none.

    >>> augmentation_of(["flip", "crop:2"], None, (3, 32, 32))
    Augmentation(steps=(('flip', 0.5), ('crop', 2.0)), scales=None)
    """
    steps = tuple(_step(word) for word in words)
    kinds = [kind for kind, _ in steps]
    for kind in kinds:
        if kinds.count(kind) > 1:
            raise UsageError(Problem("bad-value", f"--augment gives {kind!r} twice"))
    scales = None if scale_jitter is None else _scales(scale_jitter, shape)
    if scales is not None and "resized-crop" in kinds:
        raise UsageError(Problem("bad-value", "--scale-jitter and --augment resized-crop both say what is cut out"))
    return Augmentation(steps, scales)


def framed(pictures: torch.Tensor, how: Preprocessing, chosen: Augmentation, numbers: torch.Tensor) -> torch.Tensor:
    """What is cut out of pictures at random, uint8 [n, c, h, w] -> [n, C, H, W]; numbers: [n, draws] of each."""
    import torch
    from torchvision.transforms.v2 import functional

    from archscope.training.preprocessing import covering, with_channels

    coloured = with_channels(pictures, how.channels)
    height, width = how.size
    frames = []
    for picture, own in zip(coloured, _of_frames(chosen, numbers).tolist(), strict=True):
        if chosen.scales is not None:
            low, high = chosen.scales
            large = covering(picture, how.at_short_side(low + int(own[0] * (high - low + 1))))
            top, left = (int(at * (have - want + 1)) for at, have, want in
                         zip(own[1:], large.shape[-2:], how.size, strict=True))  # fmt: skip
            frames.append(functional.crop(large, top, left, height, width))
        else:
            top, left, part_height, part_width = _part(picture.shape[-2:], dict(chosen.steps)["resized-crop"], own)
            sides = (top, left, part_height, part_width, [height, width])
            frames.append(functional.resized_crop(picture, *sides, antialias=True))
    return torch.stack(frames)


def augmented(pictures: torch.Tensor, chosen: Augmentation, numbers: torch.Tensor) -> torch.Tensor:
    """Pictures of the size that goes in, changed at random: uint8 [n, C, H, W]; numbers: [n, draws] of each."""
    at = 0
    for kind, amount in chosen.steps:
        own = numbers[:, at : at + KINDS[kind].draws]
        at += KINDS[kind].draws
        if kind in _CHANGES:
            pictures = _CHANGES[kind](pictures, amount, own)
    return pictures


def _step(word: str) -> tuple[str, float]:
    kind, colon, amount = word.partition(":")
    if kind not in KINDS:
        problem = Problem("bad-value", f"--augment is {word!r}", None, ", ".join(sorted(KINDS)), nearest(kind, KINDS))
        raise UsageError(problem)
    known = KINDS[kind]
    try:
        value = float(amount) if colon else known.usual
    except ValueError:
        value = float("nan")
    if not known.least <= value <= known.most:
        expected = f"{kind}:X, X from {known.least:g} to {known.most:g}"
        raise UsageError(Problem("bad-value", f"--augment is {word!r}", expected=expected))
    return kind, value


def _scales(text: str, shape: tuple[int, int, int]) -> tuple[int, int]:
    """The least and the greatest shorter side, of ``256:512``. Raises UsageError where the input is larger."""
    low, _, high = text.partition(":")
    if not (low.isdecimal() and high.isdecimal() and len(text) < 16 and 0 < int(low) <= int(high)):
        raise UsageError(Problem("bad-value", f"--scale-jitter is {text!r}", expected="pixels, such as 256:512"))
    if int(low) < max(shape[1:]):
        message = f"--scale-jitter is {text!r}, and the network takes {shape[1]}×{shape[2]}"
        raise UsageError(Problem("bad-value", message, expected=f"{max(shape[1:])} pixels or more"))
    return int(low), int(high)


def _of_frames(chosen: Augmentation, numbers: torch.Tensor) -> torch.Tensor:
    """The numbers that say what is cut out."""
    if chosen.scales is not None:
        return numbers[:, -_SCALE_DRAWS:]
    at = 0
    for kind, _ in chosen.steps:
        if kind == "resized-crop":
            break
        at += KINDS[kind].draws
    return numbers[:, at : at + KINDS["resized-crop"].draws]


def _part(sides: Sequence[int], least: float, own: Sequence[float]) -> tuple[int, int, int, int]:
    """Top, left, height and width of a part of a picture: its area from ``least`` to all, from 3:4 to 4:3."""
    height, width = sides
    area = (least + own[0] * (1 - least)) * height * width
    proportion = (3 / 4) ** (1 - 2 * own[1])
    part_height = min(height, max(1, round((area / proportion) ** 0.5)))
    part_width = min(width, max(1, round((area * proportion) ** 0.5)))
    return int(own[2] * (height - part_height + 1)), int(own[3] * (width - part_width + 1)), part_height, part_width


def _flip(pictures: torch.Tensor, share: float, own: torch.Tensor) -> torch.Tensor:
    import torch
    from torchvision.transforms.v2 import functional

    return torch.where(own.view(-1, 1, 1, 1) < share, functional.horizontal_flip(pictures), pictures)


def _crop(pictures: torch.Tensor, border: float, own: torch.Tensor) -> torch.Tensor:
    import torch
    from torchvision.transforms.v2 import functional

    around = functional.pad(pictures, [int(border)])
    starts = (own * (2 * int(border) + 1)).long()
    rows = starts[:, 0, None] + torch.arange(pictures.shape[2])
    columns = starts[:, 1, None] + torch.arange(pictures.shape[3])
    image, channel = torch.arange(len(pictures)), torch.arange(pictures.shape[1])
    where = (image[:, None, None, None], channel[:, None, None], rows[:, None, :, None], columns[:, None, None, :])
    cut: torch.Tensor = around[where]
    return cut


def _rotate(pictures: torch.Tensor, degrees: float, own: torch.Tensor) -> torch.Tensor:
    """Each about its centre, as v2's ``rotate`` does one with bilinear interpolation; black comes in."""
    import torch
    from torch.nn.functional import grid_sample

    height, width = pictures.shape[-2:]
    angles = (2 * own[:, 0] - 1) * degrees * torch.pi / 180
    cosine, sine = angles.cos().view(-1, 1, 1), angles.sin().view(-1, 1, 1)
    down = torch.arange(height).sub((height - 1) / 2).view(-1, 1)
    right = torch.arange(width).sub((width - 1) / 2)
    across = (cosine * right - sine * down) * 2 / width
    along = (sine * right + cosine * down) * 2 / height
    grid = torch.stack([across, along], dim=-1)
    turned: torch.Tensor = grid_sample(pictures.float(), grid, align_corners=False)
    return turned.round_().to(torch.uint8)


def _colour(pictures: torch.Tensor, amount: float, own: torch.Tensor) -> torch.Tensor:
    """Brightness, contrast and saturation, as v2's functions of these names change one picture."""
    import torch
    from torchvision.transforms.v2 import functional

    brightness, contrast, saturation = (1 + (2 * own - 1) * amount).T[:, :, None, None, None]
    values = _cut(pictures * brightness)
    coloured = pictures.shape[1] == 3
    grey = functional.rgb_to_grayscale(values).floor() if coloured else values
    values = _cut(torch.lerp(grey.mean((1, 2, 3), keepdim=True), values, contrast))
    if coloured:
        values = _cut(torch.lerp(functional.rgb_to_grayscale(values).floor(), values, saturation))
    return values.to(torch.uint8)


def _cut(values: torch.Tensor) -> torch.Tensor:
    """Values as 8 bits hold them."""
    return values.clamp_(0, 255).floor_()


_CHANGES: dict[str, Callable[[torch.Tensor, float, torch.Tensor], torch.Tensor]] = {
    "flip": _flip,
    "crop": _crop,
    "rotate": _rotate,
    "colour": _colour,
}
"""What changes pictures of the size that goes in. A ``resized-crop`` has happened before."""

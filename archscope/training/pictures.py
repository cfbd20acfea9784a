"""Pictures in files: one that cannot be read is an error that names it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from archscope.core.errors import ArchscopeError, Problem

if TYPE_CHECKING:
    import torch
    from PIL import Image

ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
"""What files of pictures end in; others in a class's folder are passed over."""

MOST_PIXELS = 2**27
"""A picture of more pixels than this is taken for a bomb."""


class UnreadablePicture(ArchscopeError):
    """A file that is no picture, is cut off, or is too large."""


def read_picture(path: Path) -> torch.Tensor:
    """A picture, turned as its camera says: uint8 [c, h, w], c being 1 or 3. Raises UnreadablePicture, naming it."""
    import numpy as np
    import torch
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as file:
            size = file.size
            upright = ImageOps.exif_transpose(file) if size[0] * size[1] <= MOST_PIXELS else None
            values = None if upright is None else np.array(_plain(upright), dtype=np.uint8)
    except Exception as error:
        raise _unreadable(path, f"{type(error).__name__}: {error}".replace(repr(str(path)), "it")) from error
    if values is None:
        raise _unreadable(path, f"it has {size[0]}×{size[1]} pixels")
    return torch.from_numpy(values if values.ndim == 3 else values[:, :, None]).permute(2, 0, 1).contiguous()


def _plain(picture: Image.Image) -> Image.Image:
    """A picture of 8-bit greys or of 8-bit colours; what is transparent keeps its colour."""
    if picture.mode in {"L", "RGB"}:
        return picture
    return picture.convert("L" if picture.mode in {"1", "LA", "F"} or picture.mode.startswith("I") else "RGB")


def _unreadable(path: Path, why: str) -> UnreadablePicture:
    return UnreadablePicture(Problem("unreadable-image", f"{str(path)!r} cannot be read as a picture: {why}"))

"""Pictures in files: one that cannot be read is an error that names it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archscope.core.errors import ArchscopeError, Problem
from archscope.running.images import FORMATS

if TYPE_CHECKING:
    import numpy as np
    import torch
    from PIL import Image

ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
"""What files of pictures end in; others in a class's folder are passed over."""

MOST_PIXELS = 2**25
"""A picture of more pixels than this is taken for a bomb: a quarter of a megabyte can unpack to a gigabyte."""


LARGE = 2**24
"""Pixels from which on a picture is decoded with no other large one beside it, so that their memory does not add up."""

_THREADS = 4
_SHOWN = 5
"""Files that one error names."""

_alone = threading.Lock()

SKIP = "--skip-corrupt leaves such files out and counts them"

Change = Callable[["torch.Tensor"], "torch.Tensor"]


class UnreadablePicture(ArchscopeError):
    """A file that is no picture, is cut off, or is too large."""


def read_pictures(paths: Sequence[Path], change: Change, help_line: str = "") -> list[torch.Tensor]:
    """Pictures, each changed as it is read, several at once. Raises UnreadablePicture, naming those that cannot be."""
    found = _attempts(paths, change)
    problems = [problem for each in found if isinstance(each, UnreadablePicture) for problem in each.problems]
    if problems:
        shown = problems[:_SHOWN]
        rest = Problem("unreadable-image", f"and {len(problems) - len(shown):,} more")
        last = (shown[-1] if len(problems) <= _SHOWN else rest)._replace(help=help_line)
        raise UnreadablePicture(*(shown[:-1] if len(problems) <= _SHOWN else shown), last)
    return [each for each in found if not isinstance(each, UnreadablePicture)]


def unreadable(paths: Sequence[Path]) -> list[Path]:
    """Those of the files that cannot be read as pictures; each is decoded to its end."""
    found = _attempts(paths, lambda picture: picture.new_empty(0))
    return [path for path, each in zip(paths, found, strict=True) if isinstance(each, UnreadablePicture)]


def _attempts(paths: Sequence[Path], change: Change) -> list[torch.Tensor | UnreadablePicture]:
    """Of each file the changed picture, or why it cannot be read; decoders run side by side."""
    from concurrent.futures import ThreadPoolExecutor

    def attempt(path: Path) -> torch.Tensor | UnreadablePicture:
        try:
            return change(read_picture(path))
        except UnreadablePicture as error:
            return error

    with ThreadPoolExecutor(max_workers=_THREADS) as pool:
        return list(pool.map(attempt, paths))


def read_picture(path: Path) -> torch.Tensor:
    """A picture, turned as its camera says: uint8 [c, h, w], c being 1 or 3. Raises UnreadablePicture, naming it."""
    import torch
    from PIL import Image, ImageOps

    try:
        with Image.open(path, formats=FORMATS) as file:
            size = file.size
            pixels = size[0] * size[1]
            with _alone if pixels > LARGE else contextlib.nullcontext():
                values = None if pixels > MOST_PIXELS else _values(ImageOps.exif_transpose(file))
    except Exception as error:
        raise _unreadable(path, _reason(path, error)) from error
    if values is None:
        raise _unreadable(path, f"it has {size[0]}×{size[1]} pixels")
    return torch.from_numpy(values if values.ndim == 3 else values[:, :, None]).permute(2, 0, 1).contiguous()


def _values(picture: Image.Image) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """8-bit greys [h, w] or colours [h, w, 3]; what is transparent keeps its colour, of 16 bits the upper 8 count."""
    import numpy as np

    if picture.mode.startswith("I"):
        return (np.array(picture).clip(0, 2**16 - 1) >> 8).astype(np.uint8)
    if picture.mode == "F":
        raise ValueError("its values are fractions, and nothing says between what they lie")
    coloured = picture.convert("RGBA") if picture.mode == "P" else picture  # a palette may hold transparency
    mode = "L" if coloured.mode in {"1", "L", "LA"} else "RGB"
    plain = coloured if coloured.mode == mode else coloured.convert(mode)
    return np.array(plain, dtype=np.uint8)


def _reason(path: Path, error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"{type(error).__name__}: {error}".replace(repr(str(path)), "it")


def _unreadable(path: Path, why: str) -> UnreadablePicture:
    return UnreadablePicture(Problem("unreadable-image", f"{str(path)!r} cannot be read as a picture: {why}"))

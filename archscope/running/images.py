"""An image file as what a network takes: read, turned upright, resized and cropped, and said so."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from archscope.core.errors import ArchscopeError, Problem, Unsupported

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

MOST_PIXELS = 64_000_000
"""Of an image that is read; a file of a kilobyte may unpack to gigabytes."""

FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
"""What Pillow may take a file for, whatever its name: for PostScript it starts Ghostscript, which runs programs."""

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's channels: what torchvision's weights were trained with."""


class Shown(NamedTuple):
    """An image as a network is shown it: (channels, height, width) from 0 to 1, and what was done to it."""

    pixels: torch.Tensor
    note: str


def shown(path: Path, shape: tuple[int, ...]) -> Shown:
    """The image in a file, brought to (channels, height, width): one channel of it is its grey.

    It keeps its aspect: its shorter side is resized, and the middle is cut out. Raises ArchscopeError for a file that
    is no image, is damaged, or cannot be read, Unsupported for too many pixels, or for a network that takes neither
    one channel nor three.
    """
    import torch

    if len(shape) != 3 or shape[0] not in {1, 3}:
        message = f"the network takes {'×'.join(map(str, shape))}, and an image has one channel or three"
        raise Unsupported(Problem("no-image", message))
    channels, height, width = shape
    image = _upright(path)
    before = f"{image.width}×{image.height}"
    factor = max(width / image.width, height / image.height)
    size = (max(width, round(image.width * factor)), max(height, round(image.height * factor)))
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    from PIL.Image import Resampling

    image = image.resize(size, Resampling.BILINEAR).crop((left, top, left + width, top + height))
    image = _on_white(image).convert("L" if channels == 1 else "RGB")
    raw = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8)
    pixels = raw.view(height, width, channels).permute(2, 0, 1).float() / 255
    cropped = "" if size == (width, height) else f", of which the middle {width}×{height} was cut out"
    resized = f" was resized to {size[0]}×{size[1]}{cropped}" if f"{size[0]}×{size[1]}" != before or cropped else ""
    return Shown(pixels, f"{path.name} ({before}){resized or ' is shown as it is'}")


def normalised(image: torch.Tensor) -> torch.Tensor:
    """A batch of one image with ImageNet's mean and deviation; a grey one as it is."""
    import torch

    if image.shape[0] != 3:
        return image[None]
    mean, deviation = (torch.tensor(each).view(3, 1, 1) for each in (MEAN, DEVIATION))
    return ((image - mean) / deviation)[None]


def _upright(path: Path) -> Image:
    """The image as it is meant to be seen, turned as its camera says: in colours, and transparency where it has any."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Pillow's own limit, which is higher than ours
            with Image.open(path, formats=FORMATS) as opened:
                if opened.width * opened.height > MOST_PIXELS:
                    raise _too_large(path, f"{opened.width}×{opened.height} pixels")
                image = ImageOps.exif_transpose(opened)
                image.load()
    except Image.DecompressionBombError as error:
        raise _too_large(path, "more pixels than Pillow unpacks") from error
    except UnidentifiedImageError as error:
        raise ArchscopeError(Problem("no-image", f"{str(path)!r} is no image that Pillow reads")) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise ArchscopeError(Problem("unreadable-image", f"{str(path)!r}: {reason}")) from error
    except (SyntaxError, ValueError) as error:  # what Pillow raises for files that are damaged within
        raise ArchscopeError(Problem("unreadable-image", f"{str(path)!r} is damaged: {error}")) from error
    if image.mode.startswith("I;16"):
        image = image.point(lambda value: value / 256).convert("L")
    transparent = image.mode in {"LA", "PA"} or "transparency" in image.info
    return image if image.mode in {"RGB", "RGBA"} else image.convert("RGBA" if transparent else "RGB")


def _on_white(image: Image) -> Image:
    """Transparency on white, once the image is small: four copies of a large one would take a gigabyte."""
    from PIL import Image

    if image.mode != "RGBA":
        return image
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)


def _too_large(path: Path, what: str) -> Unsupported:
    return Unsupported(Problem("too-large", f"{str(path)!r} has {what}", expected=f"at most {MOST_PIXELS:,}"))

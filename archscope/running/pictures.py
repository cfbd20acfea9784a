"""Maps, reduced images and fields as pictures, by matplotlib, which is an extra."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from archscope.core.errors import Problem, Unsupported
from archscope.running.hooked import ClassMap, Maps
from archscope.running.reductions import Reduced
from archscope.running.scaling import Scale, Statistics, scaled

if TYPE_CHECKING:
    import torch

ENDINGS = {".png": "png", ".pdf": "pdf", ".svg": "svg"}
"""The formats of pictures, by how a file's name ends."""

MOST_CHANNELS = 64
"""Channels of a layer that are drawn."""

WIDTH = 11.0
"""Inches of a picture."""

Box = tuple[float, float, float, float]
"""Left, top, width and height, in pixels."""


def maps_picture(title: str, layers: Sequence[Maps], scale: Scale, kind: str) -> bytes:
    """Per layer a grid of its channels, with what the numbers of all its channels are."""
    mosaics = [(each, *_mosaic(each.values, scale)) for each in layers]
    heights = [WIDTH * mosaic.shape[0] / mosaic.shape[1] for _, mosaic, _ in mosaics]
    figure = _figure(title, sum(heights) + 0.55 * len(heights))
    grid = figure.add_gridspec(len(mosaics), 1, height_ratios=[height + 0.1 for height in heights])
    for row, (each, mosaic, found) in enumerate(mosaics):
        axes = figure.add_subplot(grid[row, 0])
        axes.imshow(mosaic, cmap=_colours(scale), vmin=0, vmax=1, interpolation="nearest")
        axes.set_title(caption(each, found), fontsize=9, loc="left")
        axes.axis("off")
    return _written(figure, kind)


def caption(maps: Maps, found: Statistics) -> str:
    """``pool1, 64×112×112: min 0, max 3.1, 12.0 % zeros, 0.0 % clipped``."""
    channels, height, width = maps.values.shape
    shown = f"; {MOST_CHANNELS} of {channels} channels" if channels > MOST_CHANNELS else ""
    numbers = f"min {found.least:.3g}, max {found.largest:.3g}"
    shares = f"{percent(found.zeros)} zeros, {percent(found.clipped)} clipped"
    return f"{maps.name}, {channels}×{height}×{width}: {numbers}, {shares}{shown}"


def percent(share: float) -> str:
    """A share as people read it.

    >>> percent(0.4031), percent(0)
    ('40.3 %', '0.0 %')
    """
    return f"{100 * share:.1f} %"


def reductions_picture(title: str, rows: Sequence[tuple[str, Sequence[Reduced]]], kind: str) -> bytes:
    """Images side by side as they become smaller, a row for each way, every one drawn as large as the first."""
    columns = max(len(row) for _, row in rows)
    size = WIDTH / columns
    image = rows[0][1][0].image
    height = size * image.shape[1] / image.shape[2] + 0.42
    figure = _figure(title, height * len(rows))
    grid = figure.add_gridspec(len(rows), columns)
    for number, (name, row) in enumerate(rows):
        for column, each in enumerate(row):
            axes = figure.add_subplot(grid[number, column])
            _draw(axes, each.image)
            words = f"{each.name} {each.image.shape[2]}×{each.image.shape[1]}"
            head = name if not column else ""
            axes.set_title(f"{words}\n{percent(each.edges)} of edges" if column else f"{head}\n{words}", fontsize=8)
            axes.axis("off")
    return _written(figure, kind)


def class_picture(title: str, image: torch.Tensor, found: ClassMap, kind: str) -> bytes:
    """The image, and beside it the image under the map of a class."""
    from torch.nn.functional import interpolate

    size = (image.shape[1], image.shape[2])
    heat = interpolate(found.values[None, None], size, mode="bilinear")[0, 0]
    figure = _figure(title, WIDTH / 2 * size[0] / size[1] + 0.4)
    grid = figure.add_gridspec(1, 2)
    words = f"{found.title}, {percent(found.share)}; maps of {found.layer}"
    for column, text in enumerate(("image", words)):
        axes = figure.add_subplot(grid[0, column])
        _draw(axes, image.mean(0, keepdim=True) if column else image)
        if column:
            shades = axes.imshow(heat.numpy(), cmap="viridis", vmin=0, vmax=1, alpha=0.5)
            figure.colorbar(shades, ax=axes, fraction=0.046, label="share of the largest")
        axes.set_title(text, fontsize=9, parse_math=False)  # a class may be called $x$
        axes.axis("off")
    return _written(figure, kind)


def field_picture(title: str, image: torch.Tensor, field: Box, words: str, kind: str) -> bytes:
    """The image with what one unit sees of it; what lies beyond the border is drawn too."""
    from matplotlib.patches import Rectangle

    left, top, width, height = field
    figure = _figure(title, WIDTH * 0.7)
    axes = figure.add_subplot()
    _draw(axes, image)
    for colour, size in (("white", 4.0), ("#d55e00", 2.0)):
        axes.add_patch(Rectangle((left - 0.5, top - 0.5), width, height, fill=False, edgecolor=colour, linewidth=size))
    axes.set_xlim(min(0, left) - 4, max(image.shape[2], left + width) + 4)
    axes.set_ylim(max(image.shape[1], top + height) + 4, min(0, top) - 4)
    axes.set_title(words, fontsize=9)
    axes.axis("off")
    return _written(figure, kind)


def _figure(title: str, height: float) -> Any:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise Unsupported(
            Problem("missing-extra", "pictures are drawn with matplotlib", help="pip install matplotlib")
        ) from error
    figure = Figure(figsize=(WIDTH, max(1.5, height + 0.6)), layout="constrained")
    figure.suptitle(title, fontsize=11, parse_math=False)
    return figure


def _written(figure: Any, kind: str) -> bytes:
    """The bytes of a picture: the same for the same picture, with no date in it."""
    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a glyph that a font lacks is a box in the title
        metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind, {})
        figure.savefig(out, format=kind, dpi=130, metadata=metadata, bbox_inches="tight", pad_inches=0.08)
    return out.getvalue()


def _draw(axes: Any, image: torch.Tensor) -> None:
    pixels = image.clamp(0, 1).permute(1, 2, 0).numpy()
    axes.imshow(
        pixels[..., 0] if pixels.shape[2] == 1 else pixels, cmap="gray", vmin=0, vmax=1, interpolation="nearest"
    )


def _colours(scale: Scale) -> str:
    return "RdBu_r" if scale.signed else "viridis"


def _mosaic(values: torch.Tensor, scale: Scale) -> tuple[Any, Statistics]:
    """Channels in rows with a gap between them; what is no map is transparent."""
    import torch

    shades, found = scaled(values, scale)
    shades = shades[:MOST_CHANNELS]
    channels, height, width = shades.shape
    columns = min(channels, 16) if channels > 4 else channels
    columns = max(columns, math.ceil(math.sqrt(channels))) if channels > 4 else columns
    rows = math.ceil(channels / columns)
    gap = max(1, width // 16)
    mosaic = torch.full((rows * (height + gap) - gap, columns * (width + gap) - gap), float("nan"))
    for number in range(channels):
        top, left = (number // columns) * (height + gap), (number % columns) * (width + gap)
        mosaic[top : top + height, left : left + width] = shades[number]
    return mosaic.numpy(), found

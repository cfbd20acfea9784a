"""A network as the volumes that run through it: cuboids to scale, as lectures draw VGG, above a ladder of sizes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from archscope.core.arithmetic import Shape
from archscope.core.errors import Problem, Unsupported
from archscope.drawings.figure import Figure, Numbers
from archscope.drawings.layout import CHARACTER, LINE
from archscope.drawings.svg import COLOURS, HIGHLIGHT, MARGIN, NEWLINE, STYLE, tooltip
from archscope.drawings.texts import escape, plain

SIDE = 230.0
"""Pixels of the longest side of a map."""

THICK = 900.0
"""Pixels of all channels together, the gaps not counted."""

LEAST = 2.0
"""Pixels that a cuboid is thick and high at least: what is thinner cannot be seen."""

DEEP = (0.32, -0.24)
"""How far the side that goes into the picture goes right and up, a pixel of it."""

GAP = 7.0
"""Between volumes of one size."""

EACH = 4
"""So many repeats are drawn one by one; of more there is one, with their number."""

WORDS = {
    "input": "image", "conv": "convolution", "pool": "pooling", "fc": "fully connected", "block": "block",
    "join": "join of branches",
}  # fmt: skip
"""What families are called in the legend."""


class Volume(NamedTuple):
    """The output of a layer or a block: channels, height and width. times: how often it is there."""

    label: str
    family: str
    size: tuple[int, int, int]
    times: int
    numbers: Numbers | None


class Scale(NamedTuple):
    """Pixels of one pixel of a map, and of one channel."""

    side: float
    channel: float


class Cuboid(NamedTuple):
    """A volume in the drawing: the lower left corner of its front, its width and height there, and its depth."""

    x: float
    y: float
    width: float
    height: float
    depth: float
    volume: Volume


def volumes(figure: Figure, image: Shape, title: str, notes: tuple[str, ...], highlight: str = "") -> str:
    """The drawing as SVG, with a title above it, and the ladder, the legend and conventions below.

    figure: of the whole network. image: the input without its batch. highlight: params, macs or memory,
    as the colour of the cuboids. Raises Unsupported for what is neither maps nor vectors.
    """
    found = [Volume("image", "input", _size("the input", image), 1, None), *_of(figure)]
    scale = _scale(found)
    cuboids, ladder, wide = _placed(found, scale)
    lines = max(len(texts) for _, _, texts in ladder)
    top = MARGIN + 3 * LINE - DEEP[1] * SIDE
    base = top + SIDE + LINE
    below = base + (lines + 1) * LINE
    folded = [f"of more than {EACH} repeats one is drawn"] if any(each.times > EACH for each in found) else []
    words = [f"what would be less than {LEAST:g} pixels thick or high is drawn with {LEAST:g}", *folded, *notes]
    wide = max([wide + 2 * MARGIN, *(len(each) * CHARACTER + 2 * MARGIN for each in map(plain, (title, *words)))])
    high = below + (len(words) + 5) * LINE + MARGIN
    most = max((_value(each, highlight) for each in found), default=0)
    texts = [_text(MARGIN, below + (5 + n) * LINE, each) for n, each in enumerate(words)]
    body = [_cuboid(each, top + SIDE / 2, highlight, most) for each in cuboids]
    return f"""<svg xmlns="http://www.w3.org/2000/svg" class="archscope" viewBox="0 0 {wide:g} {high:g}" \
width="{wide:g}" height="{high:g}" role="img" aria-labelledby="title">
<title id="title">{escape(title)}</title>
<style>{STYLE}</style>
<rect class="page" width="{wide:g}" height="{high:g}"/>
{_text(MARGIN, MARGIN + 10, title, head=True)}
{NEWLINE.join([*body, *_ladder(ladder, base), *_legend(found, scale, below + LINE), *texts])}
</svg>
"""


def _of(figure: Figure) -> Iterator[Volume]:
    """The volumes along the main way: of layers that make a new one, and of blocks as a whole; sections only group."""
    for part in figure.parts:
        is_block = part.kind == "block" and (part.family or part.times > 1)
        if part.kind == "block" and not is_block:
            yield from _of(part)
        elif part.numbers is not None and (is_block or part.family in WORDS):
            size = _size(part.numbers.name, part.numbers.shape)
            yield Volume(part.label, "block" if is_block else part.family, size, part.times, part.numbers)


def _size(name: str, shape: Shape) -> tuple[int, int, int]:
    """Channels, height and width; a vector is all channels."""
    if len(shape) == 1:
        return shape[0], 1, 1
    if len(shape) == 3:
        return shape[0], shape[1], shape[2]
    words = "×".join(map(str, shape))
    message = f"{name} is {words}: volumes are of maps, which have a height and a width, and of vectors"
    raise Unsupported(Problem("no-volume", message, help="--style boxes draws every network"))


def _scale(found: Sequence[Volume]) -> Scale:
    longest = max(max(each.size[1:]) for each in found)
    channels = sum(each.size[0] * min(each.times, EACH) for each in found)
    return Scale(SIDE / longest, THICK / channels)


def _placed(found: Sequence[Volume], scale: Scale) -> tuple[list[Cuboid], list[tuple[float, float, list[str]]], float]:
    """The cuboids from left to right; for each size its rung of the ladder, from where to where; and the width."""
    cuboids: list[Cuboid] = []
    ladder = []
    x = float(MARGIN)
    for (high, deep), run in groupby(found, key=lambda each: each.size[1:]):
        start, same = x, list(run)
        height, depth = max(LEAST, high * scale.side), deep * scale.side
        for volume in same:
            width = max(LEAST, volume.size[0] * scale.channel)
            for _ in range(volume.times if volume.times <= EACH else 1):
                cuboids.append(Cuboid(x, height / 2, width, height, depth, volume))
                x += width + GAP
        texts = [f"{high}×{deep}" if (high, deep) != (1, 1) else "vectors", *dict.fromkeys(map(_words, same))]
        right = x - GAP + depth * DEEP[0]
        ladder.append((start, right, texts))
        x = max(right + 2 * GAP, start + (max(map(len, texts)) + 1) * CHARACTER)
    return cuboids, ladder, x


def _words(volume: Volume) -> str:
    times = f" ×{volume.times}" if volume.times > 1 else ""
    said = str(volume.size[0]) in re.split(r"[-× ]", volume.label)
    return f"{volume.label}{times}" if said else f"{volume.label}{times}: {volume.size[0]}"


def _value(volume: Volume, highlight: str) -> int:
    value = getattr(volume.numbers, highlight) if highlight and volume.numbers is not None else 0
    return value or 0


def _cuboid(each: Cuboid, middle: float, highlight: str, most: int) -> str:
    """Front, top and right side; the front the lightest, so that it is read as turned to the light."""
    left, right, bottom, up = each.x, each.x + each.width, middle + each.y, middle + each.y - each.height
    dx, dy = each.depth * DEEP[0], each.depth * DEEP[1]
    colour, strong = COLOURS.get(each.volume.family, "#b0b0b0"), 1.0
    if highlight:
        colour, strong = HIGHLIGHT, 0.15 + 0.85 * _value(each.volume, highlight) / (most or 1)
    faces = (
        ((left, bottom), (right, bottom), (right, up), (left, up)),
        ((left, up), (right, up), (right + dx, up + dy), (left + dx, up + dy)),
        ((right, bottom), (right + dx, bottom + dy), (right + dx, up + dy), (right, up)),
    )
    shades = zip(faces, (0.45, 0.25, 0.7), strict=True)
    drawn = "".join(_face(face, colour, opacity * strong) for face, opacity in shades)
    numbers = each.volume.numbers
    tip = f"image: {'×'.join(map(str, each.volume.size))}" if numbers is None else tooltip(numbers, each.volume.times)
    return f"<g><title>{escape(tip)}</title>{drawn}</g>"


def _face(points: Sequence[tuple[float, float]], colour: str, opacity: float) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    page = f'<polygon class="page" points="{path}"/>'  # what lies behind does not shine through
    look = f'fill="{colour}" fill-opacity="{opacity:.2f}" stroke-width="0.7"'
    return f'{page}<polygon class="box" points="{path}" {look}/>'


def _ladder(ladder: Sequence[tuple[float, float, list[str]]], base: float) -> Iterator[str]:
    """A line below all volumes of one size, the size, and what makes them."""
    for start, end, texts in ladder:
        yield f'<polyline class="way" points="{start:.1f},{base - 8:.1f} {start:.1f},{base:.1f} {end:.1f},{base:.1f}"/>'
        for n, text in enumerate(texts, start=1):
            yield _text(start, base + n * LINE, text, head=n == 1)


def _legend(found: Sequence[Volume], scale: Scale, y: float) -> Iterator[str]:
    """A square for each colour, and how long a side and how thick some channels are."""
    x = float(MARGIN)
    for family in dict.fromkeys(each.family for each in found):
        colour = COLOURS.get(family, "#b0b0b0")
        yield f'<rect class="box" x="{x:g}" y="{y + 2:g}" width="11" height="11" fill="{colour}" fill-opacity="0.5"/>'
        yield _text(x + 18, y + 12, WORDS[family])
        x += 18 + (len(WORDS[family]) + 2) * CHARACTER
    x = float(MARGIN)
    for name, pixels in (("pixels of a map", scale.side), ("channels", scale.channel)):
        count = _round(80 / pixels)
        long = count * pixels
        yield f'<polyline class="way" points="{x:g},{y + 26:g} {x:g},{y + 34:g} {x + long:.1f},{y + 34:g} \
{x + long:.1f},{y + 26:g}"/>'
        yield _text(x + long + 8, y + 34, f"{count:,} {name}")
        x += long + (len(name) + 10) * CHARACTER


def _round(value: float) -> int:
    """The largest 1, 2 or 5 with zeros that is not above it, and 1 at least.

    >>> _round(87.3), _round(4.9), _round(0.2)
    (50, 2, 1)
    """
    unit = 1
    while unit * 10 <= value:
        unit *= 10
    return next((factor * unit for factor in (5, 2) if factor * unit <= value), unit)


def _text(x: float, y: float, text: str, *, head: bool = False) -> str:
    kind = ' class="head"' if head else ""
    return f'<text{kind} x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'

"""Places for the parts of a figure: rectangles, texts and lines, in pixels from the top left."""

from __future__ import annotations

from typing import NamedTuple

from archscope.drawings.figure import Figure

CHARACTER = 7.4
"""Pixels that a character is wide at most, in the monospaced font of 12 pixels that the drawing names."""

Line = tuple[tuple[float, float], ...]

LINE = 15
GAP = 14
PAD = 10


class Rectangle(NamedTuple):
    """A box or a frame with its texts, centred in a box, in the top left corner of a frame."""

    x: float
    y: float
    width: float
    height: float
    figure: Figure
    texts: tuple[str, ...]
    frame: bool = False
    dashed: bool = False


class Placed(NamedTuple):
    """All of a drawing. lines: from point to point; arrows: likewise, with a tip at the last one."""

    width: float
    height: float
    rectangles: list[Rectangle]
    lines: list[Line]
    arrows: list[Line]


def placed(figure: Figure) -> Placed:
    """The drawing of a figure. What runs one after another goes down, what runs side by side lies so."""
    width, height = _size(figure)
    drawing = Placed(width, height, [], [], [])
    _place(figure, 0, 0, width, drawing)
    return drawing


def texts_of(figure: Figure) -> tuple[str, ...]:
    """What stands in a box: what it is and how often, what follows in it, and its output."""
    times = f" ×{figure.times}" if figure.times > 1 else ""
    head = (f"{figure.label}{times}",)
    if figure.kind == "block":
        return (f"{figure.label}{f' · {figure.family}' if figure.family else ''}{times}",)
    notes = (", ".join(figure.notes),) if figure.notes else ()
    shape = ("×".join(map(str, figure.numbers.shape)),) if figure.numbers is not None else ()
    return (*head, *notes, *shape)


def _text_width(texts: tuple[str, ...]) -> float:
    return max(len(text) for text in texts) * CHARACTER + 2 * PAD


def _size(figure: Figure) -> tuple[float, float]:
    if figure.kind == "skip":
        return 2 * GAP, 0
    if figure.kind == "layer":
        return _box_size(figure)
    sizes = [_size(part) for part in figure.parts]
    if figure.kind == "aside":
        return 2 * sizes[0][0] + 4 * GAP, sizes[0][1]
    if figure.kind == "parallel":
        return _parallel_size(figure, sizes)
    width = max((each[0] for each in sizes), default=0)
    height = sum(each[1] for each in sizes) + GAP * max(0, len(sizes) - 1)
    if figure.kind == "block":
        return max(width, _text_width(texts_of(figure))) + 2 * PAD, height + LINE + 2 * PAD + GAP
    return width, height


def _parallel_size(figure: Figure, sizes: list[tuple[float, float]]) -> tuple[float, float]:
    width, height = _box_size(figure)
    if figure.dense:
        inner = sum(each[1] for each in sizes) + GAP * (len(sizes) - 1)
        return max(width, max(each[0] for each in sizes) + 4 * GAP), height + inner + 2 * GAP
    across = sum(each[0] for each in sizes) + GAP * (len(sizes) - 1)
    return max(width, across), max(each[1] for each in sizes) + height + 4 * GAP


def _box_size(figure: Figure) -> tuple[float, float]:
    texts = texts_of(figure)
    return _text_width(texts), len(texts) * LINE + PAD


def _place(figure: Figure, x: float, y: float, width: float, drawing: Placed) -> None:
    """Puts a figure into a space of its height and a width that may be more than it needs, in the middle."""
    own, height = _size(figure)
    left, middle = x + (width - own) / 2, x + width / 2
    if figure.kind == "layer":
        drawing.rectangles.append(Rectangle(left, y, own, height, figure, texts_of(figure)))
    elif figure.kind == "block":
        drawing.rectangles.append(Rectangle(left, y, own, height, figure, texts_of(figure), frame=True))
        top = y + LINE + PAD
        drawing.lines.append(((middle, y + LINE + 4), (middle, top + GAP / 2)))
        _down(figure.parts, left, top + GAP / 2, own, drawing)
        drawing.lines.append(((middle, y + height - PAD - GAP / 2), (middle, y + height)))
    elif figure.kind == "aside":
        inner = _size(figure.parts[0])[0]
        drawing.lines.append(((middle, y), (middle, y + height)))
        drawing.lines.append(((middle, y), (middle + 2 * GAP + inner / 2, y), (middle + 2 * GAP + inner / 2, y + 4)))
        _place(figure.parts[0], middle + 2 * GAP, y + 4, inner, drawing)
    elif figure.kind == "parallel":
        _place_parallel(figure, left, y, own, drawing)
    else:
        _down(figure.parts, left, y, own, drawing)


def _down(parts: tuple[Figure, ...], x: float, y: float, width: float, drawing: Placed) -> None:
    """One below the other, with arrows between them."""
    for number, part in enumerate(parts):
        if number:
            drawing.arrows.append(((x + width / 2, y - GAP), (x + width / 2, y)))
        _place(part, x, y, width, drawing)
        y += _size(part)[1] + GAP


def _place_parallel(figure: Figure, x: float, y: float, width: float, drawing: Placed) -> None:
    join_width, join_height = _box_size(figure)
    height = _size(figure)[1]
    middle, top = x + width / 2, y + height - join_height
    join = Rectangle(middle - join_width / 2, top, join_width, join_height, figure, texts_of(figure))
    drawing.rectangles.append(join)
    if figure.dense:
        _down(figure.parts, x, y + GAP, width, drawing)
        drawing.lines.append(((middle, y), (middle, y + GAP)))
        drawing.lines.append(((middle, top - GAP), (middle, top)))
        drawing.lines.append(((middle, y), (x + width, y), (x + width, top - GAP / 2), (middle, top - GAP / 2)))
        return
    total = sum(_size(part)[0] for part in figure.parts) + GAP * (len(figure.parts) - 1)
    left = middle - total / 2
    for part in figure.parts:
        own, tall = _size(part)
        centre = left + own / 2
        start, end = y + 2 * GAP, top - GAP
        drawing.lines.append(((middle, y), (middle, y + GAP), (centre, y + GAP), (centre, start if tall else end)))
        _place(part, left, start, own, drawing)
        if tall:
            drawing.lines.append(((centre, start + tall), (centre, end), (middle, end), (middle, top)))
        else:
            drawing.lines.append(((centre, end), (middle, end), (middle, top)))
        left += own + GAP

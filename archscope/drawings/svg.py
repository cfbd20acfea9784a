"""A figure as SVG: needs no program, has a ``<title>`` per box with its numbers, and is readable in dark and light."""

from __future__ import annotations

from collections.abc import Iterator

from archscope.drawings.figure import Figure, Numbers
from archscope.drawings.layout import CHARACTER, LINE, PAD, Line, Placed, Rectangle, placed
from archscope.drawings.texts import escape, plain

COLOURS = {
    "conv": "#56b4e9", "pool": "#e69f00", "fc": "#009e73", "norm": "#cc79a7", "join": "#999999",
    "block": "#0072b2", "other": "#f0e442",
}  # fmt: skip
"""Okabe and Ito's colours, which people with any colour vision tell apart; the text in a box says the same."""

HIGHLIGHT = "#d55e00"
MARGIN = 20
NEWLINE = "\n"

STYLE = """
  .archscope { font: 12px ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace; }
  .archscope .page { fill: #ffffff; } .archscope text { fill: #1a1a1a; } .archscope .head { font-weight: bold; }
  .archscope .frame { fill: #808080; fill-opacity: 0.06; stroke: #808080; } .archscope .box { stroke: #606060; }
  .archscope .way { fill: none; stroke: #707070; }
  .archscope .tip { fill: #707070; }
  @media screen and (prefers-color-scheme: dark) {
    .archscope .page { fill: #15171b; } .archscope text { fill: #f0f0f0; }
    .archscope .frame, .archscope .box, .archscope .way { stroke: #a0a0a0; } .archscope .tip { fill: #a0a0a0; }
  }
"""
"""The rules are those of a class, since a page in which the drawing stands has texts and lines of its own."""


def svg(figure: Figure, title: str, notes: tuple[str, ...], highlight: str = "") -> str:
    """The drawing with a title above it and conventions below.

    highlight: params, macs or memory, as the colour of the boxes.
    """
    drawing = placed(figure._replace(kind="sequence"))
    lines = tuple(map(plain, (title, *notes)))
    wide = max([drawing.width, *(len(line) * CHARACTER for line in lines)]) + 2 * MARGIN
    top = MARGIN + 2 * LINE
    high = top + drawing.height + (len(notes) + 2) * LINE + MARGIN
    below = top + drawing.height + 2 * LINE
    text = [f'<text x="{MARGIN}" y="{below + at * LINE:g}">{escape(note)}</text>' for at, note in enumerate(notes)]
    return f"""<svg xmlns="http://www.w3.org/2000/svg" class="archscope" viewBox="0 0 {wide:g} {high:g}" \
width="{wide:g}" height="{high:g}" role="img" aria-labelledby="title">
<title id="title">{escape(title)}</title>
<style>{STYLE}</style>
<rect class="page" width="{wide:g}" height="{high:g}"/>
<text class="head" x="{MARGIN}" y="{MARGIN + PAD:g}">{escape(title)}</text>
{_body(drawing, ((wide - drawing.width) / 2, top), highlight, "tip")}
{NEWLINE.join(text)}
</svg>
"""


def svg_of_page(figure: Figure, name: str, label: str) -> str:
    """The drawing for a page that has several: no texts around it, and the page has :data:`STYLE` once.

    name: what its ids begin with. label: what a screen reader says. Every box has its name and numbers as ``data-``.
    """
    drawing = placed(figure._replace(kind="sequence"))
    wide, high = drawing.width + 2 * MARGIN, drawing.height + 2 * MARGIN
    return f"""<svg class="archscope" viewBox="0 0 {wide:g} {high:g}" width="{wide:g}" height="{high:g}" role="group" \
aria-label="{escape(label)}">
{_body(drawing, (MARGIN, MARGIN), "", f"{name}-tip")}
</svg>
"""


def _body(drawing: Placed, place: tuple[float, float], highlight: str, tip: str) -> str:
    """Boxes, lines and arrows; tip: the id of the arrows' tip."""
    most = max([_value(each.figure, highlight) for each in drawing.rectangles if not each.frame], default=0)
    boxes = [_rectangle(each, highlight, most) for each in sorted(drawing.rectangles, key=lambda each: not each.frame)]
    arrows = (_way(points, f' marker-end="url(#{tip})"') for points in drawing.arrows)
    return f"""<defs><marker id="{tip}" viewBox="0 0 6 6" refX="6" refY="3" markerWidth="6" markerHeight="6" \
orient="auto"><path class="tip" d="M0 0 6 3 0 6z"/></marker></defs>
<g transform="translate({place[0]:g} {place[1]:g})">
{NEWLINE.join([*boxes, *map(_way, drawing.lines), *arrows])}
</g>"""


def tooltip(numbers: Numbers, times: int = 1) -> str:
    """What a box stands for, in words: name, output, params, MACs and the bytes of its outputs."""
    shape = "×".join(map(str, numbers.shape))
    params, macs = (
        f"{name} unknown" if value is None else f"{value:,} {name}"
        for name, value in (("params", numbers.params), ("MACs", numbers.macs))
    )
    together = f" ({times} together)" if times > 1 else ""
    return f"{numbers.name}{together}: output {shape}, {params}, {macs}, {numbers.memory or 0:,} bytes of outputs"


def _data(numbers: Numbers) -> Iterator[tuple[str, str]]:
    """What a script may want to know of a box; a count that is not known is left out."""
    yield "name", escape(numbers.name)
    for name in ("params", "macs", "memory"):
        value = getattr(numbers, name)
        if value is not None:
            yield name, str(value)


def _value(figure: Figure, highlight: str) -> int:
    value = getattr(figure.numbers, highlight) if highlight and figure.numbers is not None else 0
    return value or 0


def _fill(figure: Figure, highlight: str, most: int) -> str:
    if not highlight:
        return f'fill="{COLOURS.get(figure.family, COLOURS["other"])}" fill-opacity="0.35"'
    share = _value(figure, highlight) / most if most else 0
    return f'fill="{HIGHLIGHT}" fill-opacity="{0.05 + 0.55 * share:.2f}"'


def _rectangle(each: Rectangle, highlight: str, most: int) -> str:
    figure = each.figure
    tip, data = "", ""
    if figure.numbers is not None:
        tip = f"<title>{escape(tooltip(figure.numbers, figure.times))}</title>"
        data = "".join(f' data-{name}="{value}"' for name, value in _data(figure.numbers))
    place = f'x="{each.x:g}" y="{each.y:g}" width="{each.width:g}" height="{each.height:g}" rx="4"'
    look = 'class="frame"' if each.frame else f'class="box" {_fill(figure, highlight, most)}'
    return f"<g{data}>{tip}<rect {look} {place}/>{''.join(_texts(each))}</g>"


def _texts(each: Rectangle) -> Iterator[str]:
    if each.frame:
        yield f'<text class="head" x="{each.x + PAD:g}" y="{each.y + LINE - 1:g}">{escape(each.texts[0])}</text>'
        return
    middle, first = each.x + each.width / 2, each.y + PAD / 2 + LINE - 4
    for at, text in enumerate(each.texts):
        head = ' class="head"' if at == 0 else ""
        yield f'<text{head} text-anchor="middle" x="{middle:g}" y="{first + at * LINE:g}">{escape(text)}</text>'


def _way(points: Line, tip: str = "") -> str:
    path = " ".join(f"{x:g},{y:g}" for x, y in points)
    return f'<polyline class="way" points="{path}"{tip}/>'

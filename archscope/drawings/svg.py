"""A figure as SVG: needs no program, has a ``<title>`` per box with its numbers, and is readable in dark and light."""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape

from archscope.drawings.figure import Figure, Numbers
from archscope.drawings.layout import CHARACTER, LINE, PAD, Line, Rectangle, placed

COLOURS = {
    "conv": "#56b4e9", "pool": "#e69f00", "fc": "#009e73", "norm": "#cc79a7", "join": "#999999",
    "block": "#0072b2", "other": "#f0e442",
}  # fmt: skip
"""Okabe and Ito's colours, which people with any colour vision tell apart; the text in a box says the same."""

HIGHLIGHT = "#d55e00"
MARGIN = 20
NEWLINE = "\n"

STYLE = """
  svg { font: 12px ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace; }
  .page { fill: #ffffff; } text { fill: #1a1a1a; } .head { font-weight: bold; }
  .frame { fill: #808080; fill-opacity: 0.06; stroke: #808080; } .box { stroke: #606060; }
  .way { fill: none; stroke: #707070; }
  .tip { fill: #707070; }
  @media (prefers-color-scheme: dark) {
    .page { fill: #15171b; } text { fill: #f0f0f0; } .frame, .box, .way { stroke: #a0a0a0; } .tip { fill: #a0a0a0; }
  }
"""


def svg(figure: Figure, title: str, notes: tuple[str, ...], highlight: str = "") -> str:
    """The drawing with a title above it and conventions below.

    highlight: params, macs or memory, as the colour of the boxes.
    """
    drawing = placed(figure._replace(kind="sequence"))
    lines = (title, *notes)
    wide = max([drawing.width, *(len(line) * CHARACTER for line in lines)]) + 2 * MARGIN
    top = MARGIN + 2 * LINE
    high = top + drawing.height + (len(notes) + 2) * LINE + MARGIN
    left = (wide - drawing.width) / 2
    most = max([_value(each.figure, highlight) for each in drawing.rectangles if not each.frame], default=0)
    body = [_rectangle(each, highlight, most) for each in sorted(drawing.rectangles, key=lambda each: not each.frame)]
    ways = [*map(_way, drawing.lines), *(_way(points, ' marker-end="url(#tip)"') for points in drawing.arrows)]
    below = top + drawing.height + 2 * LINE
    text = [f'<text x="{MARGIN}" y="{below + at * LINE:g}">{escape(note)}</text>' for at, note in enumerate(notes)]
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:g} {high:g}" width="{wide:g}" \
height="{high:g}" role="img" aria-labelledby="title">
<title id="title">{escape(title)}</title>
<style>{STYLE}</style>
<defs><marker id="tip" viewBox="0 0 6 6" refX="6" refY="3" markerWidth="6" markerHeight="6" orient="auto">\
<path class="tip" d="M0 0 6 3 0 6z"/></marker></defs>
<rect class="page" width="{wide:g}" height="{high:g}"/>
<text class="head" x="{MARGIN}" y="{MARGIN + PAD:g}">{escape(title)}</text>
<g transform="translate({left:g} {top:g})">
{NEWLINE.join([*body, *ways])}
</g>
{NEWLINE.join(text)}
</svg>
"""


def tooltip(numbers: Numbers, times: int = 1) -> str:
    """What a box stands for, in words: name, output, params, MACs and the bytes of its outputs."""
    shape = "×".join(map(str, numbers.shape))
    params, macs = (
        f"{name} unknown" if value is None else f"{value:,} {name}"
        for name, value in (("params", numbers.params), ("MACs", numbers.macs))
    )
    together = f" ({times} together)" if times > 1 else ""
    return f"{numbers.name}{together}: output {shape}, {params}, {macs}, {numbers.memory or 0:,} bytes of outputs"


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
    tip = f"<title>{escape(tooltip(figure.numbers, figure.times))}</title>" if figure.numbers is not None else ""
    place = f'x="{each.x:g}" y="{each.y:g}" width="{each.width:g}" height="{each.height:g}" rx="4"'
    look = 'class="frame"' if each.frame else f'class="box" {_fill(figure, highlight, most)}'
    return f"<g>{tip}<rect {look} {place}/>{''.join(_texts(each))}</g>"


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

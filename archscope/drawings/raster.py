"""SVG as PNG or PDF, by cairosvg, which is an extra."""

from __future__ import annotations

import re

from archscope.core.errors import Problem, Unsupported

SCALE = 2
LONGEST_SIDE = 2**15 - 1
MOST_PIXELS = 60_000_000
"""Of a png: what cairo can draw, and what takes less than 500 MB."""


def raster(svg: str, kind: str) -> bytes:
    """The bytes of a ``png``, at twice the size, or of a ``pdf``.

    Raises Unsupported without cairosvg, and for too large a png.
    """
    try:
        import cairosvg
    except (ImportError, OSError) as error:  # OSError: the package is there, and the system's cairo is not
        message = f"a {kind} is made with cairosvg, which cannot be imported: {error}"
        raise Unsupported(Problem("missing-extra", message, help="pip install cairosvg")) from error
    if kind == "png":
        _refuse_large(svg)
    data = svg.encode("utf-8")
    made: bytes = cairosvg.svg2png(bytestring=data, scale=SCALE) if kind == "png" else cairosvg.svg2pdf(bytestring=data)
    return made


def _refuse_large(svg: str) -> None:
    found = re.search(r'width="([\d.]+)" height="([\d.]+)" role="img"', svg)
    wide, high = (int(float(side) * SCALE) for side in found.groups()) if found else (0, 0)
    if max(wide, high) > LONGEST_SIDE or wide * high > MOST_PIXELS:
        message = f"the picture would have {wide:,}×{high:,} pixels"
        expected = f"at most {LONGEST_SIDE:,} a side, {MOST_PIXELS:,} in all"
        raise Unsupported(Problem("too-large", message, None, expected, "a name that ends in .svg, or --depth 0"))

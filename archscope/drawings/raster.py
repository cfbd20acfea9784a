"""SVG as PNG or PDF, by cairosvg, which is an extra."""

from __future__ import annotations

from archscope.core.errors import Problem, Unsupported


def raster(svg: str, kind: str) -> bytes:
    """The bytes of a ``png``, at twice the size, or of a ``pdf``. Raises Unsupported without cairosvg."""
    try:
        import cairosvg
    except (ImportError, OSError) as error:  # OSError: the package is there, and the system's cairo is not
        message = f"a {kind} is made with cairosvg, which cannot be imported: {error}"
        raise Unsupported(Problem("missing-extra", message, help="pip install cairosvg")) from error
    data = svg.encode("utf-8")
    made: bytes = cairosvg.svg2png(bytestring=data, scale=2) if kind == "png" else cairosvg.svg2pdf(bytestring=data)
    return made

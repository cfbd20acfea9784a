"""How results show themselves: as HTML in a notebook, as text elsewhere."""

from __future__ import annotations


def shown_as_html(result: object) -> str:
    """What a notebook shows of a result: :func:`archscope.as_html`, since what lays results out lies above them."""
    import archscope

    return archscope.as_html(result)


def shown_as_text(result: object) -> str:
    """What ``print`` shows of a result: :func:`archscope.as_text`."""
    import archscope

    return archscope.as_text(result)

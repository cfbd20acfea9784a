"""Texts of a table or a module as a drawing may show them: on one line, not endless, and nothing but text."""

from __future__ import annotations

from xml.sax import saxutils

from archscope.core.errors import printable

LONGEST = 300
"""Characters of a text in a drawing: a picture is as wide as its title."""


def plain(text: str) -> str:
    r"""One line with every control character spelled out, cut where it is too long.

    >>> plain("a\nb\x1b[2J")
    'a b\\x1b[2J'
    """
    line = printable(" ".join(text.split()))
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def escape(text: str) -> str:
    """The same for XML, between tags and within quotes; XML has no words for most control characters.

    >>> escape('<b title="x">')
    '&lt;b title=&quot;x&quot;&gt;'
    """
    return saxutils.escape(plain(text), {'"': "&quot;"})

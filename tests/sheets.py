"""Sheets that every format is tried on: texts of a stranger at every place, and cells that span columns."""

from __future__ import annotations

from typing import Any

from archscope.formats import Field, Sheet, Spanning

HOSTILE = {
    "ansi": "conv\x1b[2J\x1b]0;owned\x07",
    "c1": "conv\x9b31m",
    "bidi": "conv\u202e46-3\u2066",
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "formula": '=HYPERLINK("http://example.org")',
    "spaced formula": "  =cmd|' /C calc'!A0",
    "plus": "+1+1",
    "at": "@SUM(1)",
    "minus": "-2+3",
    "pipes": "a | b | c",
    "markdown": "[x](javascript:alert(1)) **b** _i_ `c` ~~s~~ # h $x$",
    "latex": r"\input{/etc/passwd} \write18{ls} %& #1 ^^M ~ $x$ {",
    "star": "*[1cm]",
    "lines": "a\nb\r\nc\n\n\\end{table}",
    "quotes": "a\"b'c,d;e",
    "tab": "\t=1",
}


def sheet(text: str = "x", **more: Any) -> Sheet:
    """A sheet in which ``text`` stands at every place that a table file can fill."""
    fields = (Field(text, text), Field("size", "size", "shape"), Field("n", "n", "count"), Field("d", "d", "signed"))
    rows = ((text, (3, 224, 224), 1000, -5), ("plain", None, None, 0))
    data = {"title": text, "rows": [[text]]}
    values: dict[str, Any] = {"total": ("total", "", 1000, -5), "notes": (text,), "closing": (text,), "data": data}
    return Sheet("test", text, fields, rows, **(values | more))


def spanning() -> Sheet:
    """A sheet with cells that span two columns and three."""
    wide = Spanning("maxpool")
    fields = tuple(Field(name, name) for name in "ABC")
    return Sheet("test", "t", fields, (("conv3-64", "conv3-64", "LRN"), (wide, wide, wide), ("", wide, wide)))

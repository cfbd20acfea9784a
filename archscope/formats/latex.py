"""A table for a thesis, with booktabs."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from archscope.formats import Field, Sheet, Spanning, spelled

SUFFIX = ".tex"

_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": "$<$", ">": "$>$", "|": "$|$", "[": "{[}", "]": "{]}", "*": "{*}",  # \\ followed by [ or * would take it
    "×": r"$\times$", "·": r"$\cdot$", "→": r"$\to$", "−": "$-$", "≥": r"$\ge$", "≤": r"$\le$", "±": r"$\pm$",
    "′": "$'$", "⌊": r"$\lfloor$", "⌋": r"$\rfloor$", "⌈": r"$\lceil$", "⌉": r"$\rceil$",
    **{digit: f"$^{number}$" for number, digit in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")},
    **{digit: f"$_{number}$" for number, digit in enumerate("₀₁₂₃₄₅₆₇₈₉")},
    "█": r"\rule{0.5em}{1ex}", "▏": r"\rule{0.1em}{1ex}", "…": r"\dots{}",
}  # fmt: skip


def render(sheet: Sheet, width: int | None) -> str:  # noqa: ARG001  the contract: a file has no width
    r"""The sheet as a ``table`` environment; it needs ``\usepackage{booktabs}``. Notes become the caption."""
    shape = "".join("l" if each.unit in {"text", "bar"} else "r" for each in sheet.fields)
    caption = " ".join(_sentence(_escaped(text)) for text in (sheet.title, *sheet.notes, *sheet.closing))
    lines = [
        r"\begin{table}",
        rf"  \caption{{{caption}}}",
        r"  \centering",
        rf"  \begin{{tabular}}{{{shape}}}",
        r"    \toprule",
        _line([_escaped(each.head) for each in sheet.fields]),
        r"    \midrule",
    ]
    for number, row in enumerate(sheet.rows):
        if number and number in sheet.headings:
            lines.append(r"    \midrule")
        lines.append(_line(_cells(row, sheet.fields)))
    if sheet.total is not None:
        lines += [r"    \midrule", _line(_cells(sheet.total, sheet.fields))]
    return "\n".join([*lines, r"    \bottomrule", r"  \end{tabular}", r"\end{table}"]) + "\n"


def _line(cells: list[str]) -> str:
    return f"    {' & '.join(cells)} \\\\"


def _cells(row: tuple[Any, ...], fields: tuple[Field, ...]) -> list[str]:
    """The cells of a row; what spans several columns spans them here too."""
    cells: list[str] = []
    for _, group in groupby(range(len(row)), key=lambda n: (id(row[n]), 0) if isinstance(row[n], Spanning) else (0, n)):
        first, *others = group
        value, each = row[first], fields[first]
        text = "" if value == "" else _escaped(spelled(value, each.unit))
        if each.unit == "signed":
            text = text.replace("-", "$-$")
        cells.append(rf"\multicolumn{{{1 + len(others)}}}{{c}}{{{text}}}" if others else text)
    return cells


def _sentence(text: str) -> str:
    return text if text.endswith((".", ":", "!", "?")) else f"{text}."


def _escaped(text: str) -> str:
    return "".join(_SPECIAL.get(character, character) for character in spelled(text, "text"))

"""A table for a thesis, with booktabs."""

from __future__ import annotations

from archscope.core.errors import printable
from archscope.formats import Sheet, spelled

_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "×": r"$\times$", "→": r"$\to$", "−": "$-$", "≥": r"$\ge$", "█": r"\rule{0.5em}{1ex}",
}  # fmt: skip


def render(sheet: Sheet, width: int | None) -> str:  # noqa: ARG001  the contract: a file has no width
    r"""The sheet as a ``table`` environment; it needs ``\usepackage{booktabs}``. Notes become the caption."""
    shape = "".join("l" if each.unit in {"text", "bar"} else "r" for each in sheet.fields)
    lines = [
        r"\begin{table}",
        rf"  \caption{{{_escaped(' '.join([sheet.title + '.', *sheet.notes]))}}}",
        r"  \centering",
        rf"  \begin{{tabular}}{{{shape}}}",
        r"    \toprule",
        _line([_escaped(each.head) for each in sheet.fields]),
        r"    \midrule",
    ]
    for number, row in enumerate(sheet.rows):
        if number in sheet.ruled:
            lines.append(r"    \midrule")
        lines.append(_line([_cell(value, each.unit) for value, each in zip(row, sheet.fields, strict=True)]))
    if sheet.total is not None:
        lines += [
            r"    \midrule",
            _line([_cell(v, each.unit) for v, each in zip(sheet.total, sheet.fields, strict=True)]),
        ]
    return "\n".join([*lines, r"    \bottomrule", r"  \end{tabular}", r"\end{table}"]) + "\n"


def _line(cells: list[str]) -> str:
    return f"    {' & '.join(cells)} \\\\"


def _cell(value: object, unit: str) -> str:
    return "" if value == "" else _escaped(spelled(value, unit))


def _escaped(text: str) -> str:
    return "".join(_SPECIAL.get(character, character) for character in printable(text))

"""A figure in Graphviz's language."""

from __future__ import annotations

from archscope.drawings.edges import Box, Group, wired
from archscope.drawings.figure import Figure
from archscope.drawings.svg import COLOURS
from archscope.drawings.texts import plain


def dot(figure: Figure, title: str, notes: tuple[str, ...]) -> str:
    """The digraph, its title and conventions as its label."""
    picture = wired(figure)
    label = "\\n".join(map(_escaped, (title, *notes)))
    lines = [
        f'digraph "{_escaped(figure.label)}" {{',
        f'  label="{label}"; labelloc=t; rankdir=TB;',
        '  node [shape=box, style="rounded,filled", fontname="monospace", fontsize=11];',
        *_lines(picture.inside, "  "),
        *(f"  {start} -> {end};" for start, end in picture.arrows),
    ]
    return "\n".join([*lines, "}", ""])


def _lines(inside: list[Box | Group], margin: str) -> list[str]:
    lines: list[str] = []
    for each in inside:
        if isinstance(each, Box):
            text = "\\n".join(map(_escaped, each.texts))
            lines.append(f'{margin}{each.name} [label="{text}", fillcolor="{COLOURS.get(each.family, "#ffffff")}59"];')
        else:
            lines += [f"{margin}subgraph cluster_{each.name} {{", f'{margin}  label="{_escaped(each.text)}";']
            lines += [*_lines(each.inside, f"{margin}  "), f"{margin}}}"]
    return lines


def _escaped(text: str) -> str:
    return plain(text).replace("\\", "\\\\").replace('"', '\\"')

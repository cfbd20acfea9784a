"""A figure as a Mermaid flowchart, which Markdown on many sites shows as a picture."""

from __future__ import annotations

from archscope.drawings.edges import Box, Group, wired
from archscope.drawings.figure import Figure
from archscope.drawings.texts import plain


def mermaid(figure: Figure, title: str, notes: tuple[str, ...]) -> str:
    """The flowchart, its title and conventions as comments."""
    picture = wired(figure)
    lines = [f"%% {_commented(line)}" for line in (title, *notes)]
    lines += ["flowchart TD", *_lines(picture.inside, "  ")]
    lines += [f"  {start} --> {end}" for start, end in picture.arrows]
    return "\n".join([*lines, ""])


def _lines(inside: list[Box | Group], margin: str) -> list[str]:
    lines: list[str] = []
    for each in inside:
        if isinstance(each, Box):
            lines.append(f'{margin}{each.name}["{"<br>".join(map(_escaped, each.texts))}"]')
        else:
            lines.append(f'{margin}subgraph {each.name}["{_escaped(each.text)}"]')
            lines += [*_lines(each.inside, f"{margin}  "), f"{margin}end"]
    return lines


def _commented(text: str) -> str:
    """Without ``%%{``, which begins a directive to Mermaid, in comments too."""
    return plain(text).replace("%{", "% {")


def _escaped(text: str) -> str:
    """Mermaid's own entities for what would end a text or begin a tag."""
    named = {"#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "&": "#amp;", "`": "#96;", "%": "#37;"}
    return "".join(named.get(character, character) for character in plain(text))

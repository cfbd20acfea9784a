"""Where keys and strings stand in a TOML text; ``tomllib`` gives values without places.

Only errors ask, so nothing is scanned while all is well.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from archscope.core.source import Source, Span

# Patterns as text: only an error compiles them, and re keeps what it compiled.
_HEADER = r"\s*(\[\[?)\s*([^\]]+?)\s*\]"
_KEY = r"""\s*((?:"[^"]*"|'[^']*'|[\w-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[\w-]+))*)\s*="""


class Place(NamedTuple):
    """A key of a TOML text: the section it stands in (``blocks[1]`` for the second ``[[blocks]]``), and where."""

    section: str
    key: str
    span: Span


def key_span(source: Source, section: str, key: str = "") -> Span:
    """Where ``key`` of ``section`` stands; the section's header for no key; line 1 for what is not spelled out."""
    for place in _scan(source):
        if place.section == section and place.key == key:
            return place.span
    if key or section:
        return key_span(source, section) if key else key_span(source, section.rpartition(".")[0])
    return Span(source, 1, 1)


def text_span(source: Source, section: str, key: str, text: str) -> Span:
    """Where the string ``text`` stands in the value of a key; the key itself when it cannot be found."""
    start = key_span(source, section, key)
    for number in range(start.line, len(source.lines) + 1):
        line = source.lines[number - 1]
        if number > start.line and (re.match(_HEADER, line) or re.match(_KEY, line)):
            break
        at = line.find(text, start.column if number == start.line else 0)
        if text and at >= 0:
            return Span(source, number, at + 1, len(text))
    return start


def _scan(source: Source) -> list[Place]:
    places: list[Place] = []
    section, counts, closing = "", dict[str, int](), ""
    for number, line in enumerate(source.lines, 1):
        if closing:
            closing = "" if closing in line else closing
            continue
        header, key = re.match(_HEADER, line), re.match(_KEY, line)
        if header is not None and key is None:
            section = _section(header, counts)
            places.append(Place(section, "", Span(source, number, header.start(2) + 1, len(header.group(2)))))
        elif key is not None:
            text = key.group(1)
            *parents, name = [part.strip().strip("\"'") for part in re.findall(r""""[^"]*"|'[^']*'|[\w-]+""", text)]
            within = ".".join(part for part in (section, *parents) if part)
            places.append(Place(within, name, Span(source, number, key.start(1) + 1, len(text))))
        for quotes in ("'''", '"""'):
            if line.count(quotes) % 2:
                closing = quotes
    return places


def _section(header: re.Match[str], counts: dict[str, int]) -> str:
    name = ".".join(part.strip().strip("\"'") for part in header.group(2).split("."))
    if header.group(1) == "[":
        return name
    counts[name] = counts.get(name, -1) + 1
    return f"{name}[{counts[name]}]"

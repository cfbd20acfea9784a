"""Where keys and strings stand in a TOML text; ``tomllib`` gives values without places.

Only errors ask, so nothing is scanned while all is well.
"""

from __future__ import annotations

import re
from functools import lru_cache
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
    within = f"{section}.{key}" if section else key
    deeper = (span for (its, _), span in _places(source).items() if key and f"{its}.".startswith(f"{within}."))
    found = exact_span(source, section, key) or next(deeper, None)
    while found is None and (key or section):
        key, section = ("", section) if key else ("", section.rpartition(".")[0])
        found = exact_span(source, section, key)
    return found or Span(source, 1, 1)


def exact_span(source: Source, section: str, key: str = "") -> Span | None:
    """Where ``key`` of ``section`` stands at the beginning of a line; None where it does not."""
    return _places(source).get((section, key))


def inline_span(source: Source, section: str, key: str) -> Span:
    """Where ``key`` stands in the inline table that ``section`` is; what holds the table when it cannot be found."""
    parent, _, name = section.rpartition(".")
    start = key_span(source, parent, name)
    line = source.lines[start.line - 1]
    found = re.compile(rf"""(?<![\w-])["']?{re.escape(key)}["']?\s*=""").search(line, start.column + start.length - 1)
    return Span(source, start.line, found.start() + 1, len(key)) if found else start


def text_span(source: Source, section: str, key: str, text: str) -> Span:
    """Where the string ``text`` stands in the value of a key; the key itself when it cannot be found."""
    start = key_span(source, section, key)
    after = start.column + start.length - 1
    lines = [" " * after + source.lines[start.line - 1][after:]]
    for line in source.lines[start.line :]:
        if re.match(_HEADER, line) or re.match(_KEY, line):
            break
        lines.append(line)
    for searched, skipped in ((f'"{text}"', 1), (f"'{text}'", 1), (text, 0)):
        for number, line in enumerate(lines, start.line):
            at = line.find(searched)
            if text and at >= 0:
                return Span(source, number, at + 1 + skipped, len(text))
    return start


@lru_cache(maxsize=4)
def _places(source: Source) -> dict[tuple[str, str], Span]:
    """The first place of each key."""
    places: dict[tuple[str, str], Span] = {}
    for place in _scan(source):
        places.setdefault((place.section, place.key), place.span)
    return places


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

"""Lines of Python, broken where they are too long: in the way that Black and ruff break them."""

from __future__ import annotations

WIDTH = 88
"""Characters of a line, the usual limit of both formatters."""

_PAIRS = {"(": ")", "[": "]"}


def wrapped(line: str, indent: int, comment: str = "") -> list[str]:
    """A line in its place with its comment behind it, or above it where there is no room.

    >>> wrapped("x = self.conv(x)", 2, "64×56×56")
    ['  x = self.conv(x)  # 64×56×56']
    """
    margin = " " * indent
    if comment and len(margin + line) + len(comment) + 4 <= WIDTH:
        return [f"{margin}{line}  # {comment}"]
    return [*([f"{margin}# {comment}"] if comment else []), *_broken(line, margin)]


def _broken(line: str, margin: str) -> list[str]:
    """The line, or its last bracket's contents on a line of their own, or each of them on its own."""
    if len(margin + line) <= WIDTH:
        return [margin + line]
    start, end = _last_bracket(line)
    if start < 0:
        return [margin + line]
    inner, deeper = line[start + 1 : end], f"{margin}    "
    if line[start] == "(" and len(deeper + inner) <= WIDTH:
        body = [deeper + inner]
    else:
        body = [text for item in split(inner) for text in _broken(f"{item},", deeper)]
    return [margin + line[: start + 1], *body, margin + line[end:]]


def _last_bracket(line: str) -> tuple[int, int]:
    """Where the last bracket that is in no other one begins and ends; (-1, -1) without one."""
    found, depth, start = (-1, -1), 0, 0
    for at, character in enumerate(line):
        if character in _PAIRS:
            start = at if depth == 0 else start
            depth += 1
        elif character in _PAIRS.values():
            depth -= 1
            found = (start, at) if depth == 0 and at > start + 1 else found
    return found


def split(text: str) -> list[str]:
    """What stands between the commas that are in no bracket.

    >>> split("a, f(b, c), [d, e]")
    ['a', 'f(b, c)', '[d, e]']
    """
    items, depth, start = [], 0, 0
    for at, character in enumerate(text):
        depth += (character in _PAIRS) - (character in _PAIRS.values())
        if character == "," and depth == 0:
            items.append(text[start:at].strip())
            start = at + 1
    return [*items, text[start:].strip()]

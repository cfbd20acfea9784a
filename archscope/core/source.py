"""A text that was read and a place in it: what an error needs to point at a cell."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Source:
    """A text and the name that its reader knows it by (a path, or ``<python>``)."""

    name: str
    text: str
    lines: list[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "lines", self.text.split("\n"))


class Span(NamedTuple):
    """``length`` characters of a source from ``line`` and ``column`` on, both counted from 1.

    ``place`` says in the paper's words where that is: ``row 5, column A-LRN``.
    """

    source: Source
    line: int
    column: int
    length: int = 1
    place: str = ""

    def at(self, place: str) -> Span:
        """The same characters, named by another place."""
        return self._replace(place=place)

    @property
    def line_text(self) -> str:
        """The whole line that the span stands on."""
        lines = self.source.lines
        return lines[self.line - 1].rstrip("\r") if self.line <= len(lines) else ""

"""A figure as nodes and arrows between them: what mermaid and dot lay out by themselves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from archscope.drawings.figure import Figure
from archscope.drawings.layout import texts_of


class Box(NamedTuple):
    """A node: its identifier, what stands in it, and its family."""

    name: str
    texts: tuple[str, ...]
    family: str


class Group(NamedTuple):
    """A frame around boxes and other frames."""

    name: str
    text: str
    inside: list[Box | Group]


@dataclass(slots=True)
class Wired:
    """All of a picture. inside: boxes and frames; arrows: from box to box, by name."""

    inside: list[Box | Group] = field(default_factory=list)
    arrows: list[tuple[str, str]] = field(default_factory=list)
    count: int = 0

    def name(self) -> str:
        """The next identifier."""
        self.count += 1
        return f"n{self.count}"


def wired(figure: Figure) -> Wired:
    """The boxes of a network and the arrows between them, without a frame around all."""
    result = Wired()
    _walk(figure._replace(kind="sequence"), [], result.inside, result)
    return result


def _walk(figure: Figure, before: list[str], inside: list[Box | Group], result: Wired) -> list[str]:
    """Adds a figure behind the boxes ``before`` it; gives the boxes that it ends in."""
    if figure.kind == "skip":
        return before
    if figure.kind == "layer":
        return _box(figure, before, inside, result)
    if figure.kind == "aside":
        _walk(figure.parts[0], before, inside, result)
        return before
    if figure.kind == "parallel" and not figure.dense:
        ends = [end for part in figure.parts for end in _walk(part, before, inside, result)]
        return _box(figure, ends, inside, result)
    if figure.kind == "block":
        group = Group(result.name(), texts_of(figure)[0], [])
        inside.append(group)
        inside = group.inside
    ends = before
    for part in figure.parts:
        ends = _walk(part, ends, inside, result)
    return _box(figure, [*before, *ends], inside, result) if figure.dense else ends


def _box(figure: Figure, before: list[str], inside: list[Box | Group], result: Wired) -> list[str]:
    name = result.name()
    inside.append(Box(name, texts_of(figure), figure.family))
    result.arrows += [(each, name) for each in dict.fromkeys(before)]
    return [name]

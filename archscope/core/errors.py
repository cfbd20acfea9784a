"""What went wrong, where, and what would help.

ArchscopeError          exit code 1; carries one or more problems
├── TableError          a table, a cell or a spec cannot be read
├── ShapeError          sizes do not fit: a kernel larger than its input, unequal operands of an add
├── UnknownName         no such network, table, column, option value
├── Unsupported         archscope knows that it cannot do this, and says so instead of guessing
└── UsageError          the call itself makes no sense; exit code 2
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from archscope.core.source import Span

_WIDTH = 96
"""Characters of a source line that an error shows: a hostile line of a megabyte stays readable."""

_LONGEST = 1000
"""Characters of each other part of an error, for the same reason."""


class Problem(NamedTuple):
    """One thing that is wrong. ``code`` is stable and can be tested for; values are quoted in ``message``."""

    code: str
    message: str
    span: Span | None = None
    expected: str = ""
    help: str = ""

    def __str__(self) -> str:
        head = f"{self.code}: {_brief(self.message)}"
        if self.span is not None:
            head = f"{_brief(self.span.source.name)}:{self.span.line}:{self.span.column}: {head}"
        lines = [head, *(_picture(self.span) if self.span is not None else [])]
        if self.span is not None and self.span.place:
            lines.append(f"  in:       {_brief(self.span.place)}")
        if self.expected:
            lines.append(f"  expected: {_brief(self.expected)}")
        if self.help:
            lines.append(f"  help:     {_brief(self.help)}")
        return "\n".join(lines)


def _picture(span: Span) -> list[str]:
    """The source line with carets under the span; a long line is cut around it."""
    text = span.line_text
    if not text.strip():
        return []
    start = span.column - 1
    left = max(0, start - _WIDTH // 2) if len(text) > _WIDTH else 0
    shown = text[left : left + _WIDTH]
    at = start - left
    indent, carets = len(printable(shown[:at])), len(printable(shown[at : at + span.length]))
    ahead, behind = "…" if left else "", "…" if left + _WIDTH < len(text) else ""
    gutter = f"{span.line:5} | "
    blank = " " * (len(gutter) - 2) + "| "
    return [
        f"{gutter}{ahead}{printable(shown)}{behind}",
        f"{blank}{' ' * (len(ahead) + indent)}{'^' * max(1, carets)}",
    ]


def _brief(text: str) -> str:
    return printable(text if len(text) <= _LONGEST else text[:_LONGEST] + "…")


def printable(text: str) -> str:
    r"""``text`` with every control character spelled out, so that a file cannot steer a terminal.

    >>> printable("conv3-64\x1b[2J")
    'conv3-64\\x1b[2J'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else _spelled(c) for c in text)


def _spelled(character: str) -> str:
    return " " if character == "\t" else character.encode("unicode_escape").decode("ascii")


class ArchscopeError(Exception):
    """The base of every error that archscope raises on purpose.

    ``problems`` holds all that was found, in the order of the file: a table reports every bad cell at once.
    """

    exit_code = 1

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*problems)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class TableError(ArchscopeError):
    """A table, a cell or a spec cannot be read as it stands."""


class ShapeError(ArchscopeError):
    """Sizes do not fit together."""


class UnknownName(ArchscopeError):
    """A name that nothing bears; the nearest names are in ``help``."""


class Unsupported(ArchscopeError):
    """Something archscope does not do, said instead of a guess."""


class UsageError(ArchscopeError):
    """Arguments that make no sense together or in themselves."""

    exit_code = 2


def located(error: ArchscopeError, span: Span | None) -> ArchscopeError:
    """The same error, with ``span`` given to each problem that has no place yet."""
    return type(error)(*(p if p.span is not None else p._replace(span=span) for p in error.problems))


def unknown_name(kind: str, name: str, known: Iterable[str], span: Span | None = None) -> UnknownName:
    """The error for a ``kind`` called ``name`` that is not among ``known``."""
    return UnknownName(Problem(f"unknown-{kind}", f"no {kind} is called {name!r}", span, help=nearest(name, known)))


def nearest(name: str, known: Iterable[str]) -> str:
    """A help line with the names nearest to ``name``; empty when none is near.

    >>> nearest("vgg61", ["vgg16", "googlenet"])
    'did you mean vgg16?'
    """
    import difflib

    names: Sequence[str] = difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)
    return f"did you mean {', '.join(names)}?" if names else ""

"""Texts with placeholders: ``conv1-{#1×1}`` filled from cells, ``{k}×{k}/{s}`` taken apart from one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType

from archscope.core.errors import Problem, TableError
from archscope.core.expression import Expression, bind, names, parse

FREE = frozenset({"in", "out"})
"""Names that only get a value when sizes are known: incoming channels, and a shortcut's target channels."""

VARIED = "varied"
"""With a number behind it, a name that a sweep has put into a cell and gives sizes to later."""

LONGEST = 2000
"""Characters of a cell, of a template, and of what a template becomes."""

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def placeholders(template: str) -> list[str]:
    """What stands in braces, in order.

    >>> placeholders("conv{k}-{#3×3 reduce}")
    ['k', '#3×3 reduce']
    """
    return [text.strip() for text in _PLACEHOLDER.findall(template)]


def fill(template: str, values: Mapping[str, str]) -> str:
    """The template with its placeholders replaced; arithmetic on :data:`FREE` names stays in braces.

    Raises TableError for a placeholder that no value, and no arithmetic on values, can fill.

    >>> fill("conv1-{t*in}", {"t": "6"})
    'conv1-{6*in}'
    """
    text = (
        template
        if len(template) > LONGEST
        else _PLACEHOLDER.sub(lambda found: _filled(found[1].strip(), values), template)
    )
    if len(text) > LONGEST:
        raise TableError(Problem("too-long", f"{text[:40]!r}… has {len(text):,} characters, the most are {LONGEST:,}"))
    return text


def _filled(content: str, values: Mapping[str, str]) -> str:
    if content in values:
        if values[content]:
            return values[content]
        raise _empty(content)
    expression = _parsed(content, values)
    wanted = names(expression)
    unknown = sorted(name for name in wanted - FREE - values.keys() if not is_varied(name))
    if unknown:
        raise _unknown(unknown[0], values)
    bound = bind(expression, {name: _number(name, values[name]) for name in wanted & values.keys()})
    return str(bound) if isinstance(bound, int) else f"{{{bound}}}"


def _parsed(content: str, values: Iterable[str]) -> Expression:
    try:
        return parse(content)
    except TableError as error:
        if re.search(r"[-+*/%()]", content) and not re.search(r"[^\w\s+*/%()-]", content):
            raise
        raise _unknown(content, values) from error


def _number(name: str, text: str) -> int:
    if not text:
        raise _empty(name)
    if not is_number(text):
        raise TableError(Problem("not-a-number", f"{{{name}}} is {text!r}, and arithmetic needs a whole number"))
    return int(text)


def is_number(text: str) -> bool:
    """Whether a text is a whole number, of a length that a size may have."""
    return text.isdecimal() and len(text) <= 12


def is_varied(name: str) -> bool:
    """Whether a name is one that stands for what is varied."""
    return name.startswith(VARIED) and name.removeprefix(VARIED).isdecimal()


def _empty(name: str) -> TableError:
    return TableError(Problem("empty-cell", f"{{{name}}} is needed here, and its cell is empty"))


def _unknown(name: str, known: Iterable[str]) -> TableError:
    expected = ", ".join(f"{{{each}}}" for each in known) or "a number"
    return TableError(Problem("unknown-placeholder", f"nothing is called {{{name}}} here", expected=expected))


@lru_cache(maxsize=16384)  # a block's cells are read again for each of its repeats
def match(template: str, text: str) -> Mapping[str, str] | None:
    """The values that the placeholders of ``template`` have in ``text``; None when it does not fit.

    A placeholder takes as little as it can, so that no text takes long; a name that stands twice must get one value.
    Runs of white space count as one blank.

    >>> dict(match("{h}×{w}×{out}", "112×112×64"))
    {'h': '112', 'w': '112', 'out': '64'}
    >>> match("{k}×{k}/{s}", "3×5/1") is None
    True
    """
    first, rest = _taken_apart(template)
    if first and not text.lstrip().startswith(first[0]):
        return None
    text = " ".join(text.split())
    if not text.startswith(first):
        return None
    values: dict[str, str] = {}
    at = len(first)
    for number, (name, literal) in enumerate(rest, 1):
        end = _end(text, at, literal, last=number == len(rest))
        if end <= at or text[at] == " " or values.get(name, text[at:end]) != text[at:end]:
            return None
        values[name] = text[at:end]
        at = end + len(literal)
    return MappingProxyType(values) if at == len(text) else None


def _end(text: str, at: int, literal: str, *, last: bool) -> int:
    """Where the value that begins at ``at`` ends: at the next ``literal`` with a value behind it; -1 for nowhere."""
    if last:
        return len(text) - len(literal) if text.endswith(literal) else -1
    end = text.find(literal, at + 1)
    while end >= 0 and text[end + len(literal) : end + len(literal) + 1] == " ":
        end = text.find(literal, end + 1)
    return end


@lru_cache(maxsize=1024)
def _taken_apart(template: str) -> tuple[str, list[tuple[str, str]]]:
    """What stands before the first placeholder, and each placeholder with what stands behind it."""
    first, *parts = _PLACEHOLDER.split(" ".join(template.split()))
    return first, [(name.strip(), literal) for name, literal in zip(parts[::2], parts[1::2], strict=True)]

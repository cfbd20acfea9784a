"""Texts with placeholders: ``conv1-{#1×1}`` filled from cells, ``{k}×{k}/{s}`` taken apart from one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from archscope.core.errors import Problem, TableError
from archscope.core.expression import Expression, bind, names, parse

FREE = frozenset({"in", "out"})
"""Names that only get a value when sizes are known: incoming channels, and a shortcut's target channels."""

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
    return _PLACEHOLDER.sub(lambda match: _filled(match.group(1).strip(), values), template)


def _filled(content: str, values: Mapping[str, str]) -> str:
    if content in values:
        if values[content]:
            return values[content]
        raise TableError(Problem("empty-cell", f"{{{content}}} is needed here, and its cell is empty"))
    expression = _parsed(content, values)
    wanted = names(expression)
    unknown = sorted(wanted - FREE - values.keys())
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
    if not text.isdigit():
        raise TableError(Problem("not-a-number", f"{{{name}}} is {text!r}, and arithmetic needs a whole number"))
    return int(text)


def _unknown(name: str, known: Iterable[str]) -> TableError:
    expected = ", ".join(f"{{{each}}}" for each in known) or "a number"
    return TableError(Problem("unknown-placeholder", f"nothing is called {{{name}}} here", expected=expected))


def match(template: str, text: str) -> dict[str, str] | None:
    """The values that the placeholders of ``template`` have in ``text``; None when it does not fit.

    A name that stands twice must have one value. Runs of white space count as one blank.

    >>> match("{h}×{w}×{out}", "112×112×64")
    {'h': '112', 'w': '112', 'out': '64'}
    >>> match("{k}×{k}/{s}", "3×5/1") is None
    True
    """
    pattern, keys = _pattern(template)
    found = pattern.fullmatch(" ".join(text.split()))
    return None if found is None else dict(zip(keys, found.groups(), strict=True))


@lru_cache(maxsize=1024)
def _pattern(template: str) -> tuple[re.Pattern[str], list[str]]:
    parts = _PLACEHOLDER.split(" ".join(template.split()))
    keys: list[str] = []
    pattern = ""
    for number, part in enumerate(parts):
        if number % 2 == 0:
            pattern += re.escape(part)
        elif part.strip() in keys:
            pattern += f"(?P=g{keys.index(part.strip())})"
        else:
            pattern += f"(?P<g{len(keys)}>[^\\s].*?)"
            keys.append(part.strip())
    return re.compile(pattern), keys

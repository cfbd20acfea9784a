"""The one parser of arithmetic that a file or a user may write: ``{t*in}``, ``{in//2}``.

Integers, names, ``+ - * // %`` and parentheses; no calls, no attributes, no subscripts, and a bounded length, so an
expression from a stranger can neither run anything nor grow without end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from archscope.core.arithmetic import Size
from archscope.core.errors import Problem, TableError

LONGEST = 200
"""Characters of an expression."""

_LEXEME = r"\s*(?:(?P<number>\d{1,12})|(?P<name>[^\W\d]\w*)|(?P<symbol>//|[-+*%()]))"

_OPERATIONS: dict[str, Callable[[Size, Size], Size]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
}


@dataclass(frozen=True, slots=True)
class Name:
    """A name that gets its value later: ``in``, the incoming channels."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Operation:
    """Two expressions and the symbol between them."""

    symbol: str
    left: Expression
    right: Expression

    def __str__(self) -> str:
        mine = _binds(self.symbol)
        left, right = _nested(self.left, lowest=mine), _nested(self.right, lowest=mine + 1)
        return f"{left}{self.symbol}{right}"


Expression = int | Name | Operation


def _binds(symbol: str) -> int:
    return 1 if symbol in "+-" else 2


def _nested(expression: Expression, lowest: int) -> str:
    """An operand as text that reads back: in parentheses where it binds less, and negative numbers as a difference."""
    if isinstance(expression, Operation):
        return str(expression) if _binds(expression.symbol) >= lowest else f"({expression})"
    return f"(0-{-expression})" if isinstance(expression, int) and expression < 0 else str(expression)


def parse(text: str) -> Expression:
    """Reads an expression; raises :class:`TableError` that quotes it when it cannot.

    >>> print(parse("t * (in + 1)"))
    t*(in+1)
    """
    if len(text) > LONGEST:
        raise _unreadable(text[:20] + "…", f"longer than {LONGEST} characters")
    tokens = _tokens(text)
    expression, rest = _sum(tokens, text)
    if rest:
        raise _unreadable(text, f"{rest[0]!r} stands where an operator was expected")
    return expression


def bind(expression: Expression, values: Mapping[str, Size]) -> Expression:
    """The expression with the names in ``values`` replaced, worked out as far as that allows.

    >>> bind(parse("t*in"), {"t": 6, "in": 32})
    192
    >>> print(bind(parse("t*in"), {"t": 6}))
    6*in
    """
    if isinstance(expression, Name):
        return values.get(expression.name, expression)
    if not isinstance(expression, Operation):
        return expression
    left, right = bind(expression.left, values), bind(expression.right, values)
    if isinstance(left, Name | Operation) or isinstance(right, Name | Operation):
        return Operation(expression.symbol, left, right)
    if expression.symbol in ("//", "%") and isinstance(right, int) and right == 0:
        raise _unreadable(str(expression), "it divides by zero")
    return _OPERATIONS[expression.symbol](left, right)


def names(expression: Expression) -> set[str]:
    """The names that still want a value."""
    if isinstance(expression, Name):
        return {expression.name}
    if isinstance(expression, Operation):
        return names(expression.left) | names(expression.right)
    return set()


def _tokens(text: str) -> list[str]:
    tokens, at = [], 0
    token = re.compile(_LEXEME)  # when first needed: most tables have no arithmetic
    while text[at:].strip():
        match = token.match(text, at)
        if match is None:
            raise _unreadable(text, f"{text[at:].strip()[0]!r} is no part of arithmetic")
        tokens.append(match.group().strip())
        at = match.end()
    return tokens


def _sum(tokens: list[str], text: str) -> tuple[Expression, list[str]]:
    left, rest = _term(tokens, text)
    while rest and rest[0] in "+-":
        right, after = _term(rest[1:], text)
        left, rest = Operation(rest[0], left, right), after
    return left, rest


def _term(tokens: list[str], text: str) -> tuple[Expression, list[str]]:
    left, rest = _atom(tokens, text)
    while rest and rest[0] in ("*", "//", "%"):
        right, after = _atom(rest[1:], text)
        left, rest = Operation(rest[0], left, right), after
    return left, rest


def _atom(tokens: list[str], text: str) -> tuple[Expression, list[str]]:
    if not tokens:
        raise _unreadable(text, "it ends where a number or a name was expected")
    first, rest = tokens[0], tokens[1:]
    if first.isdigit():
        return int(first), rest
    if first == "(":
        inner, rest = _sum(rest, text)
        if not rest or rest[0] != ")":
            raise _unreadable(text, "a parenthesis is not closed")
        return inner, rest[1:]
    if first in ("//", "+", "-", "*", "%", ")"):
        raise _unreadable(text, f"{first!r} stands where a number or a name was expected")
    return Name(first), rest


def _unreadable(text: str, why: str) -> TableError:
    return TableError(
        Problem(
            "unreadable-expression",
            f"cannot read {text!r} as arithmetic: {why}",
            expected="numbers, names, + - * // % ( )",
        )
    )

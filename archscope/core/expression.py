"""The one parser of what a file or a user may write to be worked out: ``{t*in}``, ``{in//2}``, and the conditions of
:mod:`archscope.core.conditions`.

Numbers, names, operators and parentheses; no calls, no attributes, no subscripts, and a bounded length and depth, so an
expression from a stranger can neither run anything nor grow without end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from archscope.core.arithmetic import Size
from archscope.core.errors import ArchscopeError, Problem, TableError

LONGEST = 200
"""Characters of an expression."""

NOT = ("not",)
"""The level of a grammar that holds the one operator with a single operand, which is the right one."""

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
        if self.symbol in NOT:
            return f"{self.symbol} {right}"
        return f"{left}{self.symbol}{right}" if mine >= _ARITHMETIC else f"{left} {self.symbol} {right}"


Expression = int | Name | Operation


class Grammar(NamedTuple):
    """What an expression may be made of.

    what, expected: its name and its parts, for errors, which are of the kind ``error``. lexeme: the pattern of its next
    number, name, text or symbol. levels: its operators, the loosest first. atom: what a lexeme that is neither an
    operator nor a parenthesis stands for; raises ValueError, saying why, if it stands for nothing. deepest: how many
    parentheses may be within each other.
    """

    what: str
    expected: str
    lexeme: str
    levels: tuple[tuple[str, ...], ...]
    atom: Callable[[str], Any]
    error: type[ArchscopeError] = TableError
    deepest: int = LONGEST // 2

    def unreadable(self, text: str, why: str) -> ArchscopeError:
        """The error for a text that cannot be read."""
        message = f"cannot read {text!r} as {self.what}: {why}"
        return self.error(Problem("unreadable-expression", message, expected=self.expected))


def _number_or_name(lexeme: str) -> Expression:
    return int(lexeme) if lexeme.isdecimal() else Name(lexeme)


ARITHMETIC = Grammar(
    what="arithmetic",
    expected="numbers, names, + - * // % ( )",
    lexeme=r"\s*(?:\d{1,12}|[^\W\d]\w*|//|[-+*%()])",
    levels=(("+", "-"), ("*", "//", "%")),
    atom=_number_or_name,
)


_ARITHMETIC = 5
"""How tightly the loosest operators bind whose result is a number."""


def _binds(symbol: str) -> int:
    words = {"or": 1, "and": 2, "not": 3}
    if symbol in words:
        return words[symbol]
    return _ARITHMETIC - 1 if symbol[0] in "<>=!" else _ARITHMETIC if symbol in "+-" else _ARITHMETIC + 1


def _nested(expression: Expression, lowest: int) -> str:
    """An operand as text that reads back: in parentheses where it binds less, and negative numbers as a difference."""
    if isinstance(expression, Operation):
        return str(expression) if _binds(expression.symbol) >= lowest else f"({expression})"
    return f"(0-{-expression})" if isinstance(expression, int) and expression < 0 else str(expression)


@lru_cache(maxsize=1024)  # a block's texts are read again for each of its repeats
def parse(text: str) -> Expression:
    """Reads an expression; raises :class:`TableError` that quotes it when it cannot.

    >>> print(parse("t * (in + 1)"))
    t*(in+1)
    """
    found: Expression = parse_as(ARITHMETIC, text)
    return found


def parse_as(grammar: Grammar, text: str) -> Any:
    """What a text says in a grammar. Raises the grammar's error, quoting the text, when it says nothing."""
    if len(text) > LONGEST:
        raise grammar.unreadable(text[:20] + "…", f"longer than {LONGEST} characters")
    reader = _Reader(grammar, text)
    expression = reader.level(0)
    if reader.rest:
        raise grammar.unreadable(text, f"{reader.rest[0]!r} stands where an operator was expected")
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
        raise ARITHMETIC.unreadable(str(expression), "it divides by zero")
    return _OPERATIONS[expression.symbol](left, right)


def names(expression: Expression) -> set[str]:
    """The names that still want a value."""
    if isinstance(expression, Name):
        return {expression.name}
    if isinstance(expression, Operation):
        return names(expression.left) | names(expression.right)
    return set()


class _Reader:
    """The lexemes of a text that are not read yet."""

    def __init__(self, grammar: Grammar, text: str) -> None:
        self.grammar = grammar
        self.text = text
        self.rest = self.lexemes()
        self.depth = 0

    def lexemes(self) -> list[str]:
        found, at = [], 0
        pattern = re.compile(self.grammar.lexeme)  # when first needed: most tables have no arithmetic
        while self.text[at:].strip():
            match = pattern.match(self.text, at)
            if match is None:
                raise self.unreadable(f"{self.text[at:].strip()[0]!r} is no part of {self.grammar.what}")
            found.append(match.group().strip())
            at = match.end()
        return found

    def unreadable(self, why: str) -> ArchscopeError:
        return self.grammar.unreadable(self.text, why)

    def level(self, number: int) -> Any:
        """Operands of the operators of one level, and those between them, from left to right."""
        if number == len(self.grammar.levels):
            return self.operand()
        if self.grammar.levels[number] == NOT:
            return self.negation(number)
        left = self.level(number + 1)
        while self.rest and self.rest[0] in self.grammar.levels[number]:
            symbol = self.rest.pop(0)
            left = Operation(symbol, left, self.level(number + 1))
        return left

    def negation(self, number: int) -> Any:
        negated = False
        while self.rest and self.rest[0] in NOT:
            self.rest.pop(0)
            negated = not negated
        inner = self.level(number + 1)
        return Operation(*NOT, 0, inner) if negated else inner

    def operand(self) -> Any:
        if not self.rest:
            raise self.unreadable("it ends where a number or a name was expected")
        first = self.rest.pop(0)
        if first == "(":
            return self.within_parentheses()
        if first == ")" or any(first in level for level in self.grammar.levels):
            raise self.unreadable(f"{first!r} stands where a number or a name was expected")
        try:
            return self.grammar.atom(first)
        except ValueError as error:
            raise self.unreadable(str(error)) from error

    def within_parentheses(self) -> Any:
        self.depth += 1
        if self.depth > self.grammar.deepest:
            raise self.unreadable(f"more than {self.grammar.deepest} parentheses within each other")
        inner = self.level(0)
        if not self.rest or self.rest.pop(0) != ")":
            raise self.unreadable("a parenthesis is not closed")
        self.depth -= 1
        return inner

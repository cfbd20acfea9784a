"""Conditions on columns, ``params < 5M and train_peak_bytes < 2GiB``: numbers with units, compared and combined.

Read by the one parser (:mod:`archscope.core.expression`): nothing that a user writes is run. Units are looked at before
any number is: bytes are compared with bytes, and counts with counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from archscope.core.arithmetic import unusable_points
from archscope.core.counts import Counts
from archscope.core.errors import Problem, UsageError, nearest
from archscope.core.expression import NOT, Grammar, Name, Operation, parse_as
from archscope.core.units import BYTE_UNITS, COUNT_UNITS

Unit = int | None
"""How many times a number has bytes in it: 0 for a count, 1 for bytes; None for a plain number, which fits either."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number as it is written: ``5M``, ``2GiB``, ``0.5``. number: a whole one where it is whole."""

    number: int | float
    unit: Unit
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Quoted:
    """A text in quotes: the name of a column that is no plain name, else a word to compare with."""

    text: str

    def __str__(self) -> str:
        return repr(self.text)


Condition = Quantity | Quoted | Name | Operation
"""What a condition is made of; a whole one is an operation that is true or false."""

_TRUTHS = ("and", "or")
_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}
_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
    "/": lambda a, b: a / b,
}


def quantity(text: str) -> Quantity:
    """The number that a text says. Raises UsageError, with the units there are, if it says none.

    >>> quantity("2.5M").number, quantity("2GiB").number
    (2500000, 2147483648)
    """
    try:
        found = _atom(text.strip())
    except ValueError as error:
        raise UsageError(Problem("bad-value", str(error), expected=_EXAMPLES)) from error
    if not isinstance(found, Quantity):
        raise UsageError(Problem("bad-value", f"{text!r} is no number", expected=_EXAMPLES))
    return found


def _atom(lexeme: str) -> Condition:
    if lexeme[:1] in {'"', "'"}:
        return Quoted(lexeme[1:-1])
    if not lexeme[:1].isdigit():
        return Name(lexeme)
    digits = lexeme.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    suffix = lexeme[len(digits) :]
    scale = COUNT_UNITS.get(suffix) or BYTE_UNITS.get(suffix) or (1 if not suffix else 0)
    if not scale or len(digits) > 30 or not digits.replace(".", "", 1).isdecimal():
        raise ValueError(f"{lexeme!r} is no number with a unit")
    exact = Fraction(digits) * scale
    unit = None if not suffix else int(suffix in BYTE_UNITS)
    return Quantity(exact.numerator if exact.denominator == 1 else float(exact), unit, lexeme)


_EXAMPLES = "a number such as 5M, 1.5G or 2GiB"
_GRAMMAR = Grammar(
    what="a condition",
    expected="columns, numbers such as 5M or 2GiB, < <= > >= == != and or not + - * / // % ( )",
    lexeme=r"""\s*(?:\d[\w.]*|[^\W\d]\w*|"[^"]*"|'[^']*'|[<>=!]=|//|[-+*/%()<>])""",
    levels=(("or",), ("and",), NOT, tuple(_COMPARISONS), ("+", "-"), ("*", "/", "//", "%")),
    atom=_atom,
    error=UsageError,
    deepest=20,
)


def condition(text: str, units: Mapping[str, str]) -> Condition:
    """The condition that a text says of columns, given with their units (``bytes``, ``text``, any other is a count).

    Raises UsageError for a text that is no condition, for units that do not go together and for an unknown column.
    """
    found: Condition = parse_as(_GRAMMAR, text)
    if _kind(found, units) != "truth":
        message = f"cannot read {text!r} as a condition: it is a number, neither true nor false"
        raise UsageError(Problem("unreadable-expression", message, expected="a comparison, such as params < 5M"))
    return found


def columns_in(found: Condition, units: Mapping[str, str]) -> list[str]:
    """The columns that a condition looks at."""
    if isinstance(found, Operation):
        sides: Any = (found.left, found.right)
        return list(dict.fromkeys(name for side in sides for name in columns_in(side, units)))
    name = found.name if isinstance(found, Name) else found.text if isinstance(found, Quoted) else ""
    return [name] if name in units else []


def holds(found: Condition, columns: Mapping[str, Any]) -> Any:
    """Where a condition holds: an array of bools. columns: :class:`Counts`, arrays of floats, ints or texts by name.

    Nothing overflows, and where something is divided by 0 a condition does not hold.
    """
    with unusable_points() as divided_by_0:
        mask = _value(found, columns)
    for failure in divided_by_0:
        mask = mask & ~failure.points
    return mask


def _kind(part: Any, units: Mapping[str, str]) -> str | Unit:
    """``truth``, ``text``, or the unit of a number. Raises UsageError where kinds do not go together."""
    if isinstance(part, Quantity):
        return part.unit
    if isinstance(part, Quoted | Name):
        return _unit_of(part, units)
    return _kind_of_operation(part, units) if isinstance(part, Operation) else "truth"  # what stands left of "not"


def _kind_of_operation(part: Operation, units: Mapping[str, str]) -> str | Unit:
    kinds = _kind(part.left, units), _kind(part.right, units)
    if part.symbol in (*_TRUTHS, *NOT):
        return _both(part, kinds, "truth")
    if "truth" in kinds:
        why = f"{part.symbol!r} stands between a comparison and something else; and, or go between two comparisons"
        raise UsageError(Problem("unreadable-expression", f"cannot read '{part}' as a condition: {why}"))
    if "text" in kinds:
        return _of_texts(part, kinds)
    left, right = (kind if isinstance(kind, int) else None for kind in kinds)
    return _of_numbers(part, left, right)


def _both(part: Operation, kinds: tuple[str | Unit, ...], wanted: str) -> str:
    for side, kind in zip((part.left, part.right), kinds, strict=True):
        if kind != wanted:
            message = f"cannot read '{part}' as a condition: {side} is neither true nor false"
            raise UsageError(Problem("unreadable-expression", message, expected="a comparison, such as params < 5M"))
    return wanted


def _of_texts(part: Operation, kinds: tuple[str | Unit, ...]) -> str:
    if set(kinds) != {"text"} or part.symbol not in {"==", "!="}:
        message = f"'{part}' does more with a text than to ask whether it is another one"
        raise UsageError(Problem("mixed-units", message, expected='a text in quotes, such as network == "vgg16"'))
    return "truth"


def _of_numbers(part: Operation, left: Unit, right: Unit) -> str | Unit:
    """The unit of two numbers that are combined."""
    if part.symbol in {"*", "/", "//"}:
        if left is None and right is None:
            return None
        sign = 1 if part.symbol == "*" else -1
        return (left or 0) + sign * (right or 0)
    if left is not None and right is not None and left != right:
        message = f"'{part}' mixes units: {part.left} is {_spelled(left)}, {part.right} {_spelled(right)}"
        units = BYTE_UNITS if 1 in {left, right} else COUNT_UNITS
        raise UsageError(Problem("mixed-units", message, expected=f"units such as {', '.join(list(units)[-4:])}"))
    if part.symbol in _COMPARISONS:
        return "truth"
    return right if left is None else left


def _spelled(unit: int) -> str:
    return {0: "a count", 1: "in bytes"}.get(unit, f"bytes to the power of {unit}")


def _unit_of(part: Quoted | Name, units: Mapping[str, str]) -> str | Unit:
    if isinstance(part, Quoted) and part.text not in units:
        return "text"
    name = part.text if isinstance(part, Quoted) else part.name
    if name not in units:
        problem = Problem("unknown-column", f"no column is called {name!r}", None, ", ".join(units))
        raise UsageError(problem._replace(help=nearest(name, units)))
    if units[name] == "text":
        return "text"
    return int(units[name] == "bytes")


def _value(part: Any, columns: Mapping[str, Any]) -> Any:
    if isinstance(part, Quantity):
        return part.number
    if isinstance(part, Quoted | Name):
        name = part.text if isinstance(part, Quoted) else part.name
        return columns.get(name, name)
    left = None if part.symbol in NOT else _value(part.left, columns)
    right = _value(part.right, columns)
    return _worked_out(part.symbol, left, right)


def _worked_out(symbol: str, left: Any, right: Any) -> Any:
    import numpy as np

    if symbol in NOT:
        return np.logical_not(right)
    if symbol in _TRUTHS:
        return np.logical_and(left, right) if symbol == "and" else np.logical_or(left, right)
    if symbol == "/" or _is_real(left) or _is_real(right):
        left, right = _real(left), _real(right)
    elif symbol in {"//", "%"} and isinstance(right, int) and not right:
        right = Counts(np.array([0]))  # which marks a division by 0, where ints raise
    with np.errstate(divide="ignore", invalid="ignore"):
        return (_COMPARISONS | _ARITHMETIC)[symbol](left, right)


def _is_real(value: Any) -> bool:
    return not isinstance(value, int | str | Counts)


def _real(value: Any) -> Any:
    """As floating point numbers, which division gives."""
    import numpy as np

    return value if isinstance(value, str) else np.asarray(value.values if isinstance(value, Counts) else value, float)

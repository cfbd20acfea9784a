"""Rules as formulas: what a rule gives for symbols, printed once with the symbols and once with their numbers.

The expressions are those that rules give when they run on SymPy symbols, so that a printed formula cannot say anything
else than what counts. Printing keeps the order of lecture notes, ``⌊(M − K + 2P)/S⌋ + 1``, and evaluates nothing:
``⌊(224 − 3 + 2·1)/1⌋ + 1``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from archscope.core.arithmetic import deciding

if TYPE_CHECKING:
    from sympy import Expr, Symbol

Leaf = Callable[[str], str]
"""How a symbol of a name is printed: as that, or as its number."""

ORDER = ("N", "M′", "T", "C′", "F′", "r", "a", "M", "D", "K", "C", "C/G", "F", "G", "P", "j", "S", "w", "k", "c")
"""Letters as factors and terms follow one another, whatever stands behind them; others come last, by name."""

_SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉"
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


class Term(NamedTuple):
    """A symbol of a derivation: its name, its number here, and what it stands for."""

    symbol: str
    value: int
    means: str


class Formula(NamedTuple):
    """A rule with symbols, with numbers, and worked out. Evaluating ``numbers`` gives ``value``."""

    symbols: str
    numbers: str
    value: int


def symbol(name: str) -> Symbol:
    """The symbol of that name: a whole number above 0."""
    import sympy

    return sympy.Symbol(name, integer=True, positive=True)


def formula(expression: Any, values: Mapping[str, int]) -> Formula:
    """An expression of symbols as a formula, at the values of its symbols, by name."""
    return Formula(spelled(expression, named), spelled(expression, numbered(values)), worked_out(expression, values))


def worked_out(expression: Any, values: Mapping[str, int]) -> int:
    """What an expression comes to."""
    import sympy

    return int(sympy.sympify(expression).subs({symbol(name): value for name, value in values.items()}))


@contextmanager
def at(values: Mapping[str, int]) -> Iterator[None]:
    """While rules run on symbols, they choose as they do on these numbers, which they have accepted."""
    import sympy

    own = {symbol(name): value for name, value in values.items()}
    with deciding(lambda condition: bool(condition.subs(own) == sympy.true)):
        yield


def named(name: str) -> str:
    """A symbol as its name."""
    return name


def numbered(values: Mapping[str, int], spelt: Mapping[str, str] | None = None) -> Leaf:
    """Symbols as their numbers; ``C/G`` as a quotient of two; those in ``spelt`` as that spells them."""
    texts = {name: number(value) for name, value in values.items()} | (dict(spelt) if spelt else {})
    return lambda name: "/".join(texts[part] for part in name.split("/"))


def number(value: int) -> str:
    """A whole number as it stands in a formula.

    >>> number(25088), number(-90)
    ('25,088', '(−90)')
    """
    return f"{value:,}" if value >= 0 else f"(−{-value:,})"


def spelled(expression: Any, leaf: Leaf) -> str:
    """An expression as text that people read and that evaluates to the same."""
    import sympy

    def printed(match: re.Match[str]) -> str:
        text = leaf(match[2])
        return text if not match[1] or text[0].isalpha() else f"·{text}"

    text = _SYMBOL.sub(printed, _template(sympy.sympify(expression)))
    return re.sub(r"^\((−[\d,]+)\)(?= [+−] )", r"\1", text)  # no bracket is needed around what comes first


_SYMBOL = re.compile(r"⟦(\*?)([^⟧]+)⟧")
"""A symbol in a template; with a star it stands right behind a number: ``2P``, and ``2·1`` once it is one itself."""


@lru_cache(maxsize=4096)
def _template(expression: Expr) -> str:
    """An expression as text with its symbols marked."""
    return _text(_with_ceilings(expression))


def _text(expression: Expr) -> str:
    import sympy

    if isinstance(expression, sympy.Symbol):
        return f"⟦{expression}⟧"
    if isinstance(expression, sympy.Integer):
        return f"{int(expression):,}".replace("-", "−")
    if isinstance(expression, sympy.Add):
        return _sum(expression)
    if isinstance(expression, sympy.Mul | sympy.Rational):
        return _product(expression)
    if isinstance(expression, sympy.Pow):
        return _power(expression)
    name = type(expression).__name__.lower()
    left, right = {"floor": ("⌊", "⌋"), "ceiling": ("⌈", "⌉")}.get(name, (f"{name}(", ")"))
    return f"{left}{', '.join(_text(each) for each in expression.args)}{right}"


def polynomial(expression: Any) -> str:
    """A polynomial as text, its highest terms first: ``14,708,736·w² + 5,952·w``; N before a bracket if all have it."""
    import sympy

    expanded = sympy.expand(expression)
    batch = symbol("N")
    terms = sympy.Add.make_args(expanded)
    if len(terms) > 1 and all(term.has(batch) for term in terms):
        return f"N·({polynomial(expanded / batch)})"
    ranked = sorted(terms, key=lambda term: (-_degree(term), [_rank(each) for each in factors(term)]))
    text = ""
    for term in ranked:
        sign, part = ("−", -term) if term.could_extract_minus_sign() else ("+", term)
        text += f" {sign} {_monomial(part)}" if text else f"{'−' if sign == '−' else ''}{_monomial(part)}"
    return text


def _degree(term: Expr) -> int:
    return sum(1 for each in factors(term) if not each.is_number)


def _monomial(term: Expr) -> str:
    coefficient, rest = term.as_coeff_Mul()
    parts = [] if coefficient == 1 and rest != 1 else [spelled(coefficient, named)]
    for base in dict.fromkeys(factors(rest)) if rest != 1 else ():
        power = factors(rest).count(base)
        parts.append(f"{spelled_factor(base, named)}{str(power).translate(_SUPERSCRIPTS) if power > 1 else ''}")
    return "·".join(parts)


def times(*groups: Iterable[str]) -> str:
    """A product of texts, each group of several in parentheses: ``(3·3·64)·128``.

    >>> times(["3", "3", "64"], ["128"])
    '(3·3·64)·128'
    >>> times(["4,096"], ["1,000"])
    '4,096·1,000'
    """
    products = [list(group) for group in groups if group]
    if len(products) == 1:
        return "·".join(products[0])
    return "·".join(f"({'·'.join(each)})" if len(each) > 1 else each[0] for each in products)


def spelled_factor(expression: Any, leaf: Leaf) -> str:
    """A factor of a product as text, in parentheses where it is a sum."""
    import sympy

    exact = sympy.sympify(expression)
    return f"({spelled(exact, leaf)})" if exact.is_Add else spelled(exact, leaf)


def factors(expression: Expr) -> list[Expr]:
    """The factors of a product, equal ones one by one, in the order of :data:`ORDER`."""
    import sympy

    found: list[Expr] = []
    for part in sympy.Mul.make_args(sympy.sympify(expression)):
        base, exponent = part.as_base_exp()
        many = exponent.is_Integer and exponent > 0
        found += [base] * int(exponent) if many else [part]
    return sorted(found, key=_rank)


def _sum(expression: Expr) -> str:
    """Terms with symbols first; what is subtracted behind a minus sign."""
    text = ""
    for term in sorted(expression.args, key=_rank):
        negative = term.could_extract_minus_sign()
        part = _text(-term if negative else term)
        text += f" {'−' if negative else '+'} {part}" if text else f"{'−' if negative else ''}{part}"
    return text


def _product(expression: Expr) -> str:
    import sympy

    above, below = sympy.fraction(expression)
    if below != 1:
        return f"{_bracketed(above) if above.is_Add else _text(above)}/{_bracketed(below)}"
    coefficient, rest = expression.as_coeff_Mul()
    parts = [_bracketed(each) for each in factors(rest)] if rest != 1 else []
    text = "·".join(parts)
    if coefficient == 1:
        return text
    sign = "−" if coefficient < 0 else ""
    size = f"{abs(int(coefficient)):,}"
    if not parts or coefficient == -1:
        return f"{sign}{text or size}"
    return f"{sign}{size}⟦*{text[1:]}" if rest.is_Symbol else f"{sign}{size}·{text}"


def _power(expression: Expr) -> str:
    base, exponent = expression.as_base_exp()
    if exponent == -1:
        return f"1/{_bracketed(base)}"
    if base.is_Symbol and exponent <= 3:
        return "·".join([_text(base)] * int(exponent))
    return f"{_bracketed(base)}{str(int(exponent)).translate(_SUPERSCRIPTS)}"


def _bracketed(expression: Expr) -> str:
    """A factor, in parentheses where it is a sum or a quotient."""
    text = _text(expression)
    open_ = expression.is_Add or expression.is_Mul or (expression.is_Rational and not expression.is_Integer)
    return f"({text})" if open_ else text


@lru_cache(maxsize=4096)
def _rank(expression: Expr) -> tuple[int, int, str]:
    """Where an expression stands among others; numbers stand last."""
    names = sorted((_place(str(each)), len(str(each)), str(each)) for each in expression.free_symbols)
    return names[0] if names else (len(ORDER) + 1, 0, "")


def _place(name: str) -> int:
    letter = name.partition("_")[0].rstrip(_SUBSCRIPTS)
    return ORDER.index(letter) if letter in ORDER else len(ORDER)


def _with_ceilings(expression: Expr) -> Expr:
    """``−⌊−x⌋`` as ``⌈x⌉``: how rules round up."""
    import sympy

    def is_ceiling(each: Any) -> bool:
        return isinstance(each, sympy.Mul) and each.args[0] == -1 and isinstance(each.args[1], sympy.floor)

    def upwards(each: Any) -> Any:
        above, below = sympy.fraction(sympy.together(-each.args[1].args[0]))
        return sympy.ceiling(sympy.expand(above) / below)

    return expression.replace(is_ceiling, upwards)

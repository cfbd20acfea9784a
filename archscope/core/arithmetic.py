"""The arithmetic that counting rules are written in.

A rule is written once and runs on three kinds of sizes: Python ints (one network), NumPy integer arrays (a whole
sweep at once) and SymPy expressions (the formula itself). Rules therefore use ``+ - * // %`` and the functions below,
never the builtin ``max``, ``min`` or ``if`` on a size. NumPy and SymPy are looked up only when a size comes from
them, so that a summary imports neither.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple, TypeVar, cast

from archscope.core.errors import Problem, ShapeError

Size = int
"""A size in a rule. Annotated ``int``; arrays and symbols pass through the same code."""

Shape = tuple[Size, ...]
"""Sizes of a tensor, batch first."""


class Ratio(NamedTuple):
    """A factor at many points, where a ``Fraction`` is one at one point; it has the same two attributes."""

    numerator: Size
    denominator: Size


class PointsDiffer(Exception):
    """A network has one structure at some points of a sweep and another one elsewhere; ``where``: the mask of some.

    Not what a user sees: whoever has the points takes them apart and asks again.
    """

    def __init__(self, where: Any) -> None:
        super().__init__("the points of an array differ in structure: they have to be looked at apart")
        self.where = where


class Failure(NamedTuple):
    """A requirement that fails somewhere: the mask of the points, and which one it is."""

    points: Any
    rule: str


Chosen = TypeVar("Chosen", bound=int)

_failures: ContextVar[list[Failure] | None] = ContextVar("failures", default=None)
_decided: ContextVar[Callable[[Any], bool] | None] = ContextVar("decided", default=None)


def product(sizes: Sequence[Size]) -> Size:
    """The product of sizes; 1 for none.

    >>> product((64, 3, 3, 3))
    1728
    """
    total: Size = 1
    for size in reversed(sizes):  # height and width first: in a sweep they vary along fewer axes than their products
        total = total * size
    return total


def ceil_div(a: Size, b: Size) -> Size:
    """``a / b`` rounded up.

    >>> ceil_div(109, 2)
    55
    """
    return -(-a // b)


def largest(a: Size, b: Size) -> Size:
    """The larger of two sizes, point by point.

    >>> largest(1, 8)
    8
    """
    if isinstance(a, int) and isinstance(b, int):
        return a if a >= b else b
    if a is b:
        return a
    return _elementwise("maximum", "Max", a, b)


def smallest(a: Size, b: Size) -> Size:
    """The smaller of two sizes, point by point.

    >>> smallest(1, 8)
    1
    """
    if isinstance(a, int) and isinstance(b, int):
        return a if a <= b else b
    if a is b:
        return a
    return _elementwise("minimum", "Min", a, b)


def choose(condition: bool, a: Chosen, b: Chosen) -> Chosen:
    """``a`` where the condition holds and ``b`` elsewhere.

    >>> choose(7 > 3, 55, 54)
    55
    """
    if isinstance(condition, bool):
        return a if condition else b
    if type(condition).__module__.startswith("numpy"):
        merged: Chosen = _chosen(condition, a, b)
        return merged
    decide = _decided.get()
    if decide is not None:
        return a if decide(condition) else b
    import sympy

    return sympy.Piecewise((a, condition), (b, True))


def require(condition: bool, message: Callable[[], str]) -> None:
    """What must hold for a rule to mean anything.

    For ints it raises :class:`ShapeError` with ``message()``. For arrays it marks the points where it fails as
    unusable (see :func:`unusable_points`). For symbols it is assumed.
    """
    if condition is True or _decided.get() is not None:
        return
    if condition is False:
        raise ShapeError(Problem("impossible-shape", message()))
    if not type(condition).__module__.startswith("numpy"):
        return
    if condition.all():
        return
    failures = _failures.get()
    if failures is not None:
        failures.append(Failure(~condition, f"{message.__module__}:{message.__code__.co_firstlineno}"))
    else:
        raise ShapeError(Problem("impossible-shape", message()))


@contextmanager
def deciding(decide: Callable[[Any], bool]) -> Iterator[None]:
    """While rules run on symbols, has each choice made by ``decide``, and takes for granted what they require.

    It is for symbols that stand for known numbers, on which the rules have run before: what they required holds, though
    two symbols of one number are not the same for ``==``.
    """
    token = _decided.set(decide)
    try:
        yield
    finally:
        _decided.reset(token)


@contextmanager
def unusable_points() -> Iterator[list[Failure]]:
    """Collects the points at which some :func:`require` failed, in the order of the rules, while they run on arrays."""
    failures: list[Failure] = []
    token = _failures.set(failures)
    try:
        yield failures
    finally:
        _failures.reset(token)


def is_many(value: Any) -> bool:
    """Whether a value stands for many: sizes or factors at many points, or a symbol; or has a part that does."""
    if isinstance(value, tuple):
        return any(is_many(part) for part in value)
    return type(value).__module__.startswith(("sympy", _COUNTS))


def agree(one: Shape, other: Shape) -> bool:
    """Whether two shapes are equal. Raises :class:`PointsDiffer` if they are at some points of an array only.

    >>> agree((1, 64, 56, 56), (1, 256, 56, 56))
    False
    """
    if len(one) != len(other):
        return False
    equal: Any = True
    for mine, its in zip(one, other, strict=True):
        equal = equal & (mine == its)
    if isinstance(equal, bool):
        return equal
    if equal.any() and not equal.all():
        raise PointsDiffer(equal)
    return bool(equal.all())


_COUNTS = "archscope.core.counts"


def _counts_of(*values: Any) -> Any:
    """The class of checked arrays, if one of the values is one: it knows how to choose among its own."""
    return next((type(value) for value in values if type(value).__module__ == _COUNTS), None)


def _chosen(condition: Any, a: Any, b: Any) -> Any:
    """``a`` or ``b`` by an array of bools."""
    if counts := _counts_of(a, b):
        return counts.where(condition, a, b)
    import numpy as np

    return np.where(condition, a, b)


def _elementwise(of_arrays: str, of_symbols: str, a: Size, b: Size) -> Size:
    if any(type(x).__module__.startswith("sympy") for x in (a, b)):
        import sympy

        chosen: Size = getattr(sympy, of_symbols)(a, b)
        return chosen
    if counts := _counts_of(a, b):
        return cast("Size", counts.extreme(of_arrays, a, b))
    import numpy as np

    picked: Size = getattr(np, of_arrays)(a, b)
    return picked

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
from typing import Any

from archscope.core.errors import Problem, ShapeError

Size = int
"""A size in a rule. Annotated ``int``; arrays and symbols pass through the same code."""

Shape = tuple[Size, ...]
"""Sizes of a tensor, batch first."""

_unusable: ContextVar[list[Any] | None] = ContextVar("unusable", default=None)


def product(sizes: Sequence[Size]) -> Size:
    """The product of sizes; 1 for none.

    >>> product((64, 3, 3, 3))
    1728
    """
    total: Size = 1
    for size in sizes:
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
    return _elementwise("maximum", "Max", a, b)


def smallest(a: Size, b: Size) -> Size:
    """The smaller of two sizes, point by point.

    >>> smallest(1, 8)
    1
    """
    if isinstance(a, int) and isinstance(b, int):
        return a if a <= b else b
    return _elementwise("minimum", "Min", a, b)


def choose(condition: bool, a: Size, b: Size) -> Size:
    """``a`` where the condition holds and ``b`` elsewhere.

    >>> choose(7 > 3, 55, 54)
    55
    """
    if isinstance(condition, bool):
        return a if condition else b
    module = type(condition).__module__
    if module.startswith("numpy"):
        import numpy as np

        merged: Size = np.where(condition, a, b)
        return merged
    import sympy

    return sympy.Piecewise((a, condition), (b, True))


def require(condition: bool, message: Callable[[], str]) -> None:
    """What must hold for a rule to mean anything.

    For ints it raises :class:`ShapeError` with ``message()``. For arrays it marks the points where it fails as
    unusable (see :func:`unusable_points`). For symbols it is assumed.
    """
    if condition is True:
        return
    if condition is False:
        raise ShapeError(Problem("impossible-shape", message()))
    if not type(condition).__module__.startswith("numpy"):
        return
    points = _unusable.get()
    if points is not None:
        points.append(~condition)
    elif not condition.all():
        raise ShapeError(Problem("impossible-shape", message()))


@contextmanager
def unusable_points() -> Iterator[list[Any]]:
    """Collects the masks of points at which some :func:`require` failed, while rules run on arrays."""
    masks: list[Any] = []
    token = _unusable.set(masks)
    try:
        yield masks
    finally:
        _unusable.reset(token)


def _elementwise(of_arrays: str, of_symbols: str, a: Size, b: Size) -> Size:
    if any(type(x).__module__.startswith("sympy") for x in (a, b)):
        import sympy

        chosen: Size = getattr(sympy, of_symbols)(a, b)
        return chosen
    import numpy as np

    picked: Size = getattr(np, of_arrays)(a, b)
    return picked

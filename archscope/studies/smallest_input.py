"""The smallest square input that a network takes: what to say to who gave a smaller one."""

from __future__ import annotations

from collections.abc import Callable

from archscope.core.errors import ShapeError

Make = Callable[[tuple[int, int]], object]
"""Makes a network at a size (height, width), or raises ShapeError."""


def explained(error: ShapeError, given: tuple[int, int], most: int, make: Make) -> ShapeError:
    """The error of a network that cannot be made at the ``given`` size, with the smallest that works in its help.

    most: a side at which it can be made, its table's own.
    """
    side = smallest_side(lambda side: _is_made(make, side), min(given), most)
    if side is None:
        return error
    help_line = f"the smallest square input that it takes is {side}×{side}: --input {side}x{side}"
    return ShapeError(*(problem._replace(help=help_line) for problem in error.problems))


def smallest_side(takes: Callable[[int], bool], refused: int, most: int) -> int | None:
    """The smallest side above ``refused`` and up to ``most`` that is taken; None where ``most`` is not.

    All sides above one that is taken are supposed to be.

    >>> smallest_side(lambda side: side >= 32, 16, 224)
    32
    """
    if most <= refused or not takes(most):
        return None
    while most - refused > 1:
        middle = (refused + most) // 2
        refused, most = (refused, middle) if takes(middle) else (middle, most)
    return most


def _is_made(make: Make, side: int) -> bool:
    try:
        make((side, side))
    except ShapeError:
        return False
    return True

"""Whole numbers at many points at once: what rules run on in a sweep. Exact, whatever their size."""

from __future__ import annotations

from collections.abc import Callable
from operator import add, floordiv, mod, mul, sub
from typing import TYPE_CHECKING, Any

from archscope.core.arithmetic import require

if TYPE_CHECKING:
    import numpy as np

LARGEST = 2**63 - 1
"""What an int64 holds. Numbers that may be larger are worked out as Python ints, which have no limit."""


class Counts:
    """An array of whole numbers that cannot overflow silently: NumPy's int64 with a bound on what they can be.

    values: int64, or Python ints in an object array. bound: none of them is further from 0. Before an operation whose
    result could pass 2⁶³ - 1 the bounds are looked up anew in the values; if it still could, Python ints do it.
    Takes ints, NumPy arrays and other Counts as operands, and their shapes as NumPy's broadcasting does. A comparison
    gives a NumPy array of bools.

    >>> import numpy as np
    >>> millions = Counts(np.array([2_000_000, 3_000_000]))
    >>> (millions * millions).values.dtype, (millions * millions * millions * millions).values.tolist()
    (dtype('int64'), [16000000000000000000000000, 81000000000000000000000000])
    """

    __slots__ = ("bound", "values")
    __array_ufunc__ = None  # NumPy arrays leave operations with these to the methods below
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, values: np.ndarray[Any, Any], bound: int | None = None) -> None:
        self.values = values
        self.bound = _largest_of(values) if bound is None else bound

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array."""
        return tuple(self.values.shape)

    def __repr__(self) -> str:
        if not self.values.size:
            return "no sizes"
        low, high = self.values.min(), self.values.max()
        return str(low) if low == high else f"{low} to {high}"

    @staticmethod
    def where(condition: Any, a: Any, b: Any) -> Counts:
        """``a`` where the condition holds and ``b`` elsewhere."""
        import numpy as np

        return Counts(np.where(condition, plain(a), plain(b)), max(_bound(a), _bound(b)))

    @staticmethod
    def extreme(name: str, a: Any, b: Any) -> Counts:
        """``maximum`` or ``minimum`` of two, point by point."""
        import numpy as np

        return _combined(a, b, getattr(np, name), max)

    def __bool__(self) -> bool:
        raise TypeError("sizes at many points are neither true nor false: a rule decides with choose or require")

    def __add__(self, other: Any) -> Counts:
        if _is(other, 0):
            return self
        return _combined(self, other, add, add)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Counts:
        return _combined(self, other, sub, add)

    def __rsub__(self, other: Any) -> Counts:
        return _combined(other, self, sub, add)

    def __mul__(self, other: Any) -> Counts:
        if _is(other, 1):
            return self
        return _combined(self, other, mul, mul)

    __rmul__ = __mul__

    def __floordiv__(self, other: Any) -> Counts:
        return _combined(self, _divisor(other), floordiv, _first)

    def __rfloordiv__(self, other: Any) -> Counts:
        return _combined(other, _divisor(self), floordiv, _first)

    def __mod__(self, other: Any) -> Counts:
        return _combined(self, _divisor(other), mod, _second)

    def __rmod__(self, other: Any) -> Counts:
        return _combined(other, _divisor(self), mod, _second)

    def __neg__(self) -> Counts:
        return Counts(-self.values, self.bound)

    def __eq__(self, other: object) -> Any:
        return self.values == plain(other)

    def __ne__(self, other: object) -> Any:
        return self.values != plain(other)

    def __lt__(self, other: Any) -> Any:
        return self.values < plain(other)

    def __le__(self, other: Any) -> Any:
        return self.values <= plain(other)

    def __gt__(self, other: Any) -> Any:
        return self.values > plain(other)

    def __ge__(self, other: Any) -> Any:
        return self.values >= plain(other)


def plain(value: Any) -> Any:
    """The array of counts; any other value as it is."""
    return value.values if isinstance(value, Counts) else value


def _combined(a: Any, b: Any, operation: Callable[[Any, Any], Any], bound_of: Callable[[int, int], int]) -> Counts:
    bound = bound_of(_bound(a), _bound(b))
    if bound > LARGEST:
        bound = bound_of(_tightened(a), _tightened(b))
    if max(bound, *(abs(each) for each in (a, b) if isinstance(each, int)), 0) > LARGEST:
        return Counts(operation(_exact(a), _exact(b)), bound)
    return Counts(operation(plain(a), plain(b)), bound)


def _first(a: int, _: int) -> int:
    return a


def _second(_: int, b: int) -> int:
    return b


def _is(value: Any, number: int) -> bool:
    """Whether a value is this very number everywhere: sums begin with 0 and products with 1, which cost nothing so."""
    return isinstance(value, int) and value == number


def _bound(value: Any) -> int:
    if isinstance(value, Counts):
        return value.bound
    return abs(value) if isinstance(value, int) else _largest_of(value)


def _tightened(value: Any) -> int:
    """The bound of a value, looked up in its numbers and kept."""
    if isinstance(value, Counts):
        value.bound = _largest_of(value.values)
    return _bound(value)


def _largest_of(values: Any) -> int:
    return max(abs(int(values.max())), abs(int(values.min()))) if values.size else 0


def _exact(value: Any) -> Any:
    """As Python ints, which have no limit."""
    values = plain(value)
    return values if isinstance(values, int) else values.astype(object)


def _divisor(value: Any) -> Any:
    """The divisor, with 1 for 0: such points are unusable."""
    if isinstance(value, int) and value:
        return value
    fits = value != 0
    require(fits, lambda: "a size is divided by 0")
    return value if isinstance(value, int) or fits.all() else Counts.where(fits, value, 1)

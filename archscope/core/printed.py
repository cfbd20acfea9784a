"""Numbers as papers print them, ``2.7K``, ``1.5 billion``, ``3.8×10^9``, ``138,344,128``, and when a count is one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from archscope.core.errors import Problem, TableError
from archscope.core.source import Span

if TYPE_CHECKING:
    from fractions import Fraction

_NUMBER = (
    r"(?:≈|~=|~|=)?\s*(?P<whole>\d[\d,\s]*)(?:\.(?P<part>\d+))?\s*"
    r"(?:(?P<power>×\s*10\^?(?P<exponent>\d+))|(?P<unit>[A-Za-z%]+))?"
)

POWERS = {"": 0, "k": 1, "m": 2, "million": 2, "mb": 2, "g": 3, "b": 3, "bn": 3, "gb": 3, "billion": 3}
"""Thousands that a letter behind a number stands for; with ``K = 1024`` they are powers of 1024."""


class Printed(NamedTuple):
    """A printed number: its digits as a whole number, how many of them are decimals, and its power of a thousand.

    per_cent: it is a share, of a hundred.
    """

    digits: int
    decimals: int
    power: int
    per_cent: bool = False

    def equals(self, count: int, thousand: int = 1000, significant: int | None = None) -> bool:
        """Whether ``count``, rounded or cut to the printed digits, is this number.

        significant: how many digits the source gives where it fills up with zeros: then ``800K`` is 802,816, too.

        >>> number("2.7K").equals(2712), number("159K").equals(163328), number("159K").equals(163328, thousand=1024)
        (True, False, True)
        """
        above, below = count * 10**self.decimals, self.scale(thousand)
        if self.digits in {above // below, (2 * above + below) // (2 * below)}:
            return True
        if significant is None or len(str(count)) <= significant:
            return False
        step = 10 ** (len(str(count)) - significant)
        cut, rounded = count // step * step, (count + step // 2) // step * step
        return self.digits * below in {cut * 10**self.decimals, rounded * 10**self.decimals}

    def is_share(self, part: int, whole: int) -> bool:
        """Whether ``part`` of ``whole``, in per cent, rounded or cut to the printed digits, is this number.

        >>> number("1.19%").is_share(10838016, 568740352), number("1.91%").is_share(10838016, 568740352)
        (False, True)
        """
        above = 100 * part * 10**self.decimals
        return self.digits in {above // whole, (2 * above + whole) // (2 * whole)}

    def bounds(self, thousand: int = 1000, significant: int | None = None) -> tuple[Fraction, Fraction]:
        """The least and the largest number that is printed like this, rounded or cut.

        >>> [str(each) for each in (*number("2.7K").bounds(), *number("800K").bounds(significant=2))]
        ['2650', '2800', '795000', '810000']
        """
        from fractions import Fraction

        value = Fraction(self.digits * self.scale(thousand), 10**self.decimals)
        unit = Fraction(self.scale(thousand), 10**self.decimals)
        filled = len(str(int(value))) - significant if significant is not None else 0
        unit = max(unit, Fraction(10**filled)) if filled > 0 else unit
        return value - unit / 2, value + unit

    def scale(self, thousand: int = 1000) -> int:
        """What one of the number's units is."""
        return int(thousand**self.power)

    def value(self, thousand: int = 1000) -> float:
        """The number itself."""
        return float(self.digits * self.scale(thousand)) / float(10**self.decimals)


def number(text: str, unit: str = "", span: Span | None = None) -> Printed:
    """The number that a cell prints; of ``(3*3*3)*64 = 1,728`` what stands behind the last ``=``.

    unit: for a cell without one. Raises TableError at ``span`` for what is no number.

    >>> number("1.5 billion"), number("133", "M")
    (Printed(digits=15, decimals=1, power=3, per_cent=False), Printed(digits=133, decimals=0, power=2, per_cent=False))
    """
    last = text.rpartition("=")[2].strip()
    match = re.fullmatch(_NUMBER, last)
    word = "" if match is None else (match["unit"] or "").lower()
    if match is None or (word != "%" and word not in POWERS):
        expected = "a number such as 2.7K, 1.5 billion, 3.8×10^9 or 138,344,128"
        raise TableError(Problem("unreadable-number", f"cannot read {text!r} as a printed number", span, expected))
    digits = re.sub(r"\D", "", match["whole"]) + (match["part"] or "")
    decimals = len(match["part"] or "")
    if match["power"]:
        whole, rest = divmod(int(match["exponent"][:3]), 3)
        return Printed(int(digits) * 10**rest, decimals, whole)
    if word == "%":
        return Printed(int(digits), decimals, 0, per_cent=True)
    return Printed(int(digits), decimals, POWERS[word or unit.lower()])

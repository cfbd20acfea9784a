"""Sizes of memory as people write them: ``2GB`` is 10⁹ times 2, ``2GiB`` is 2³⁰ times 2, and ``2G`` is neither."""

from __future__ import annotations

import re
from fractions import Fraction

from archscope.core.errors import Problem, UsageError

BYTE_UNITS = {
    "B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
    "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40,
}  # fmt: skip
"""Bytes of each unit, by the International System and by IEC 80000-13."""

COUNT_UNITS = {"k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
"""What a letter behind a count stands for: ``5M`` params are five million."""

_SIZE = re.compile(r"\s*(\d{1,15}(?:\.\d{1,15})?)\s*([A-Za-z]*)\s*", re.ASCII)
_LETTERS = {"k": "K", "m": "M", "g": "G", "t": "T"}


def memory_size(text: str, flag: str, *, least: int = 1) -> int:
    """The bytes that a text says, cut to whole ones. Raises UsageError, naming ``flag``, for anything unclear or less.

    >>> memory_size("2GiB", "--memory"), memory_size("1.5 GB", "--memory")
    (2147483648, 1500000000)
    """
    match = _SIZE.fullmatch(text)
    if match is None:
        raise UsageError(Problem("bad-value", f"{flag} is {text!r}", expected="a size with its unit, such as 2GiB"))
    number, unit = match.groups()
    if unit not in BYTE_UNITS:
        raise UsageError(_unclear(text, number, unit, flag))
    size = int(Fraction(number) * BYTE_UNITS[unit])
    if size < least:
        raise UsageError(Problem("bad-value", f"{flag} is {text!r}, which is no memory at all"))
    return size


def _unclear(text: str, number: str, unit: str, flag: str) -> Problem:
    """What is wrong with a unit: 1000 or 1024 left open, bits, missing, or unknown."""
    message = f"{flag} is {text!r}"
    letter = _LETTERS.get(unit[:1].lower(), "")
    if not unit:
        return Problem("bad-value", f"{message}, without a unit", expected=f"{number}MiB or {number}GiB")
    if letter and unit[1:].lower() in {"", "i", "b", "ib"}:
        decimal, binary = f"{letter}B", f"{letter}iB"
        expected = (
            f"{number}{decimal} ({BYTE_UNITS[decimal]:,} B each) or {number}{binary} ({BYTE_UNITS[binary]:,} B each)"
        )
        return Problem("bad-value", f"{message}, which may mean two things", expected=expected)
    return Problem("bad-value", f"{message}: no unit of memory is called {unit!r}", expected=", ".join(BYTE_UNITS))

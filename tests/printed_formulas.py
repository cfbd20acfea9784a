"""How tests read a printed formula back: what it comes to, by arithmetic alone, with no help from what printed it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from math import ceil, floor

_POWERS = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_IN_NAMES = str.maketrans({"′": "_out", **{digit: f"_{number}" for number, digit in enumerate("₀₁₂₃₄₅₆₇₈₉")}})


def evaluate(text: str, values: Mapping[str, int] | None = None) -> Fraction:
    """The value of ``⌊(224 − 3 + 2·1)/1⌋ + 1``, or with values by letter of ``⌊(M − K + 2P)/S⌋ + 1``."""
    plain = re.sub(r"(?<=\d),(?=\d{3})", "", text)
    plain = re.sub(f"[{_POWERS}]+", lambda match: "**" + "".join(str(_POWERS.index(c)) for c in match[0]), plain)
    for sign, word in (("·", "*"), ("−", "-"), ("⌊", " floor("), ("⌋", ")"), ("⌈", " ceil("), ("⌉", ")")):
        plain = plain.replace(sign, word)
    plain = re.sub(r"(?<=\d)(?=[A-Za-z])", "*", plain)
    plain = re.sub(r"(?<![\w′])\d+", lambda match: f"Fraction({match[0]})", plain).translate(_IN_NAMES)
    names = {name.translate(_IN_NAMES): Fraction(value) for name, value in (values or {}).items()}
    known = {"Fraction": Fraction, "floor": floor, "ceil": ceil, "__builtins__": {}, **names}
    return Fraction(eval(plain, known))  # noqa: S307  our own text, and no builtins

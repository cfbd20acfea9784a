"""Whether a printed cell is what a network has, and under which convention its column was counted.

A cell agrees if the computed value, rounded or cut to the printed digits, equals it, for params with or without biases.
What a column means (K = 1000 or 1024, MACs or FLOPs, batch norm counted or not) is the convention under which most of
its cells agree, and is stated. Whatever is left is refuted: nothing is tolerated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import product as combinations
from typing import NamedTuple

from archscope.spec.claims import Claim
from archscope.studies.counting import Counts

SIZES = ("input", "output")
"""Quantities that are sizes, not counts."""

SHARE = " share"
"""What the name of a quantity ends in that is a share of the whole network's, in per cent."""


class Convention(NamedTuple):
    """What a column of printed numbers means."""

    thousand: int = 1000
    factor: int = 1
    batch_norm: bool = True

    def words(self, quantity: str) -> str:
        """The convention as a note, for a quantity where it matters."""
        base = quantity.removesuffix(SHARE)
        parts = [f"K = {self.thousand}"] if quantity in {"params", "weights"} else []
        parts += [{1: "multiply-accumulates", 2: "FLOPs, 2 × MACs"}[self.factor]] if quantity == "macs" else []
        parts += ["without batch norm"] if base == "params" and not self.batch_norm else []
        return ", ".join(parts)


def fitting(claims: Sequence[Claim], counts_of: Callable[[Claim], Counts]) -> Convention:
    """The convention under which most of a column's cells agree; the plainest of several."""
    declared = [claim.thousand for claim in claims if claim.thousand]
    quantity, base = claims[0].quantity, claims[0].quantity.removesuffix(SHARE)
    thousands = declared[:1] or ([1000, 1024] if quantity in {"params", "weights"} else [1000])
    factors = [1, 2] if quantity == "macs" else [1]
    norms = [True, False] if base == "params" else [True]
    choices = [Convention(*each) for each in combinations(thousands, factors, norms)]
    if len(choices) == 1:
        return choices[0]
    return max(choices, key=lambda each: sum(agrees(claim, counts_of(claim), each) is True for claim in claims))


def agrees(claim: Claim, counts: Counts, convention: Convention) -> bool | None:
    """Whether the printed value is what the network has; None where no such quantity is computed."""
    if claim.quantity in SIZES:
        shape = counts.shape(claim.lines, claim.quantity)
        return None if shape is None else _same_size(claim.text, shape)
    values = _values(claim, counts, convention)
    if not values:
        return None
    printed = claim.printed()
    if claim.quantity.endswith(SHARE):
        return any(printed.is_share(part, whole) for part, whole in values)
    return any(printed.equals(convention.factor * value, convention.thousand, claim.significant) for value, _ in values)


def spelled(claim: Claim, counts: Counts, convention: Convention) -> str:
    """The computed value as text, with its ratio to the printed one where it differs; empty where there is none."""
    if claim.quantity in SIZES:
        shape = counts.shape(claim.lines, claim.quantity)
        return "" if shape is None else size_text(shape)
    values = _values(claim, counts, convention)
    if not values:
        return ""
    value, whole = values[0]
    if claim.quantity.endswith(SHARE):
        return f"{100 * value / whole:.{claim.printed().decimals}f}%"
    value *= convention.factor
    printed = claim.printed().value(convention.thousand)
    return f"{value:,} ({value / printed:.3f}×)" if printed and value != printed else f"{value:,}"


def size_text(shape: tuple[int, ...]) -> str:
    """A shape (channels, height, width) as papers print it: height × width × channels."""
    return "×".join(map(str, (*shape[1:], shape[0])))


def _values(claim: Claim, counts: Counts, convention: Convention) -> list[tuple[int, int]]:
    """The counts that a cell may mean, each with that of the whole network; 1 for a cell that is no share."""
    base = claim.quantity.removesuffix(SHARE)
    parts = counts.of(base, claim.lines, batch_norm=convention.batch_norm)
    if base == claim.quantity:
        return [(part, 1) for part in parts]
    wholes = counts.of(base, None, batch_norm=convention.batch_norm)
    return [(part, whole) for part, whole in zip(parts, wholes, strict=True) if whole] if parts and wholes else []


def _same_size(text: str, shape: tuple[int, ...]) -> bool:
    """Whether printed sizes are those of the shape (channels, height, width): h×w×c, or h×w alone, or c alone."""
    channels, *axes = shape
    height, width = axes or (1, 1)
    sizes = [int(part) for part in re.findall(r"\d+", re.sub(r"(\d+)²", r"\1×\1", text))]
    return sizes in ([height, width, channels], [height, width], [channels])

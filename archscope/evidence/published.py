"""The paper's own printed numbers, and those of other sources about the network, cell by cell.

A cell agrees if the computed value, rounded or cut to the printed digits, equals it, for params with or without biases.
What a column means (K = 1000 or 1024, MACs or FLOPs, batch norm counted or not) is the convention under which most of
its cells agree, and is stated. Whatever is left is refuted: nothing is tolerated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product as combinations
from typing import Any, NamedTuple

from archscope.catalog import lowered
from archscope.core.printed import Printed
from archscope.evidence import AGREES, EXPLAINED, REFUTED, STALE, UNDECIDED, Case, Finding, Unavailable
from archscope.graph.lowering import lower
from archscope.spec.claims import Claim, claims_of
from archscope.spec.compiler import networks
from archscope.spec.knobs import turned
from archscope.spec.naming import named
from archscope.spec.options import options
from archscope.spec.table import Table
from archscope.studies.counting import Counts

NEEDS: tuple[str, ...] = ()

SHAPES = ("input", "output")
"""Quantities that are sizes, not counts."""


class Convention(NamedTuple):
    """What a column of printed numbers means."""

    thousand: int = 1000
    factor: int = 1
    batch_norm: bool = True

    def words(self, quantity: str) -> str:
        """The convention as a note, for a quantity where it matters."""
        parts = [f"K = {self.thousand}"] if quantity in {"params", "weights"} else []
        parts += [{1: "multiply-accumulates", 2: "FLOPs, 2 × MACs"}[self.factor]] if quantity == "macs" else []
        parts += ["without batch norm"] if quantity == "params" and not self.batch_norm else []
        return ", ".join(parts)


def examine(case: Case) -> Iterator[Finding]:
    """Every printed number about the network, and every erratum of its table that belongs to it."""
    if case.table is None:
        raise Unavailable("it has no table")
    yield from (finding for finding in _of_table(case.table) if finding.network == case.spec.name)


def concerns(table: Table, network: str) -> bool:
    """Whether a number about the network is printed, or an erratum of its table is told with it."""
    if not _told or _told[0][0] is not table:
        first = next(iter(networks(table)))
        _told[:] = [(table, {first} | {claim.network for claim in claims_of(table)})]
    return network in _told[0][1]


_told: list[tuple[Table, set[str]]] = []
"""The table asked for last, and the networks that something is printed about."""


def _of_table(table: Table) -> list[Finding]:
    """The findings of a table, kept while its networks are asked for one after another."""
    if not _last or _last[0][0] is not table:
        _last[:] = [(table, list(_findings(table)))]
    return _last[0][1]


_last: list[tuple[Table, list[Finding]]] = []
"""The table asked for last, and its findings: conventions are inferred over all networks of one."""


def _findings(table: Table) -> Iterator[Finding]:
    about: dict[tuple[Any, ...], Counts] = {}
    columns: dict[tuple[str, str, str], list[Claim]] = {}
    for claim in claims_of(table):
        columns.setdefault((claim.source, claim.column, claim.quantity), []).append(claim)
        if _network_of(claim) not in about:
            about[_network_of(claim)] = _counts(table, claim)
    used: set[int] = set()
    for claims in columns.values():
        convention = _fitting(claims, about)
        for claim in claims:
            yield _finding(table, claim, about[_network_of(claim)], convention, used)
    yield from _unused_errata(table, used)


def _network_of(claim: Claim) -> tuple[Any, ...]:
    """What a claim is about: a network, and the options under which the number is printed."""
    return (claim.network, *claim.changes)


def _counts(table: Table, claim: Claim) -> Counts:
    spec, graph = lowered(table, claim.network)
    return Counts(lower(named(turned(spec, options(dict(claim.changes))))) if claim.changes else graph)


def _unused_errata(table: Table, used: set[int]) -> Iterator[Finding]:
    """Errata about what is printed, but is no number that can be held against the network."""
    network = next(iter(networks(table)))
    for erratum in table.data.get("errata", []):
        if id(erratum) not in used:
            place = f"{erratum['row']}, {erratum['column']}"
            yield Finding("published", network, UNDECIDED, place, erratum["printed"], why=str(erratum["says"]))


def _fitting(claims: Sequence[Claim], about: Mapping[tuple[Any, ...], Counts]) -> Convention:
    """The convention under which most of a column's cells agree; the plainest of several."""
    declared = [claim.thousand for claim in claims if claim.thousand]
    quantity = claims[0].quantity
    thousands = declared[:1] or ([1000, 1024] if quantity in {"params", "weights"} else [1000])
    factors = [1, 2] if quantity == "macs" else [1]
    norms = [True, False] if quantity == "params" else [True]
    choices = [Convention(*each) for each in combinations(thousands, factors, norms)]
    if len(choices) == 1:
        return choices[0]
    return max(choices, key=lambda each: sum(_agrees(c, about[_network_of(c)], each) is True for c in claims))


def _agrees(claim: Claim, counts: Counts, convention: Convention) -> bool | None:
    """Whether the printed value is what the network has; None where no such quantity is computed."""
    if claim.quantity in SHAPES:
        shape = counts.shape(claim.lines, claim.quantity)
        return None if shape is None else _same_shape(claim.text, shape)
    values = counts.of(claim.quantity, claim.lines, batch_norm=convention.batch_norm)
    if not values:
        return None
    printed: Printed = claim.printed()
    return any(printed.equals(convention.factor * value, convention.thousand, claim.significant) for value in values)


def _same_shape(text: str, shape: tuple[int, ...]) -> bool:
    """Whether printed sizes are those of the shape (channels, height, width): h×w×c, or h×w alone, or c alone."""
    channels, *axes = shape
    height, width = axes or (1, 1)
    sizes = [int(part) for part in re.findall(r"\d+", re.sub(r"(\d+)²", r"\1×\1", text))]
    return sizes in ([height, width, channels], [height, width], [channels])


def _finding(table: Table, claim: Claim, counts: Counts, convention: Convention, used: set[int]) -> Finding:
    agrees = _agrees(claim, counts, convention)
    erratum = _erratum(table, claim)
    values = _spelled(claim, counts, convention)
    status, why = AGREES, convention.words(claim.quantity)
    if agrees is None:
        status, why = UNDECIDED, str((erratum or {}).get("says", f"{claim.quantity} is not computed"))
    elif agrees and erratum is not None and id(erratum) not in used:
        status, why = STALE, "the table has an erratum for this cell, and the cell agrees"
    elif not agrees:
        status = REFUTED if erratum is None else EXPLAINED
        why = "no erratum explains it" if erratum is None else str(erratum.get("cause") or erratum["says"])
    if erratum is not None:
        used.add(id(erratum))
    return Finding("published", claim.network, status, claim.where, claim.text, values, why, claim.span)


def _erratum(table: Table, claim: Claim) -> Mapping[str, str] | None:
    for erratum in table.data.get("errata", []):
        place = (str(erratum.get("published", "")), erratum["row"], erratum["column"], erratum["printed"])
        if place == (claim.source, claim.row, claim.column, claim.text):
            found: Mapping[str, str] = erratum
            return found
    return None


def _spelled(claim: Claim, counts: Counts, convention: Convention) -> str:
    if claim.quantity in SHAPES:
        shape = counts.shape(claim.lines, claim.quantity)
        return "" if shape is None else "×".join(map(str, (*shape[1:], shape[0])))
    values = counts.of(claim.quantity, claim.lines, batch_norm=convention.batch_norm)
    if not values:
        return ""
    value = convention.factor * values[0]
    printed = claim.printed().value(convention.thousand)
    return f"{value:,} ({value / printed:.3f}×)" if printed and value != printed else f"{value:,}"

"""The paper's own printed numbers, and those of other sources about the network, cell by cell.

Every printed number is held against what the network has (``studies/agreement.py``), and against the cells beside it
(``studies/consistency.py``). A cell that the network is made of, and that an erratum mends, is put back as it is
printed: it is refuted where the network then does not fit, or parts from the printed numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from archscope.catalog import lowered
from archscope.core.errors import ArchscopeError, Problem
from archscope.evidence import AGREES, EXPLAINED, REFUTED, STALE, UNDECIDED, Case, Finding, Unavailable
from archscope.graph.lowering import lower
from archscope.spec.claims import Claim, claims_of, label_at, papers_networks
from archscope.spec.compiler import compile_table, networks
from archscope.spec.knobs import turned
from archscope.spec.mending import Erratum, cell_of, without_instead
from archscope.spec.naming import named
from archscope.spec.network import Spec
from archscope.spec.options import options
from archscope.spec.overriding import with_cells
from archscope.spec.stages import repeated
from archscope.spec.table import Table
from archscope.studies.agreement import Convention, agrees, fitting, spelled
from archscope.studies.consistency import first_step_off, places, sums
from archscope.studies.counting import Counts, as_far_as_it_goes, rows_before

NEEDS: tuple[str, ...] = ()


def concerns(table: Table, network: str) -> bool:
    """Whether a number about the network is printed, or an erratum of its table is told with it."""
    return network in _read(table).networks


def examine(case: Case) -> Iterator[Finding]:
    """Every printed number about the network, and every erratum of its table that belongs to it."""
    if case.table is None:
        raise Unavailable("it has no table")
    yield from (finding for finding in _of_table(case.table) if finding.network == case.name)


def parting(table: Table, network: str, error: ArchscopeError) -> Problem | None:
    """Of a network that has an error: the row before it from which on sizes part from the printed ones."""
    try:
        counts = as_far_as_it_goes(named(compile_table(table, network)), error)
    except ArchscopeError:
        return None  # it is no size that is wrong, and the error itself says what
    off = None if counts is None else first_step_off(_read(table).unexplained(network), counts)
    return None if off is None else Problem("printed-size", off.why, off.span or off.cells[0].span)


class _Column(NamedTuple):
    """The claims of a column, and what its numbers mean."""

    claims: list[Claim]
    convention: Convention


class _Read:
    """A table as its witness reads it, kept while its networks are asked for one after another.

    Conventions are inferred over all networks of a table, so that its findings are made at once.
    """

    def __init__(self, table: Table) -> None:
        self.table = table
        self.claims = list(claims_of(table))
        self.networks = {claim.network for claim in self.claims}
        self.errata: list[Erratum] = list(table.data.get("errata", []))
        self.networks |= {_network_of(table, erratum) for erratum in self.errata if "published" not in erratum}
        self.findings: list[Finding] = []
        self._counts: dict[tuple[Any, ...], Counts] = {}

    def counts(self, claim: Claim) -> Counts:
        """The counts of a claim's network, under the options that its number is printed for."""
        key = (claim.network, *claim.changes)
        if key not in self._counts:
            spec, graph = lowered(self.table, claim.network)
            self._counts[key] = Counts(lower(_changed(self.table, spec, claim)) if claim.changes else graph)
        return self._counts[key]

    def columns(self) -> list[_Column]:
        """The claims by column, each with the convention that fits."""
        columns: dict[tuple[str, str, str], list[Claim]] = {}
        for claim in self.claims:
            columns.setdefault((claim.source, claim.column, claim.quantity), []).append(claim)
        return [_Column(claims, fitting(claims, self.counts)) for claims in columns.values()]

    def unexplained(self, network: str) -> list[Claim]:
        """The claims of the table itself about a network that no erratum is about."""
        own = (claim for claim in self.claims if claim.network == network and not claim.source)
        return [claim for claim in own if self.erratum(claim) is None]

    def erratum(self, claim: Claim) -> int | None:
        """The number of the erratum that is about a claim's cell."""
        wanted = (claim.source, claim.row, claim.column, claim.text)
        places = enumerate((str(e.get("published", "")), e["row"], e["column"], e["printed"]) for e in self.errata)
        return next((number for number, place in places if place == wanted), None)


def _changed(table: Table, spec: Spec, claim: Claim) -> Spec:
    """The network with the options that a number is printed for."""
    changes = dict(claim.changes)
    cells = dict(changes.pop("set", ()))
    table = with_cells(table, claim.network, cells) if cells else table
    changed = compile_table(table, claim.network) if cells else spec
    if changed.repeats and "blocks" in changes:
        changed = repeated(table, changed, changes.pop("blocks"))
    return named(turned(changed, options(changes)))


_last: list[_Read] = []


def _read(table: Table) -> _Read:
    if not _last or _last[0].table is not table:
        _last[:] = [_Read(table)]
    return _last[0]


def _of_table(table: Table) -> list[Finding]:
    read = _read(table)
    if not read.findings:
        read.findings.extend(_findings(read))
    return read.findings


def _findings(read: _Read) -> Iterator[Finding]:
    columns, used = read.columns(), set[int]()
    for column in columns:
        for claim in column.claims:
            yield _of_claim(read, claim, column.convention, used)
    yield from _of_clashes(read, columns)
    for number in range(len(read.errata)):
        if number not in used:
            yield _of_erratum(read, number, columns)


def _of_claim(read: _Read, claim: Claim, convention: Convention, used: set[int]) -> Finding:
    counts, number = read.counts(claim), read.erratum(claim)
    agreed, erratum = agrees(claim, counts, convention), None if number is None else read.errata[number]
    status, why = AGREES, convention.words(claim.quantity)
    if agreed is None:
        status, why = UNDECIDED, f"{claim.quantity} is not computed" if erratum is None else str(erratum["says"])
    elif agreed and erratum is not None and number not in used:
        status, why = STALE, "the table has an erratum for this cell, and the cell agrees"
    elif not agreed:
        status = REFUTED if erratum is None else EXPLAINED
        why = "no erratum explains it" if erratum is None else _cause(erratum)
    if number is not None:
        used.add(number)
    values = spelled(claim, counts, convention)
    return Finding("published", claim.network, status, claim.where, claim.text, values, why, claim.span)


def _of_clashes(read: _Read, columns: list[_Column]) -> Iterator[Finding]:
    """Cells that contradict one another, where no erratum is about any of them."""
    claims, conventions = [column.claims for column in columns], [column.convention for column in columns]
    clashes = [*sums(claims, read.counts, conventions), *places(claims, read.counts, conventions)]
    for network in dict.fromkeys(claim.network for claim in read.claims):
        own = read.unexplained(network)
        off = first_step_off(own, read.counts(own[0])) if own else None
        if off is not None and off.span is not None and off.span is not off.cells[0].span:
            clashes.append(off._replace(what=f"output of {label_at(read.table, off.span.line)}"))
    for clash in clashes:
        if all(read.erratum(claim) is None for claim in clash.cells):
            first = clash.cells[0]
            why = f"{clash.why}; no erratum explains it"
            span = clash.span or first.span
            yield Finding("published", first.network, REFUTED, clash.what, clash.claimed, clash.computed, why, span)


def _of_erratum(read: _Read, number: int, columns: list[_Column]) -> Finding:
    """An erratum about a cell that is no number: the network with that cell as it is printed."""
    table, erratum = read.table, read.errata[number]
    network, place = _network_of(table, erratum), f"{erratum['row']}, {erratum['column']}"
    finding = Finding("published", network, UNDECIDED, place, str(erratum["printed"]))
    if "published" in erratum:
        return finding._replace(status=STALE, why=f"{erratum['published']} prints no such number")
    row, head = cell_of(table, number, erratum)
    finding = finding._replace(span=table.grid.rows[row][head].span, computed=f"instead {erratum.get('instead', '')}")
    if "instead" not in erratum:
        return finding._replace(
            computed="", why=f"it is no number, and nothing is said to stand instead: {erratum['says']}"
        )
    against = _against(read, number, network, columns)
    if against is None:
        fits = "as printed every size and every number fits as well"
        return finding._replace(why=f"{fits}: {erratum['says']}")
    return finding._replace(status=EXPLAINED, why=f"as printed, {against}. {_cause(erratum)}")


def _against(read: _Read, number: int, network: str, columns: list[_Column]) -> str | None:
    """What speaks against a cell as it is printed, all others mended; None where nothing does."""
    spec = named(compile_table(without_instead(read.table, number), network))
    row, head = cell_of(read.table, number, read.errata[number])
    line = read.table.grid.rows[row][head].span.line
    # What is wrong with a row mostly shows in it, or in the next one; only then is the whole network looked at.
    for part in (rows_before(spec, line + 2), spec):
        counts, why = _as_it_stands(part, line)
        off = None if counts is None else first_step_off(read.unexplained(network), counts)
        if off is not None or why:
            return why if off is None else f"{off.why} ({off.cells[0].row})"
    own = [(claim, each.convention) for each in columns for claim in each.claims if claim.network == network]
    refuted = [
        claim.where
        for claim, convention in own
        if not claim.changes and counts is not None
        and agrees(claim, counts, convention) is False and agrees(claim, read.counts(claim), convention)
    ]  # fmt: skip
    return f"it would not have the printed {refuted[0]}" if refuted else None


def _as_it_stands(spec: Spec, line: int) -> tuple[Counts | None, str]:
    """The counts of a spec, as far as its sizes fit, and why it ends there; only why where it ends on this line."""
    try:
        return Counts(lower(spec)), ""
    except ArchscopeError as error:
        problem = error.problems[0]
        here = problem.span is not None and problem.span.line == line
        return None if here else as_far_as_it_goes(spec, error), problem.message


def _network_of(table: Table, erratum: Erratum) -> str:
    """The network that an erratum is told with: its column's, else the first."""
    own = papers_networks(table)
    return own.get(str(erratum["column"])) or next(iter(networks(table)))


def _cause(erratum: Erratum) -> str:
    return str(erratum.get("cause") or erratum["says"])

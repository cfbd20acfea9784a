"""A paper's table with what was found of its cells: what ``show --computed`` and a report print."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from archscope import catalog
from archscope.api import checks
from archscope.evidence import AGREES, UNAVAILABLE, UNDECIDED, Finding
from archscope.reports.contents import Paper, PaperCell
from archscope.spec.compiler import networks, paper
from archscope.spec.table import Cell, Table

Place = tuple[int, int]
"""Line and column of a cell in its file."""


def findings_by_place(address: str, table: Table) -> dict[Place, Finding]:
    """For the place of each cell that a number or an erratum is about, what was found of it."""
    names = [address] if catalog.is_file(address) else list(networks(table))
    findings = [finding for name in names for finding in checks.check(name, witnesses=["published"])]
    return {
        (each.span.line, each.span.column): each
        for each in findings
        if each.span is not None and each.status not in {UNDECIDED, UNAVAILABLE}
    }


def value_of(finding: Finding) -> str:
    """The computed value, without the ratio to the printed one."""
    return re.sub(r" \([\d.]+×\)$", "", finding.computed)


def says_it(finding: Finding) -> bool:
    """Whether a cell that agrees prints the very value, so that it need not stand there twice."""
    return finding.what.startswith(("input", "output")) or value_of(finding) == finding.claimed


def beside(text: str, finding: Finding | None) -> str:
    """A cell with what was found of it: ``✗ 463K (510,104)``."""
    if finding is None:
        return text
    marked = f"{finding.claimed} ({value_of(finding)})"
    if finding.status != AGREES:
        marked = f"✗ {marked}"
    elif says_it(finding):
        marked = f"{finding.claimed} ✓"
    return text.replace(finding.claimed, marked)


def paper_of(address: str, table: Table, shown: Collection[str]) -> Paper:
    """The table as printed, with what was found of every cell. shown: the networks whose columns are marked."""
    found = findings_by_place(address, table)
    heads = tuple(table.printed().heads)
    columns = {str(networks(table)[name].get("column", "")) for name in shown}
    remarks: list[str] = []
    marked = tuple(head in columns for head in heads)
    roles = table.data.get("columns", {})
    labels = {head for head in heads if roles.get(head) == "label"}
    rows = tuple(_row(row, heads, found, remarks) for row in table.printed().rows)
    rows = tuple(_with_roles(row, marked, [head in labels for head in heads]) for row in rows)
    return Paper(table.text("title"), paper(table), table.text("note"), heads, marked, rows, tuple(remarks))


def _row(
    row: dict[str, Cell], heads: Sequence[str], found: dict[Place, Finding], remarks: list[str]
) -> tuple[PaperCell, ...]:
    """The cells of a row, one that spans columns once. A cell that is refuted adds to the remarks."""
    cells: list[PaperCell] = []
    before = None
    for head in heads:
        span = row[head].span
        if cells and span.column == before:
            cells[-1] = cells[-1]._replace(columns=cells[-1].columns + 1)
            continue
        before = span.column
        cells.append(_cell(row[head].text, found.get((span.line, span.column)), remarks))
    return tuple(cells)


def _with_roles(row: Sequence[PaperCell], marked: Sequence[bool], labels: Sequence[bool]) -> tuple[PaperCell, ...]:
    """The cells with what their columns are."""
    cells, at = [], 0
    for cell in row:
        cells.append(cell._replace(label=labels[at], marked=any(marked[at : at + cell.columns])))
        at += cell.columns
    return tuple(cells)


def _cell(text: str, finding: Finding | None, remarks: list[str]) -> PaperCell:
    if finding is None:
        return PaperCell(text)
    computed = "" if finding.status == AGREES and says_it(finding) else value_of(finding)
    cell = PaperCell(text, 1, computed, finding.status)
    if finding.status == AGREES:
        return cell
    value = value_of(finding)
    found = f"{value}:" if value.startswith("instead") else f"computed {value}." if value else "refuted."
    remarks.append(f"{finding.what}: printed {finding.claimed}, {found} {finding.why}")
    return cell._replace(number=len(remarks))

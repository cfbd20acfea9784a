"""``archscope check googlenet``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from archscope import catalog
from archscope.api import checks, profiles
from archscope.commands import ForceFlag, FormatFlag, OutputFlag, emit, refuse_written
from archscope.commands._watching import Watch, watched
from archscope.core.errors import Problem, UsageError
from archscope.core.printed import number
from archscope.core.units import memory_size
from archscope.evidence import AGREES, EXPLAINED, FAILURES, REFUTED, STALE, UNAVAILABLE, UNDECIDED, Finding
from archscope.formats import Field, Sheet
from archscope.spec.compiler import paper
from archscope.spec.table import Table

STATUSES = (AGREES, EXPLAINED, REFUTED, STALE, UNDECIDED)
"""What a printed cell may be."""

WitnessFlag = Annotated[list[str] | None, typer.Option("--witness", help="Only this witness; may be repeated.")]


def check(
    networks: Annotated[
        list[str] | None,
        typer.Argument(
            help="Networks, tables, table files, or modules (./net.py:Net).", metavar="NAME…", show_default=False
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every network of the catalogue.")] = False,
    witness: WitnessFlag = None,
    input_: Annotated[
        list[str] | None,
        typer.Option(
            "--input",
            help="Of a module, one example: 3x224x224, ids:128:int64, ./net.py:make_inputs.",
            metavar="CxHxW",
        ),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Fail on witnesses that cannot testify, too.")] = False,
    max_params: Annotated[str | None, typer.Option("--max-params", help="Fail above this: 5M.")] = None,
    max_macs: Annotated[str | None, typer.Option("--max-macs", help="Fail above this: 1.5G.")] = None,
    max_train_peak_bytes: Annotated[
        str | None, typer.Option("--max-train-peak-bytes", help="Fail above this: 200MiB.", metavar="SIZE")
    ] = None,
    format_: FormatFlag = None,
    output: OutputFlag = None,
    force: ForceFlag = False,
) -> None:
    """Holds every number against independent witnesses: the printed table, torch's counter, torchinfo and others.

    A table file is read whole, and what is wrong in it reported with file, line and column; its printed numbers are
    then checked without torch. A module's own code is imported and run; tools count a copy of it without weights.
    Exit code 1 when a number is refuted and no erratum explains it.

    Examples:

        archscope check googlenet --witness published

        archscope check vgg --witness published

        archscope check vgg16 --witness published --max-params 150M

        archscope check torchvision.models:resnet18
    """
    if not networks and not everything:
        raise UsageError(Problem("missing-network", "nothing to check", help="name a network or a file, or give --all"))
    refuse_written(output, force=force)
    names = [*(networks or []), *(catalog.everything() if everything else [])]
    parts = [each for name in names for each in ([name] if catalog.is_file(name) else catalog.named_networks([name]))]
    findings, watch = _examined(parts, witness, input_)
    names = parts[: watch.done]
    budgets = {"params": max_params, "macs": max_macs, "train_peak_bytes": max_train_peak_bytes}
    for quantity, limit in budgets.items():
        findings += _over_budget(quantity, limit, names, input_)
    emit(_sheet(findings, _tables(names)), format_, output, force=force)
    watch.reraise()
    failing = FAILURES | ({UNAVAILABLE, UNDECIDED} if strict else set())
    if any(finding.status in failing for finding in findings):
        raise typer.Exit(1)


def _examined(parts: list[str], witness: list[str] | None, given: list[str] | None) -> tuple[list[Finding], Watch]:
    """What is found of each network and table file, or of those that were finished before Ctrl-C."""
    found: list[Finding] = []
    with watched("checking", len(parts), keeps=True) as watch:
        for name in parts:
            watch.at(f"checking {name}")
            file = catalog.is_file(name)
            found += _table_findings(name, witness) if file else checks.check(name, witnesses=witness, input=given)
            watch.finished()
    return found, watch


def _table_findings(address: str, witness: list[str] | None) -> list[Finding]:
    found = list(checks.check(address, witnesses=witness or ["published"]))
    if found:
        return found
    # The file was read whole without a mistake, and prints nothing that could be held against its networks.
    names = catalog.named_networks([address])
    return [Finding("table", name, "agrees", "every cell can be read") for name in names]


def _tables(names: Sequence[str]) -> dict[str, Table]:
    """For each network the table that it is of."""
    tables = (name for name in catalog.named_networks(names) if not catalog.is_module_address(name))
    entries = (catalog.find(name) for name in tables)
    return {entry.network: entry.table for entry in entries}


def _over_budget(quantity: str, limit: str | None, names: Sequence[str], given: list[str] | None) -> list[Finding]:
    if limit is None:
        return []
    size = quantity.endswith("bytes")
    most = memory_size(limit, "--max-train-peak-bytes") if size else int(number(limit).value())
    findings = []
    for name in catalog.named_networks(names):
        value = int(profiles.profile(name, input=given, columns=[quantity]).totals[quantity].value)
        status = "agrees" if value <= most else REFUTED
        why = "" if value <= most else f"{value - most:,} over the budget"
        findings.append(Finding("budget", name, status, quantity, f"at most {limit}", f"{value:,}", why))
    return findings


def _sheet(findings: Sequence[Finding], tables: Mapping[str, Table]) -> Sheet:
    """A line per network, a column per witness; below, every number that is not simply right.

    Several papers stand under headings that say how many of their printed cells are right.
    """
    witnesses = list(dict.fromkeys(finding.witness for finding in findings))
    names = list(dict.fromkeys(finding.network for finding in findings))
    fields = [Field("network", "network"), *(Field(each, each) for each in witnesses)]
    rows = tuple((name, *(_verdict(findings, name, each) for each in witnesses)) for name in names)
    spoken = _told(Counter(finding.status for finding in findings))
    details = [_line(finding) for finding in findings if finding.status not in {"agrees", UNAVAILABLE}]
    reasons = Counter(f"{f.witness} unavailable: {f.why}" for f in findings if f.status == UNAVAILABLE)
    notes = [*details, *(f"{why} ({count})" for why, count in reasons.items()), *_conventions(findings)]
    papers = {each["table"]: each for each in _papers(findings, tables)}
    data = {
        "papers": [*papers.values()],
        "findings": [{key: value for key, value in f._asdict().items() if key != "span"} for f in findings],
    }
    stems = [_stem(tables[name]) if name in tables else "" for name in names]
    headings = {stems.index(stem): _heading(each) for stem, each in papers.items()} if len(papers) > 1 else {}
    title = f"{len(names)} network{'s' * (len(names) != 1)}: {spoken}"
    return Sheet("check", title, tuple(fields), rows, notes=tuple(notes), data=data, headings=headings)


def _papers(findings: Sequence[Finding], tables: Mapping[str, Table]) -> list[dict[str, Any]]:
    """For each table how many printed cells were checked, and how many of them agree, are explained, and so on."""
    counts: dict[str, Counter[str]] = {}
    found: dict[str, Table] = {}
    for each in findings:
        if each.witness == "published" and each.network in tables:
            stem = _stem(tables[each.network])
            found[stem] = tables[each.network]
            counts.setdefault(stem, Counter())[each.status] += 1
    return [
        {"table": stem, "source": paper(found[stem]), "title": found[stem].text("title"), "checked": each.total()}
        | {status: each[status] for status in STATUSES}
        for stem, each in counts.items()
    ]


def _heading(counted: Mapping[str, Any]) -> str:
    cells = f"{counted['checked']} printed cell{'s' * (counted['checked'] != 1)}"
    parts = [counted["table"], counted["source"], f"{cells}: {_told(counted)}"]
    return " · ".join(part for part in parts if part)


def _told(counts: Mapping[str, Any]) -> str:
    """Counts by status in words: ``54 agree, 13 explained``."""
    words = {AGREES: "agrees" if counts[AGREES] == 1 else "agree"}
    return ", ".join(
        f"{counts[each]:,} {words.get(each, each)}" for each in (*STATUSES, UNAVAILABLE) if counts.get(each)
    )


def _stem(table: Table) -> str:
    return table.source.name.rpartition("/")[2].removesuffix(".toml")


def _verdict(findings: Sequence[Finding], network: str, witness: str) -> str:
    counts = Counter(each.status for each in findings if each.network == network and each.witness == witness)
    if not counts or set(counts) == {UNAVAILABLE}:
        return "–"
    words = [f"✓ {counts['agrees']}"] if counts["agrees"] else []
    words += [f"✗ {counts[each]} {each}" for each in sorted(FAILURES) if counts[each]]
    words += [f"{counts[each]} {each}" for each in (EXPLAINED, UNDECIDED) if counts[each]]
    return ", ".join(words)


def _line(finding: Finding) -> str:
    place = f"{finding.span.source.name}:{finding.span.line}:{finding.span.column}: " if finding.span else ""
    computed = finding.computed if finding.computed.startswith("instead ") else f"computed {finding.computed}"
    numbers = f"{finding.claimed}, {computed}" if finding.computed else finding.claimed
    return f"{place}{finding.status}: {finding.network}, {finding.what}: {numbers}: {finding.why}"


def _conventions(findings: Sequence[Finding]) -> list[str]:
    """The convention of each printed column, once."""
    seen: dict[tuple[str, str], list[str]] = {}
    for each in findings:
        if _states(each):
            names = seen.setdefault((each.what.partition(" of ")[0], each.why), [])
            names += [each.network] if each.network not in names else []
    return [f"{quantity} as printed for {', '.join(names)}: {why}" for (quantity, why), names in seen.items()]


def _states(finding: Finding) -> bool:
    return finding.witness == "published" and finding.status == "agrees" and bool(finding.why)

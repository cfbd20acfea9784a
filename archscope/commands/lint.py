"""``archscope lint train.py``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated

import typer

from archscope.api.lints import lint as findings_of
from archscope.commands import Flags, ForceFlag, FormatFlag, OutputFlag, emit, refuse_written, takes_network
from archscope.commands._watching import watched
from archscope.formats import Field, Sheet
from archscope.linting import ERROR, LEVELS, Finding


@takes_network
def lint(
    targets: Annotated[
        list[str],
        typer.Argument(help="Networks, tables, modules (./net.py:Net), or scripts: train.py.", metavar="TARGET..."),
    ],
    changes: Flags,
    select: Annotated[str, typer.Option("--select", help="Only these rules, separated by commas.", metavar="IDS")] = "",
    ignore: Annotated[str, typer.Option("--ignore", help="Not these rules.", metavar="IDS")] = "",
    format_: FormatFlag = None,
    output: OutputFlag = None,
    force: ForceFlag = False,
) -> None:
    """What is likely a mistake in a network or a training script, why it matters and how to mend it.

    A script is read as syntax and never run; a module's own code is imported and run. Exit code 1 on errors; warnings
    and remarks leave it 0.

    Examples:

        archscope lint vgg

        archscope lint alexnet --input 224 --select input-size
    """
    refuse_written(output, force=force)
    chosen = [[rule for rule in text.replace(" ", "").split(",") if rule] for text in (select, ignore)]
    found: list[Finding] = []
    with watched("reading", len(targets), keeps=True) as watch:
        for target in targets:
            watch.at(f"reading {target}")
            found += findings_of(target, select=chosen[0], ignore=chosen[1], **changes)
            watch.finished()
    emit(_sheet(targets[: watch.done], found), format_, output, force=force)
    watch.reraise()
    if any(each.level == ERROR for each in found):
        raise typer.Exit(1)


def _sheet(targets: Sequence[str], found: Sequence[Finding]) -> Sheet:
    """A line per finding; below, once per rule, why it matters, how to mend it and who met it."""
    fields = (
        Field("subject", "subject", heading=True),
        Field("level", "level"),
        Field("place", "place", least=10),
        Field("rule", "rule", keep=1),
        Field("finding", "finding", least=24),
    )
    rows = tuple((each.subject, each.level, each.place, each.id, each.what) for each in found)
    headings = {n: row[0] for n, row in enumerate(rows) if n == 0 or rows[n - 1][0] != row[0]}
    counts = Counter(each.level for each in found)
    spoken = ", ".join(f"{counts[level]} {level}{'s' * (counts[level] != 1)}" for level in LEVELS if counts[level])
    title = f"{', '.join(targets)}: {spoken.replace('infos', 'remarks').replace('info', 'remark') or 'nothing found'}"
    data = {"findings": [{key: value for key, value in each._asdict().items() if key != "span"} for each in found]}
    return Sheet("lint", title, fields, rows, notes=tuple(_notes(found)), data=data, headings=headings)


def _notes(found: Sequence[Finding]) -> list[str]:
    """What is known of each rule that found something, in the order of the findings."""
    firsts = {finding.id: finding for finding in reversed(found)}.values()
    return [f"{each.id}: {each.why}. To mend: {each.mend}. Met in: {each.source}" for each in firsts][::-1]

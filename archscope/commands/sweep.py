"""``archscope sweep vgg16 --vary width=1/8:2:1/8``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from archscope import analyses, commands, formats
from archscope.api import spaces, sweeps
from archscope.commands import BatchFlag, Flags, ForceFlag, ModeFlag, takes_network
from archscope.commands._watching import watched
from archscope.core.errors import Problem, UsageError, printable
from archscope.formats import Field, Sheet, spelled
from archscope.studies.design_space import columnfiles
from archscope.studies.design_space.answers import Answer, Progress
from archscope.studies.design_space.designs import KNOBS
from archscope.studies.design_space.searching import Found
from archscope.studies.design_space.selecting import Key

COLUMNS = ",".join(spaces.COLUMNS)

SHOWN = 20
"""Designs that are printed if nothing else is asked for."""

NetworksArgument = Annotated[
    list[str], typer.Argument(help="Networks, or table files: ./mine.toml:B.", metavar="NETWORK…")
]
VaryFlag = Annotated[
    list[str] | None,
    typer.Option("--vary", help=f"NAME=1,8,32 or NAME=START:STOP:STEP with both ends; {', '.join(KNOBS)}, or a cell.",
                 metavar="NAME=VALUES"),
]  # fmt: skip
ColumnsFlag = Annotated[
    str, typer.Option("--columns", help="Totals to work out, separated by commas.", metavar="NAMES")
]
WhereFlag = Annotated[
    str, typer.Option("--where", help='Which designs: "params < 5M and train_peak_bytes < 2GiB".', metavar="TEXT")
]
ParetoFlag = Annotated[
    str, typer.Option("--pareto", help="Those that none beats; -NAME: more is better.", metavar="NAMES")
]
SortFlag = Annotated[str, typer.Option("--sort", help="Least first; -NAME: most first.", metavar="NAMES")]
TopFlag = Annotated[int | None, typer.Option("--top", min=1, help="The first N.", metavar="N")]
TypeFlag = Annotated[str, typer.Option("--dtype", help="Type of parameters and activations.", metavar="TYPE")]
FormatFlag = Annotated[
    str | None, typer.Option("--format", help=f"One of {', '.join(formats.named())}, parquet.", metavar="FORMAT")
]
OutputFlag = Annotated[
    str | None,
    typer.Option("--output", "-o", help="Write to a file; .csv, .json and .parquet go on if they were interrupted.",
                 metavar="FILE"),
]  # fmt: skip
PlotFlag = Annotated[
    Path | None, typer.Option("--plot", help="Draw the two columns of --pareto: .png, .svg, .pdf.", metavar="FILE")
]
DaskFlag = Annotated[
    str, typer.Option("--dask", help="Work on a Dask cluster: tcp://host:8786, or local.", metavar="ADDRESS")
]
YesFlag = Annotated[bool, typer.Option("--yes", help="Also over 1,000,000,000 designs.")]


@takes_network
def sweep(
    networks: NetworksArgument,
    changes: Flags,
    vary: VaryFlag = None,
    columns: ColumnsFlag = COLUMNS,
    where: WhereFlag = "",
    pareto: ParetoFlag = "",
    sort: SortFlag = "",
    top: TopFlag = None,
    batch: BatchFlag = 1,
    dtype: TypeFlag = "float32",
    mode: ModeFlag = "eval",
    format_: FormatFlag = None,
    output: OutputFlag = None,
    plot: PlotFlag = None,
    force: ForceFlag = False,
    dask: DaskFlag = "",
    yes: YesFlag = False,
) -> None:
    """Every design of a space with its numbers: a million a second, each the one that summary gives for it alone.

    Examples:

        archscope sweep vgg16 --vary width=1/8:2:1/8 --vary input=64:512:32 --where "params < 20M" --sort -macs

        archscope sweep vgg16 googlenet --vary width=1/8:1:1/8 --vary bn=none,conv --pareto macs,params

        archscope sweep googlenet --vary width=1/4:1:1/4 --vary batch=1,8,32 --columns train_peak_bytes --format csv
    """
    wanted = spaces.Wanted(_names(columns), where, _names(pareto), _names(sort), top)
    setting = {"batch": batch, "dtype": dtype, "mode": mode}
    question = spaces.asked(networks, varied(vary or []), wanted, setting, changes)
    kind = _format(format_, output)
    path = Path(output) if output is not None and kind in columnfiles.FORMATS else None
    if kind not in columnfiles.FORMATS and not question.choice.bounds:
        question = question._replace(choice=question.choice._replace(top=SHOWN))
    commands.refuse_written(output, force=force)
    commands.refuse_picture(plot, force=force)
    with progress() as tell:
        found = sweeps.answered(question, dask=dask, yes=yes, tell=tell, output=path, picture=plot is not None)
    if path is not None:
        _interrupted(found, path)
    if plot is not None:
        _draw(found, plot, force=force)
    if kind not in columnfiles.FORMATS:
        commands.emit(sheet_of(found), kind, output, force=force)
    elif path is not None:
        sweeps.save(found, path, kind)
        typer.echo(f"wrote {printable(str(path))}: {_counted(found)}")
    elif kind == "csv":
        columnfiles.write_csv(found, sys.stdout)
    else:
        columnfiles.write_json(found, sys.stdout, sweeps.summary_of(found))
    _interrupted(found, None)


def varied(flags: list[str]) -> dict[str, str]:
    """What ``--vary`` says, by name. Raises UsageError for a flag that says nothing, and for a name given twice."""
    found: dict[str, str] = {}
    for flag in flags:
        name, equals, values = flag.rpartition("=")
        if not equals or not name.strip():
            raise UsageError(
                Problem("bad-value", f"--vary is {flag!r}", expected="NAME=VALUES, such as width=1/4:1:1/4")
            )
        if name.strip() in found:
            raise UsageError(Problem("bad-value", f"--vary gives {name.strip()!r} twice"))
        found[name.strip()] = values.strip()
    return found


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _format(name: str | None, output: str | None) -> str:
    """The format that is asked for, or that the file's ending says."""
    from archscope import formats

    if name is None and output is not None:
        name = Path(output).suffix.removeprefix(".")
        name = name if name in columnfiles.FORMATS else formats.of_file(output)
    known = list(dict.fromkeys((*formats.named(), *columnfiles.FORMATS)))
    if name is not None:
        commands.among("--format", [name], known)
    if name == "parquet" and output is None:
        raise UsageError(
            Problem("bad-value", "parquet is nothing to be printed", help="give a file: -o points.parquet")
        )
    return name or "terminal"


@contextmanager
def progress(trials: int = 0, heard: list[Found] | None = None) -> Iterator[Callable[[Progress | Found], None]]:
    """At a terminal, a line that says how far a long sweep is, or a search of so many trials.

    heard: gets what a search has found each time that it says so.
    """
    with watched("counting designs", trials) as watch:

        def tell(event: Progress | Found) -> None:
            if isinstance(event, Progress):
                text = f"{event.points:,} of {event.of:,} designs, {event.fitting:,} fit"
                watch.at(text, event.points, event.of)
            else:
                watch.at(f"{event.tried:,} designs tried, {event.fitting:,} fit", event.tried)
                if heard is not None:
                    heard.append(event)

        yield tell


def _interrupted(found: Answer, path: Path | None) -> None:
    """Says where what is finished is. Raises KeyboardInterrupt if the sweep was interrupted."""
    if not found.interrupted:
        return
    kept = "" if found.checkpoint is None else f"; {printable(str(found.checkpoint.path))} keeps them"
    again = "" if path is None else ", and the same command goes on from there"
    sys.stderr.write(f"interrupted after {found.points:,} of {found.question.space.points:,} designs{kept}{again}\n")
    raise KeyboardInterrupt


def _draw(found: Answer, path: Path, *, force: bool) -> None:
    from archscope.core.writing import write_whole
    from archscope.studies.design_space.scatter import drawn

    columns = {name: analyses.of_column(name)[1] for name in found.question.columns}
    heads = {name: each.head + (" (bytes)" if each.unit == "bytes" else "") for name, each in columns.items()}
    write_whole(path, drawn(found, path.suffix[1:], heads), force=force)
    typer.echo(f"wrote {printable(str(path))}", err=True)


def sheet_of(found: Answer) -> Sheet:
    """The designs that are kept as a sheet, with what is known of all the others."""
    question = found.question
    columns = {name: analyses.of_column(name)[1] for name in question.columns}
    rows = [row for some in found.batches() for row in columnfiles.plain_rows(found, some)]
    shown = rows if question.choice.top is not None else rows[:SHOWN]
    keys = [key.column for key in (*question.choice.pareto, *question.choice.sort)]
    fields = [Field(name, name) for name in ("network", *(each.name for each in question.space.words))]
    fields += [Field(axis.name, axis.name, "count") for axis in question.space.axes]
    fields += [
        Field(name, each.head, each.unit, 0 if name in keys else 1 + n)
        for n, (name, each) in enumerate(columns.items())
    ]
    return Sheet(
        name="sweep",
        title=f"{' and '.join(question.space.networks)} by {', '.join(question.space.varied) or 'nothing'}",
        fields=tuple(fields),
        rows=tuple(shown),
        notes=tuple(_notes(found, {name: each.means for name, each in columns.items()})),
        closing=(_closing(found, len(rows), len(shown)),),
    )


def _notes(found: Answer, means: dict[str, str]) -> Iterator[str]:
    question = found.question
    setting = question.setting
    batch = "" if "batch" in question.space.varied else f"batch {setting.batch}, "
    yield f"{batch}{setting.dtype}, {setting.mode}"
    for name, design in question.designs.items():
        changes = getattr(design, "changes", ())
        if changes:
            yield f"{name}, changed from the paper: {', '.join(changes)}"
    yield from (f"{name}: {text}" for name, text in means.items())
    for name, ops in found.missing.items():
        lower = f"a lower bound: {', '.join(ops)} could not be worked out"
        yield f"{name} is {lower if ops else 'an upper bound, of some designs at least'}"
    for reason in found.unusable:
        place = f" ({reason.place})" if reason.place else ""
        first = "the first of them" if reason.points > 1 else "it is"
        yield f"{spelled(reason.points, 'count')} cannot be built; {first}, {reason.example}: {reason.why}{place}"


def _closing(found: Answer, kept: int, shown: int) -> str:
    """How many designs there are, how many fit, and how many of them are shown."""
    question = found.question
    parts = [_counted(found)]
    goals = [f"{'more' if key.best == 'most' else 'less'} {key.column}" for key in question.choice.pareto]
    parts += [f"{kept:,} not beaten ({', '.join(goals)})"] if goals else []
    order = f" by {_spoken(question.choice.sort)}" if question.choice.sort else ""
    of = kept if question.choice.pareto else found.fitting
    if shown < of:
        return f"{'; '.join(parts)}; the first {shown:,}{order} are shown, --top shows more"
    return "; ".join(parts) + (f"; ordered{order}" if order else "")


def _counted(found: Answer) -> str:
    """How many designs there are, how many of them cannot be built, and how many fit."""
    unusable = sum(reason.points for reason in found.unusable)
    parts = [f"{found.points:,} designs"]
    parts += [f"{unusable:,} cannot be built"] if unusable else []
    parts += [f"{found.fitting:,} fit {found.question.where}"] if found.question.where is not None else []
    return "; ".join(parts)


def _spoken(keys: tuple[Key, ...]) -> str:
    return ", ".join(f"most {key.column}" if key.best == "most" else f"least {key.column}" for key in keys)

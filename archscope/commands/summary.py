"""``archscope summary vgg16``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from archscope import analyses
from archscope.analyses import Total
from archscope.api import profiles
from archscope.commands import (
    BatchFlag,
    Flags,
    ForceFlag,
    FormatFlag,
    ModeFlag,
    OutputFlag,
    PlotFlag,
    RealFlag,
    UpperBoundFlag,
    emit,
    refuse_picture,
    takes_network,
)
from archscope.commands._watching import watched
from archscope.core.errors import Problem, UnknownName, Unsupported, UsageError
from archscope.formats import Field, Sheet, spelled
from archscope.studies.profiling import DEFAULT_COLUMNS, NEVER_RAN, Profile, Row

TRAINING_COLUMNS = ("optimizer_state_bytes", "saved_activation_bytes", "train_peak_bytes")
"""Columns that depend on the optimizer or the device, too."""

SHOWN = 6
"""How many of the ops without a value are named."""

KEEP = {"output_shape": 0, "params": 0, "macs": 1, "activations": 2}
"""The order in which a narrow terminal gives up columns; others go first."""


DepthFlag = Annotated[
    int, typer.Option("--depth", min=0, help="How deep blocks are unfolded; --full unfolds all.", metavar="N")
]
SortFlag = Annotated[str | None, typer.Option("--sort", help="Order rows by a column, largest first.", metavar="NAME")]


@takes_network
def summary(
    network: Annotated[
        str,
        typer.Argument(
            help="A name (see archscope list), a table file: ./mine.toml:B, or a module's address: ./net.py:Net.",
            metavar="NETWORK",
        ),
    ],
    changes: Flags,
    batch: BatchFlag = 1,
    dtype: Annotated[
        str | None,
        typer.Option("--dtype", help="Type of parameters and activations; float32, a module's own.", metavar="TYPE"),
    ] = None,
    mode: ModeFlag = "eval",
    depth: DepthFlag = 0,
    full: Annotated[bool, typer.Option("--full", help="Every layer, no block folded.")] = False,
    columns: Annotated[
        str, typer.Option("--columns", help="Columns, separated by commas; a wrong one lists all.", metavar="NAMES")
    ] = ",".join(DEFAULT_COLUMNS),
    sort: SortFlag = None,
    real: RealFlag = False,
    upper_bound: UpperBoundFlag = False,
    plot: PlotFlag = None,
    force: ForceFlag = False,
    strict: Annotated[bool, typer.Option("--strict", help="Fail if a total is not exact.")] = False,
    format_: FormatFlag = None,
    output: OutputFlag = None,
) -> None:
    """Every layer's output shape, params, MACs and activations, and the totals they add up to.

    A table runs nothing. A module's address (torchvision.models:resnet18, timm:convnext_tiny, ./net.py:Net(width=64))
    imports and runs the code that it names; its weights are not allocated.

    Examples:

        archscope summary vgg16

        archscope summary vgg11 --width 1/4 --input 1x224x224 --classes 10

        archscope summary googlenet --full --columns params,macs --format csv

        archscope summary torchvision.models:resnet18 --strict

        archscope summary googlenet --columns params,macs --plot layers.svg --force
    """
    wanted = list(dict.fromkeys(name.strip() for name in columns.split(",")))
    asked = _known(wanted if sort is None else list(dict.fromkeys((*wanted, sort))), sort)
    refuse_picture(plot, force=force)
    with watched(f"counting {network}"):
        profile = profiles.profile(
            network, batch, dtype=dtype, mode=mode, columns=asked, real=real, upper_bound=upper_bound, **changes
        )
    rows = list(profile.at_depth(None if full else depth))
    if sort is not None:
        rows.sort(key=lambda row: _order(row.values[sort]), reverse=True)
    _plot(profile, rows, plot, force=force)
    emit(sheet_of(profile, rows), format_, output, force=force)
    if strict and any(total.status != "exact" for total in _summed(profile)):
        raise typer.Exit(1)


def _plot(profile: Profile, rows: list[Row], path: Path | None, *, force: bool) -> None:
    """Writes the rows as bars, a column of them for each column that is a number. Raises UsageError where none is."""
    if path is None:
        return
    from archscope.core.writing import write_whole
    from archscope.drawings.bars import Panel, below_each_other

    columns = [column for column in profile.columns if column.unit in {"count", "bytes"}]
    if not columns:
        raise UsageError(Problem("bad-value", "--plot draws counts and bytes, and --columns names none"))
    labels = tuple(spelled(row.name, "text") for row in rows)
    panels = []
    for column in columns:
        values = tuple(row.values[column.name] for row in rows)
        if None in values:
            name = rows[values.index(None)].name
            raise Unsupported(Problem("unknown-count", f"{column.head} of {name} is not known, and no bar says so"))
        panels.append(Panel(column.head, column.unit, labels, ((profile.network, values),)))
    write_whole(path, below_each_other(panels, path.suffix[1:]), force=force)


def _summed(profile: Profile) -> list[Total]:
    """The totals of columns that have one."""
    return [profile.totals[column.name] for column in profile.columns if column.total != "none"]


def _known(names: list[str], sort: str | None) -> list[str]:
    """The names, all of them columns. Raises UsageError for one that is none, and for one that has no order."""
    for name in names:
        try:
            unit = analyses.of_column(name)[1].unit
        except UnknownName as error:
            flag = "--sort" if name == sort else "--columns"
            message = f"{flag}: no column is called {name!r}"
            raise UsageError(Problem("unknown-column", message, expected=", ".join(analyses.columns()))) from error
        if name == sort and unit in {"shape", "text"}:
            raise UsageError(Problem("bad-value", f"--sort is {name!r}, and {unit}s have no order"))
    return names


def _order(value: Any) -> int:
    """Where a value stands among others: by its larger side where it has several, unknown ones last."""
    if value is None:
        return -(10**9)
    return max(value) if isinstance(value, tuple) else int(value)


def sheet_of(profile: Profile, rows: list[Row]) -> Sheet:
    """A profile as a sheet: a line per row, the totals, and the conventions below."""
    fields = [Field("layer", "layer", least=8), Field("op", "op", keep=3, least=8)]
    fields += [Field(c.name, c.head, c.unit, KEEP.get(c.name, 4 + n)) for n, c in enumerate(profile.columns)]
    lines = tuple((row.name, row.op, *(_value(row, c.name) for c in profile.columns)) for row in rows)
    totals = tuple(_total(profile, column.name) for column in profile.columns)
    return Sheet(
        name="summary",
        title=_title(profile),
        fields=tuple(fields),
        rows=lines,
        total=("total", "", *totals),
        notes=tuple(_notes(profile)),
        closing=(_depth_note(profile),),
        data=_data(profile, rows),
    )


def _value(row: Row, column: str) -> object:
    """A row's value; what never ran has no shape, while elsewhere None is unknown."""
    value = row.values[column]
    return "" if value is None and row.op == NEVER_RAN else value


def _title(profile: Profile) -> str:
    parts = [profile.network, profile.title, profile.source]
    return " · ".join(part for part in parts if part)


def _total(profile: Profile, column: str) -> object:
    total = profile.totals[column]
    if total.value is None:
        return ""
    unit = next(each.unit for each in profile.columns if each.name == column)
    return f"{'≤' if total.at_most else '≥'} {spelled(total.value, unit)}" if total.status == "bound" else total.value


def _notes(profile: Profile) -> list[str]:
    setting = profile.setting
    shape = spelled(profile.input_shape, "shape")
    notes = [f"input {shape}, batch {setting.batch}, {setting.dtype}, {setting.mode}"]
    notes += [f"changed from the paper: {', '.join(profile.changes)}"] if profile.changes else []
    if any(column.name in TRAINING_COLUMNS for column in profile.columns):
        notes.append(f"training: {setting.in_words}; see archscope memory for other settings")
    if any(total.value for total in profile.aux.values()):
        heads = {column.name: column for column in profile.columns}
        added = [
            f"{spelled(total.value, heads[name].unit)} {heads[name].head}"
            for name, total in profile.aux.items()
            if total.value
        ]
        notes.append(f"auxiliary heads, which --mode train counts, add {', '.join(added)}")
    if profile.graph is not None:
        notes += [*profile.graph.notes, *(f"assumed: {each}" for each in profile.graph.assumptions)]
    for column in profile.columns:
        total = profile.totals[column.name]
        if total.missing:
            notes.append(f"{column.head}: {_doubt(total)}; not known for {_first(total.missing)}")
        notes.append(f"{column.head}: {column.means}")
    return notes


def _doubt(total: Total) -> str:
    return "unavailable" if total.status == "unavailable" else "a lower bound"


def _first(names: Sequence[str]) -> str:
    """Names, the first few of many."""
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _depth_note(profile: Profile) -> str:
    """The count that gives a network its name: ``13 conv + 3 FC = 16 weight layers; 2+2+3+3+3+3``."""
    words = {"Conv": "conv", "FC": "FC"}
    kinds = " + ".join(f"{count} {words.get(op, op)}" for op, count in profile.by_op.items())
    stages = "+".join(str(count) for count in profile.by_stage)
    if sum(profile.by_op.values()) == profile.depth:
        return f"{kinds} = {profile.depth} weight layer{'s' * (profile.depth != 1)}; {stages} by resolution"
    return f"{kinds}; {profile.depth} weight layers along the longest path: {stages} by resolution"


def _data(profile: Profile, rows: list[Row]) -> dict[str, object]:
    return {
        "network": profile.network,
        "title": profile.title,
        "source": profile.source,
        "input_shape": list(profile.input_shape),
        "setting": {name: getattr(profile.setting, name) for name in ("batch", "dtype", "mode")},
        "changes": list(profile.changes),
        "notes": list(profile.graph.notes) if profile.graph is not None else [],
        "assumptions": list(profile.graph.assumptions) if profile.graph is not None else [],
        "columns": {c.name: {"unit": c.unit, "means": c.means} for c in profile.columns},
        "rows": [
            {"path": r.path, "name": r.name, "op": r.op, "depth": r.depth, "layers": r.layers, **r.values} for r in rows
        ],
        "totals": {
            name: {"value": t.value, "status": t.status, "missing": list(t.missing), "at_most": t.at_most}
            for name, t in profile.totals.items()
        },
        "auxiliary_heads": {name: t.value for name, t in profile.aux.items()},
        "weight_layers": {
            "longest_path": profile.depth,
            "by_resolution": list(profile.by_stage),
            "by_op": profile.by_op,
        },
    }

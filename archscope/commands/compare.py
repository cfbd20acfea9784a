"""``archscope compare vgg16 googlenet``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from archscope import catalog, commands
from archscope.api import profiles
from archscope.commands import (
    BatchFlag,
    Flags,
    ForceFlag,
    FormatFlag,
    ModeFlag,
    OutputFlag,
    PlotFlag,
    takes_network,
)
from archscope.commands._watching import watched
from archscope.core.errors import Problem, UsageError
from archscope.formats import Field, Sheet, spelled
from archscope.studies.comparison import HEAD, QUANTITIES, Comparison, Stage, compared
from archscope.studies.profiling import NEVER_RAN

BAR = 12
"""Characters of a full bar."""

HEADS = {"params": "params", "macs": "MACs", "activations": "activations"}


@takes_network
def compare(
    networks: Annotated[
        list[str],
        typer.Argument(
            help="Two networks or more; a table's name or file stands for all of its; modules by their addresses.",
            metavar="NETWORK...",
        ),
    ],
    changes: Flags,
    batch: BatchFlag = 1,
    mode: ModeFlag = "eval",
    by: Annotated[str, typer.Option("--by", help="Which of params, macs, activations.", metavar="NAMES")] = ",".join(
        QUANTITIES
    ),
    plot: PlotFlag = None,
    force: ForceFlag = False,
    format_: FormatFlag = None,
    output: OutputFlag = None,
) -> None:
    """Networks side by side: where params, MACs and activations are, and what makes the difference.

    Examples:

        archscope compare vgg16 googlenet

        archscope compare vgg --by params

        archscope compare alexnet vgg16 googlenet --format markdown

        archscope compare vgg16 googlenet --plot bars.svg --force
    """
    names = catalog.named_networks(networks)
    quantities = list(dict.fromkeys(name.strip() for name in by.split(",")))
    commands.among("--by", quantities, QUANTITIES)
    if len(names) < 2:
        raise UsageError(Problem("too-few", f"{' and '.join(names)} alone: a comparison needs two networks or more"))
    commands.refuse_written(output, force=force)
    commands.refuse_picture(plot, force=force)
    columns = ("output_shape", *QUANTITIES)
    each = []
    with watched("counting", len(names)) as watch:
        for name in names:
            watch.at(f"counting {name}")
            each.append(profiles.profile(name, batch, mode=mode, columns=columns, **changes))
            watch.finished()
    found = compared(each)
    if plot is not None:
        from archscope.core.writing import write_whole

        write_whole(plot, _plotted(found, quantities, plot), force=force)
    commands.emit(
        _side_by_side(found, quantities) if len(names) == 2 else _many(found, quantities), format_, output, force=force
    )


def _plotted(found: Comparison, quantities: list[str], path: Path) -> bytes:
    """The stages as bars, a row for each quantity; the totals stand with the names."""
    from archscope.drawings.bars import Panel, beside_each_other

    labels = tuple(stage.name for stage in found.stages)
    panels = []
    for quantity in quantities:
        names = [
            f"{network}: {spelled(found.totals[quantity][n], 'count')}" for n, network in enumerate(found.networks)
        ]
        values = zip(*(stage.values[quantity] for stage in found.stages), strict=True)
        panels.append(Panel(HEADS[quantity], "count", labels, tuple(zip(names, values, strict=True))))
    return beside_each_other(panels, path.suffix[1:], "stage: side of the maps as a part of the input's")


def _side_by_side(found: Comparison, quantities: list[str]) -> Sheet:
    """Two networks: per quantity and stage both values, their shares as bars, and the difference, which adds up."""
    a, b = found.networks
    fields = (
        Field("quantity", "quantity", heading=True),
        Field("stage", "stage"),
        *_of_network("a", a),
        *_of_network("b", b),
        Field("difference", "difference", "signed"),
        Field("ratio", "ratio", "ratio", keep=4),
    )
    rows: list[tuple[object, ...]] = []
    headings = {}
    for quantity in quantities:
        headings[len(rows)] = HEADS[quantity]
        for stage in found.stages:
            sides = [_side(found, stage, quantity, n) for n in (0, 1)]
            more = found.difference(stage, quantity, 1)
            rows.append((HEADS[quantity], stage.name, *sides[0], *sides[1], more, _ratio(*stage.values[quantity])))
        first, second = found.totals[quantity]
        more = found.total_difference(quantity, 1)
        sides = [("", total, "", "") for total in (first, second)]
        rows.append((HEADS[quantity], "total", *sides[0], *sides[1], more, _ratio(first, second)))
    return Sheet(
        name="comparison",
        title=f"{a} and {b}",
        fields=fields,
        rows=tuple(rows),
        notes=tuple(_notes(found)),
        closing=tuple(_main_differences(found, quantities)),
        data=_data(found, quantities),
        headings=headings,
    )


def _of_network(letter: str, name: str) -> tuple[Field, ...]:
    return (
        Field(f"size_{letter}", "size", keep=5),
        Field(letter, name, "count"),
        Field(f"share_{letter}", "share", "share", keep=2),
        Field(f"bar_{letter}", "", "bar", keep=3),
    )


def _side(found: Comparison, stage: Stage, quantity: str, n: int) -> tuple[object, ...]:
    """Size, value, share and bar of a network's stage; empty where it has no layers."""
    if not stage.layers[n]:
        return "", "", "", ""
    share = found.share(stage, quantity, n)
    return stage.shapes[n], stage.values[quantity][n], share, _bar(share)


def _ratio(first: int, second: int) -> object:
    return second / first if first else ""


def _main_differences(found: Comparison, quantities: list[str]) -> list[str]:
    """Per quantity, the stage that makes most of the difference."""
    lines = []
    for quantity in quantities:
        total = found.total_difference(quantity, 1)
        if not total:
            continue
        sign = 1 if total > 0 else -1
        stage = max(found.stages, key=lambda stage: sign * found.difference(stage, quantity, 1))
        part = found.difference(stage, quantity, 1)
        where = {HEAD: "the head", NEVER_RAN: "what never ran"}.get(stage.name, f"stage {stage.name}")
        lines.append(
            f"{HEADS[quantity]}: {spelled(total, 'signed')}, of which {where} makes {spelled(part, 'signed')} "
            f"({spelled(part / total, 'share')})"
        )
    return lines


def _many(found: Comparison, quantities: list[str]) -> Sheet:
    """Many networks: per quantity a row for each, with its total, its ratio to the first, and the stages' shares."""
    fields = (
        Field("quantity", "quantity", heading=True),
        Field("network", "network"),
        Field("weight_layers", "weight layers", "count", keep=2),
        Field("total", "total", "count"),
        Field("ratio", "ratio", "ratio", keep=1),
        Field("bar", "", "bar", keep=3),
        *(Field(f"share_{stage.name}", stage.name, "share", keep=4) for stage in found.stages),
    )
    rows: list[tuple[object, ...]] = []
    headings = {}
    for quantity in quantities:
        headings[len(rows)] = HEADS[quantity]
        totals = found.totals[quantity]
        for n, profile in enumerate(found.profiles):
            shares = (found.share(stage, quantity, n) if stage.layers[n] else "" for stage in found.stages)
            bar = _bar(totals[n] / max(totals) if max(totals) else 0.0)
            ratio = _ratio(totals[0], totals[n])
            rows.append((HEADS[quantity], profile.network, profile.depth, totals[n], ratio, bar, *shares))
    return Sheet(
        name="comparison",
        title=f"{len(found.networks)} networks, ratios to {found.networks[0]}",
        fields=fields,
        rows=tuple(rows),
        notes=tuple(_notes(found)),
        data=_data(found, quantities),
        headings=headings,
    )


def _bar(share: float) -> str:
    return "█" * round(BAR * share) or ("▏" if share else "")


def _notes(found: Comparison) -> list[str]:
    setting = found.profiles[0].setting
    notes = [f"batch {setting.batch}, {setting.dtype}, {setting.mode}"]
    two = len(found.networks) == 2
    notes.append(
        f"{'stage' if two else '1 to head'}: {'' if two else 'shares of the total by stage, '}"
        "the side of the maps as a part of the input's; head: vectors and single positions"
    )
    notes += ["difference, ratio: second minus first, second by first"] if two else []
    for profile in found.profiles:
        notes += [f"{profile.network}, changed from the paper: {', '.join(profile.changes)}"] if profile.changes else []
    means = {column.name: column.means for column in found.profiles[0].columns}
    return [*notes, *(f"{HEADS[name]}: {means[name]}" for name in QUANTITIES)]


def _data(found: Comparison, quantities: list[str]) -> dict[str, object]:
    """Everything as plain values; differences are to the first network, and add up to that of the totals."""
    count = range(len(found.networks))
    return {
        "networks": list(found.networks),
        "weight_layers": [profile.depth for profile in found.profiles],
        "totals": {name: list(found.totals[name]) for name in quantities},
        "differences": {name: [found.total_difference(name, n) for n in count] for name in quantities},
        "stages": [
            {
                "stage": stage.name,
                "sizes": list(stage.shapes),
                "layers": list(stage.layers),
                **{name: list(stage.values[name]) for name in quantities},
                "differences": {name: [found.difference(stage, name, n) for n in count] for name in quantities},
            }
            for stage in found.stages
        ],
    }

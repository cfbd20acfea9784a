"""``archscope compare vgg16 googlenet``."""

from __future__ import annotations

from typing import Annotated

import typer

from archscope import api, catalog, commands
from archscope.commands import BatchFlag, FormatFlag, ModeFlag, OutputFlag, takes_network
from archscope.formats import Field, Sheet
from archscope.spec.options import Changes
from archscope.studies.comparison import QUANTITIES, Comparison, compared

BAR = 12
"""Characters of a full bar."""

HEADS = {"params": "params", "macs": "MACs", "activations": "activations"}


@takes_network
def compare(
    networks: Annotated[list[str], typer.Argument(help="Two networks or more; a table's name stands for all of its.")],
    changes: Changes,
    batch: BatchFlag = 1,
    mode: ModeFlag = "eval",
    by: Annotated[str, typer.Option("--by", help="Only params, macs or activations.")] = ",".join(QUANTITIES),
    format_: FormatFlag = None,
    output: OutputFlag = None,
) -> None:
    """Networks side by side: where params, MACs and activations are, and what makes the difference.

    Examples:

        archscope compare vgg16 googlenet

        archscope compare vgg --by params

        archscope compare alexnet vgg16 googlenet --format markdown
    """
    names = catalog.named_networks(networks)
    quantities = [name.strip() for name in by.split(",") if name.strip()]
    commands.among("--by", quantities, QUANTITIES)
    profiles = [api.profile(name, batch, mode=mode, columns=("output_shape", *QUANTITIES), **changes) for name in names]
    found = compared(profiles)
    commands.emit(_side_by_side(found, quantities) if len(names) == 2 else _many(found, quantities), format_, output)


def _side_by_side(found: Comparison, quantities: list[str]) -> Sheet:
    """Two networks: per quantity and stage both values, their shares as bars, and the difference, which adds up."""
    a, b = found.networks
    fields = (
        Field("quantity", "", keep=0),
        Field("stage", "stage"),
        Field("size_a", "size", keep=4),
        Field("a", a, "count"),
        Field("share_a", "share", "share", keep=2),
        Field("bar_a", "", "bar", keep=3),
        Field("size_b", "size", keep=4),
        Field("b", b, "count"),
        Field("share_b", "share", "share", keep=2),
        Field("bar_b", "", "bar", keep=3),
        Field("difference", "difference", "signed"),
    )
    rows: list[tuple[object, ...]] = []
    ruled = []
    for quantity in quantities:
        ruled.append(len(rows))
        for n, stage in enumerate(found.stages):
            shares = [found.share(stage, quantity, index) for index in (0, 1)]
            values = stage.values[quantity]
            rows.append((
                HEADS[quantity] if not n else "", stage.name,
                stage.shapes[0], values[0], shares[0], _bar(shares[0]),
                stage.shapes[1], values[1], shares[1], _bar(shares[1]),
                found.difference(stage, quantity, 1),
            ))  # fmt: skip
        total = found.totals[quantity]
        rows.append(("", "total", "", total[0], "", "", "", total[1], "", "", total[1] - total[0]))
    return Sheet(
        name="comparison",
        title=f"{a} and {b}",
        fields=fields,
        rows=tuple(rows),
        notes=tuple(_notes(found)),
        data=_data(found, quantities),
        ruled=frozenset(ruled),
    )


def _many(found: Comparison, quantities: list[str]) -> Sheet:
    """Many networks: one row each, with totals and their ratio to the first."""
    fields = [Field("network", "network"), Field("depth", "weight layers", "count", keep=2)]
    for name in quantities:
        fields += [
            Field(name, HEADS[name], "count"),
            Field(f"{name}_ratio", "ratio", "ratio", keep=1),
            Field(f"{name}_bar", "", "bar", keep=3),
        ]
    rows = []
    for n, profile in enumerate(found.profiles):
        row: list[object] = [profile.network, profile.depth]
        for name in quantities:
            value, first, most = found.totals[name][n], found.totals[name][0], max(found.totals[name])
            row += [value, value / first if first else None, _bar(value / most if most else 0.0)]
        rows.append(tuple(row))
    title = f"{len(rows)} networks, ratios to {found.networks[0]}"
    return Sheet(
        "comparison", title, tuple(fields), tuple(rows), notes=tuple(_notes(found)), data=_data(found, quantities)
    )


def _bar(share: float) -> str:
    return "█" * round(BAR * share) or ("▏" if share else "")


def _notes(found: Comparison) -> list[str]:
    setting = found.profiles[0].setting
    notes = [f"batch {setting.batch}, {setting.dtype}, {setting.mode}"]
    if len(found.networks) == 2:
        notes.append(
            "stage: side of the maps as a part of the input's; head: vectors and single positions; "
            "difference: second minus first"
        )
    for profile in found.profiles:
        notes += [f"{profile.network}, changed from the paper: {', '.join(profile.changes)}"] if profile.changes else []
    means = {column.name: column.means for column in found.profiles[0].columns}
    return [*notes, *(f"{HEADS[name]}: {means[name]}" for name in QUANTITIES)]


def _data(found: Comparison, quantities: list[str]) -> dict[str, object]:
    return {
        "networks": list(found.networks),
        "totals": {name: list(found.totals[name]) for name in quantities},
        "stages": [
            {
                "stage": stage.name,
                "sizes": list(stage.shapes),
                **{name: list(stage.values[name]) for name in quantities},
            }
            for stage in found.stages
        ],
    }

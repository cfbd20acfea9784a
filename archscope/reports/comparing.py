"""Charts of networks beside each other: aligned by stage, and what makes the difference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archscope.formats import spelled
from archscope.reports.charts import (
    COLOURS,
    PATTERNS,
    QUANTITIES,
    ROW,
    axis_of,
    plain,
    row_axis,
    side,
    stacked,
    value_in,
    y_axis,
)
from archscope.reports.contents import Chart
from archscope.studies.comparison import Comparison, compared, rows_by_stage, stage_order
from archscope.studies.profiling import Profile

HOW = "A stage holds the layers whose maps have shrunk equally: 1/4 of the input's side; head: single positions."


def of_stages(name: str, profiles: Sequence[Profile]) -> Chart:
    """The four quantities per stage, a bar for each network. A stage's receptive field is its last layer's."""
    grouped = [rows_by_stage(profile) for profile in profiles]
    stages = stage_order(grouped)
    traces, layout, table = [], stacked(len(QUANTITIES)), []
    for n, (column, (head, unit)) in enumerate(QUANTITIES.items()):
        values = [[_of_stage(rows.get(stage, []), column) for stage in stages] for rows in grouped]
        traces += [_bars(n, at, profiles[at].network, stages, own, unit) for at, own in enumerate(values)]
        row_axis(layout, n).update(y_axis(head, unit, [value for own in values for value in own]))
        table += [(head, profiles[at].network, *(_spelled(v, unit) for v in own)) for at, own in enumerate(values)]
    layout["xaxis"] |= {"type": "category", "categoryarray": stages}
    layout |= {
        "barmode": "group",
        "bargap": 0.25,
        "showlegend": len(profiles) > 1,
        "legend": {"orientation": "h", "y": 1.06},
    }
    caption = f"{HOW} Params, MACs and bytes are sums over a stage; its receptive field is that of its last layer."
    heads = ("quantity", "network", *stages)
    units = tuple("text" for _ in heads)
    figure = {"data": traces, "layout": layout}
    return Chart(name, "Stage by stage", caption, figure, ROW * len(QUANTITIES) + 60, heads, units, tuple(table))


def _of_stage(rows: Sequence[Any], column: str) -> int | None:
    """The sum of a stage, or of a receptive field its last known one; None for a stage that is not there."""
    values = [side(row.values[column]) for row in rows]
    known = [value for value in values if value is not None]
    if column == "receptive_field":
        return known[-1] if known else None
    return sum(known) if values and len(known) == len(values) else None


def _spelled(value: int | None, unit: str) -> str:
    return "" if value is None else spelled(value, unit)


def _bars(n: int, at: int, network: str, stages: list[str], values: list[int | None], unit: str) -> dict[str, Any]:
    label = plain(network)
    return {
        "type": "bar", "name": label, "legendgroup": f"n{at}", "showlegend": n == 0, "x": stages, "y": values,
        "yaxis": axis_of(n), "meta": unit,
        "hovertemplate": f"{list(QUANTITIES.values())[n][0]} of {label}: {value_in(unit)}<extra></extra>",
        "marker": {"color": COLOURS[at % len(COLOURS)],
                   "pattern": {"shape": PATTERNS[at % len(PATTERNS)], "fillmode": "overlay", "fgopacity": 0.35}},
    }  # fmt: skip


def of_difference(name: str, first: Profile, second: Profile) -> Chart:
    """From the first network's params and MACs to the second's, stage by stage: what each adds or takes away."""
    found = compared([first, second])
    labels = {"params": "params", "macs": "MACs"}
    traces, layout = [], stacked(len(labels))
    for n, (quantity, head) in enumerate(labels.items()):
        trace = _steps(found, quantity, n)
        traces.append(trace)
        row_axis(layout, n).update(y_axis(head, "count", trace["y"]))
    layout["xaxis"] |= {"type": "category", "categoryarray": traces[0]["x"]}
    rows = tuple(
        (head, *(spelled(value, "count" if kind != "relative" else "signed") for value, kind in _path(found, quantity)))
        for quantity, head in labels.items()
    )
    heads = ("quantity", found.networks[0], *(stage.name for stage in found.stages), found.networks[1])
    title = f"From {found.networks[0]} to {found.networks[1]}"
    caption = f"{HOW} Each step is what the second network has more or less there; the steps add up exactly."
    figure = {"data": traces, "layout": layout}
    return Chart(name, title, caption, figure, 400, heads, tuple("text" for _ in heads), rows)


def _path(found: Comparison, quantity: str) -> list[tuple[int, str]]:
    """The first total, each stage's difference, the second total, with Plotly's word for each."""
    first, second = found.totals[quantity]
    steps = [(found.difference(stage, quantity, 1), "relative") for stage in found.stages]
    return [(first, "absolute"), *steps, (second, "total")]


def _steps(found: Comparison, quantity: str, n: int) -> dict[str, Any]:
    path = _path(found, quantity)
    return {
        "type": "waterfall", "name": quantity, "yaxis": axis_of(n),
        "x": [plain(found.networks[0]), *(stage.name for stage in found.stages), f"{plain(found.networks[1])} "],
        "y": [value for value, _ in path], "measure": [kind for _, kind in path],
        "hovertemplate": f"{'MACs' if quantity == 'macs' else quantity} {value_in('count')}<extra></extra>",
        "increasing": {"marker": {"color": COLOURS[1]}}, "decreasing": {"marker": {"color": COLOURS[0]}},
        "totals": {"marker": {"color": "#808080"}}, "connector": {"line": {"width": 1, "color": "#808080"}},
    }  # fmt: skip

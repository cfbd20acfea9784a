"""Charts of profiles, as plain data for Plotly. Every plotted number is one of the profile, unrounded."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from archscope.formats import spelled
from archscope.reports.contents import Chart
from archscope.studies.profiling import Profile, Row

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Okabe and Ito's, which people with any colour vision tell apart, on white and on black."""

PATTERNS = ("", "/", "x", ".", "\\", "+", "-", "|")
"""Of bars, so that a grey print tells them apart too, and from the seventh on colours that come again."""

QUANTITIES = {
    "params": ("params", "count"),
    "macs": ("MACs", "count"),
    "saved_activation_bytes": ("saved bytes", "bytes"),
    "receptive_field": ("receptive field", "side"),
}
"""The columns of the charts per layer and per stage, with what they are called and their unit."""

UNTITLED = {"unifiedhovertitle": {"text": " "}}
"""Of an axis that counts layers: what is pointed at has its name in the first line, and needs no number."""

ROW = 150
"""Pixels of a chart's row."""

LABELS = 16
"""Layers that are named below a chart, at most; all of them are when pointed at."""


def of_layers(name: str, profile: Profile) -> Chart:
    """Params, MACs, memory and receptive field of every layer, in running order, one below the other."""
    rows = [row for row in profile.rows if row.values["output_shape"] is not None]
    heads = [_head(row) for row in rows]
    traces, layout = [], stacked(len(QUANTITIES))
    for n, (column, (head, unit)) in enumerate(QUANTITIES.items()):
        values = [side(row.values[column]) for row in rows]
        traces.append(
            {
                "type": "bar", "name": head, "y": values, "yaxis": axis_of(n), "meta": unit,
                "marker": {"color": COLOURS[n]},
                "hovertemplate": f"{'<b>%{hovertext}</b><br>' if n == 0 else ''}{head} {value_in(unit)}<extra></extra>",
                **({"hovertext": heads} if n == 0 else {}),
            }
        )  # fmt: skip
        layout[_layout_key("y", n)] |= y_axis(head, unit, values)
    step = -(-len(rows) // LABELS) or 1
    shown = list(range(0, len(rows), step))
    layout["xaxis"] |= {"tickvals": shown, "ticktext": [_short(rows[at].name) for at in shown], "tickangle": -40}
    layout["xaxis"] |= UNTITLED
    layout |= {"bargap": 0.1, "margin": {"l": 70, "r": 10, "t": 10, "b": 90}}
    caption = "Every layer in running order; point at one, or use the arrow keys, for its numbers. Drag to zoom in."
    title = f"{profile.network}, layer by layer"
    return Chart(name, title, caption, {"data": traces, "layout": layout}, ROW * len(QUANTITIES) + 90)


def _head(row: Row) -> str:
    shape = spelled(row.values["output_shape"], "shape")
    return plain(f"{row.name} · {row.op} · {shape}")


def value_in(unit: str) -> str:
    """What Plotly is to print of a value when it is pointed at: all of its digits."""
    return "%{y:,} B" if unit == "bytes" else "%{y:,}"


def _short(name: str) -> str:
    """The outermost block that a layer is in, or its own name: enough to say where one is."""
    first = name.partition(".")[0]
    return plain(first if len(first) <= 14 else f"{first[:13]}…")


def side(value: Any) -> Any:
    """A number of a value that may be one per axis: the larger."""
    return max(value) if isinstance(value, tuple) else value


def plain(text: str) -> str:
    """A text that Plotly takes as text: it reads tags and links in what it is given."""
    return escape(spelled(text, "text"), quote=False)


def stacked(count: int) -> dict[str, Any]:
    """A layout of so many rows over one axis, without colours: those are the page's."""
    layout: dict[str, Any] = {
        "xaxis": {"anchor": axis_of(count - 1), "zeroline": False, "showgrid": False},
        "hovermode": "x unified", "hoversubplots": "axis", "showlegend": False, "dragmode": "zoom",
        "margin": {"l": 70, "r": 10, "t": 10, "b": 30},
    }  # fmt: skip
    gap = 0.05
    tall = (1 - gap * (count - 1)) / count
    for n in range(count):
        top = 1 - n * (tall + gap)
        domain = [max(0.0, top - tall), min(1.0, top)]
        layout[_layout_key("y", n)] = {"domain": domain, "anchor": "x", "fixedrange": True, "rangemode": "tozero"}
    return layout


def axis_of(n: int) -> str:
    """Plotly's name of the n-th y axis."""
    return "y" if n == 0 else f"y{n + 1}"


def _layout_key(letter: str, n: int) -> str:
    return f"{letter}axis" if n == 0 else f"{letter}axis{n + 1}"


def y_axis(title: str, unit: str, values: Sequence[Any]) -> dict[str, Any]:
    """An axis with its title and, of bytes, ticks at binary units; Plotly has none of those."""
    axis: dict[str, Any] = {"title": {"text": title, "standoff": 6}}
    if unit != "bytes":
        return axis | {"tickformat": "~s", "nticks": 5}
    most = max((value for value in values if value is not None), default=0)
    step = 1
    while 4 * step < most:
        step *= 2
    ticks = list(range(0, most + step, step)) if most else [0]
    texts = [spelled(tick, "bytes").replace(".00", "") for tick in ticks]
    return axis | {"tickvals": ticks, "ticktext": ["0", *texts[1:]]}


def row_axis(layout: dict[str, Any], n: int) -> dict[str, Any]:
    """The n-th y axis of a layout."""
    axis: dict[str, Any] = layout[_layout_key("y", n)]
    return axis

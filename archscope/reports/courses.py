"""Charts over time, and of designs: the live memory of a training step, and the numbers of a sweep."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from archscope.formats import spelled
from archscope.graph.footprint import STEP
from archscope.reports.charts import COLOURS, UNTITLED, plain, stacked, value_in, y_axis
from archscope.reports.contents import Chart, Designs
from archscope.studies.memory_use import PARTS, MemoryUse

WORDS = {
    "params": "params",
    "buffers": "buffers",
    "grads": "gradients",
    "optimizer": "optimizer state",
    "input": "batch and targets",
    "saved": "saved for backward",
    "transient": "other activations",
}
"""What a peak is made of, in print."""

FILLS = {
    "params": "#0072b2", "buffers": "#cc79a7", "grads": "#d55e00", "optimizer": "#56b4e9", "input": "#808080",
    "saved": "#009e73", "transient": "#e69f00",
}  # fmt: skip


def of_memory(name: str, use: MemoryUse) -> Chart:
    """What is alive at every moment of a training step, by what it is."""
    moments = use.timeline
    kept = [part for part in PARTS if any(moment.parts[part] for moment in moments)]
    places = [plain(f"{moment.phase}: {moment.layer}" if moment.layer else moment.phase) for moment in moments]
    totals = [f"{place} · {spelled(each.bytes, 'bytes')}" for place, each in zip(places, moments, strict=True)]
    traces = [_area(use, part, totals if n == 0 else None) for n, part in enumerate(kept)]
    layout = stacked(1)
    layout["yaxis"] |= y_axis("live bytes", "bytes", [moment.bytes for moment in moments])
    layout["xaxis"] |= {"showticklabels": False, **UNTITLED}
    layout |= {"showlegend": True, "legend": {"orientation": "h", "y": -0.12}, "shapes": [], "annotations": []}
    at = 0
    for phase, run in groupby(moment.phase for moment in moments):
        long = len(list(run))
        place = {"x": at, "y": 1, "yref": "paper", "yanchor": "bottom", "xanchor": "left"}
        if long > len(moments) // 12 or phase == STEP:  # the loss is one moment, and has no room for its name
            layout["annotations"].append({**place, "text": phase, "showarrow": False})
        line = {"width": 1, "dash": "dot", "color": "#808080"}
        layout["shapes"].append({"type": "line", "x0": at, "x1": at, "y0": 0, "y1": 1, "yref": "paper", "line": line})
        at += long
    layout["margin"] = {"l": 80, "r": 10, "t": 30, "b": 30}
    caption = f"One step of training, moment by moment: batch {use.setting.batch}, {use.setting.in_words}. "
    caption += f"The peak is {spelled(use.training.bytes, 'bytes')}, "
    caption += f"{f'at {use.training.layer}, ' if use.training.layer else ''}in {use.training.phase}."
    peaks = (use.inference, use.ideal, use.training)
    rows = [(WORDS[part], *(each.parts[part] for each in peaks)) for part in PARTS]
    rows.append(("peak", *(each.bytes for each in peaks)))
    heads = ("bytes", "inference", "ideal inference", "training step")
    figure = {"data": traces, "layout": layout}
    title = f"{use.network}, live memory"
    return Chart(name, title, caption, figure, 380, heads, ("text", "count", "count", "count"), tuple(rows))


def _area(use: MemoryUse, part: str, heads: list[str] | None) -> dict[str, Any]:
    values = [moment.parts[part] for moment in use.timeline]
    head = "<b>%{hovertext}</b><br>" if heads is not None else ""
    return {
        "type": "scatter", "mode": "lines", "stackgroup": "live", "name": WORDS[part], "y": values,
        "line": {"width": 0.5, "color": FILLS[part], "shape": "hv"}, "meta": "bytes",
        "hovertemplate": f"{head}{WORDS[part]} {value_in('bytes')}<extra></extra>",
        **({"hovertext": heads} if heads is not None else {}),
    }  # fmt: skip


def of_designs(name: str, designs: Designs) -> Chart:
    """The designs of a sweep: two of their numbers against each other, a colour for each network."""
    x, y = (*designs.numbers, *designs.numbers)[:2]
    traces = []
    networks = list(dict.fromkeys(str(_value(designs, row, "network")) for row in designs.rows))
    for n, network in enumerate(networks):
        own = [row for row in designs.rows if str(_value(designs, row, "network")) == network]
        traces.append(
            {
                "type": "scatter", "mode": "markers", "name": plain(network), "meta": network,
                "x": [_value(designs, row, x) for row in own], "y": [_value(designs, row, y) for row in own],
                "hovertext": [_words(designs, row) for row in own],
                "hovertemplate": "%{hovertext}<extra></extra>",
                "marker": {"size": 6, "color": COLOURS[n % len(COLOURS)], "symbol": n % 8},
            }
        )  # fmt: skip
    layout = stacked(1) | {
        "hovermode": "closest",
        "showlegend": len(networks) > 1,
        "legend": {"orientation": "h", "y": 1.08},
    }
    layout["xaxis"] |= {"title": {"text": plain(x)}, "tickformat": "~s", "showgrid": True}
    layout["yaxis"] |= {"title": {"text": plain(y)}, "tickformat": "~s", "fixedrange": False}
    shown = "" if len(designs.rows) == designs.of else f", of which every {designs.of // len(designs.rows)}th is drawn"
    caption = f"{designs.of:,} designs of {designs.file}{shown}; point at one for all that the file says of it."
    return Chart(name, f"Designs of {designs.file}", caption, {"data": traces, "layout": layout}, 460)


def _value(designs: Designs, row: tuple[Any, ...], name: str) -> Any:
    return row[designs.names.index(name)]


def _words(designs: Designs, row: tuple[Any, ...]) -> str:
    """All of a row, an entry a line."""
    pairs = zip(designs.names, row, strict=True)
    return "<br>".join(plain(f"{name} {f'{value:,}' if isinstance(value, int) else value}") for name, value in pairs)

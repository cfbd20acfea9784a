"""The chart of a training run: loss above, accuracy below, step by step."""

from __future__ import annotations

from itertools import count
from typing import Any

from archscope.reports.charts import COLOURS, axis_of, plain, row_axis, stacked, y_axis
from archscope.reports.contents import Chart, Curve, Training

ROWS = {"loss": "cross-entropy", "accuracy": "accuracy"}

SYMBOLS = ("circle", "square", "diamond", "cross", "x", "triangle-up")
"""Of curves, so that a grey print tells them apart too."""

DASHES = ("solid", "solid", "dash", "dot", "dashdot", "longdash")

REPORTS = "#56b4e9"
"""Of what was reported between the epochs."""

BETWEEN = "between"
"""What marks a curve that keyboards pass over: it has other steps than the epochs."""


def of_run(name: str, run: Training) -> Chart | None:
    """Loss and accuracy, in training and held-out, over the steps; None of a run that has no epoch."""
    if not run.table:
        return None
    layout = stacked(len(ROWS))
    others = count(2)
    traces = [
        _trace(curve, 1 if curve.held_out else 0 if curve.what == "train" else next(others)) for curve in run.curves
    ]
    for n, head in enumerate(ROWS.values()):
        row_axis(layout, n).update(y_axis(head, "number", ()) | {"tickformat": "", "fixedrange": False})
    line = {"width": 1, "dash": "dash", "color": "#808080"}
    place = {"x0": 0, "x1": 1, "xref": "paper", "yref": "y"}
    layout["shapes"] = [{"type": "line", "y0": run.guessing, "y1": run.guessing, "line": line, **place}]
    layout["xaxis"] |= {"title": {"text": "step"}, "rangemode": "tozero", "tickformat": ",d"}
    layout |= {"showlegend": True, "legend": {"orientation": "h", "y": 1.12}}
    layout["margin"] = {"l": 70, "r": 10, "t": 10, "b": 45}
    caption = "Marks stand at the ends of epochs; small ones at reports, means over the steps since the last. "
    caption += f"Dashed: the loss of guessing, {run.guessing:.3f}. Drag to zoom in."
    units = tuple("text" for _ in run.columns)
    figure = {"data": traces, "layout": layout}
    return Chart(name, "Loss and accuracy", caption, figure, 480, run.columns, units, run.table)


def _trace(curve: Curve, n: int) -> dict[str, Any]:
    """A curve. n: its colour; the same in both rows for training and for held-out examples."""
    label = f"{curve.of}, {plain(curve.what)}{', each report' if curve.every else ''}"
    at, colour = list(ROWS).index(curve.of), REPORTS if curve.every else COLOURS[n % len(COLOURS)]
    return {
        "type": "scatter", "mode": "lines+markers", "name": label, "yaxis": axis_of(at),
        "x": [step for step, _ in curve.points], "y": [value for _, value in curve.points],
        "line": {"width": 1 if curve.every else 2, "color": colour, "dash": DASHES[n % len(DASHES)]},
        "marker": {"size": 3 if curve.every else 7, "symbol": SYMBOLS[n % len(SYMBOLS)]},
        "meta": BETWEEN if curve.every else "number", "hovertemplate": f"{label} %{{y:.5~g}}<extra></extra>",
    }  # fmt: skip

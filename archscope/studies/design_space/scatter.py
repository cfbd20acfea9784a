"""The picture of a sweep: two numbers of its designs against each other, those that are kept in front of the others."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from archscope.core.errors import Problem, Unsupported
from archscope.studies.design_space.answers import Answer
from archscope.studies.design_space.columnfiles import columns_of

if TYPE_CHECKING:
    import numpy as np

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's, which people tell apart whatever their eyes; with a marker each, which a grey print tells apart."""

MARKERS = "osD^vP*"


def drawn(answer: Answer, kind: str, heads: dict[str, str]) -> bytes:
    """The picture as a file of a kind: png, svg or pdf. heads: how columns are called in print.

    The two columns are the first ones of the front, else the first ones of the sweep. Raises Unsupported without
    matplotlib.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        help_line = 'pip install "archscope[plot]"'
        raise Unsupported(Problem("missing-package", "a picture needs matplotlib", help=help_line)) from error
    x, y = shown(answer)
    figure = Figure(figsize=(8, 5), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    _points(axes, answer, x, y)
    axes.set_xlabel(heads.get(x, x))
    axes.set_ylabel(heads.get(y, y))
    axes.set_title(_title(answer))
    for axis in (axes.xaxis, axes.yaxis):
        _scale(axis)
    axes.grid(alpha=0.3, linewidth=0.5)
    axes.legend(frameon=False, fontsize="small")
    held = io.BytesIO()
    figure.savefig(held, format=kind)
    return held.getvalue()


def shown(answer: Answer) -> Sequence[str]:
    """The two columns of the picture."""
    names = [key.column for key in answer.question.choice.pareto]
    return (names if len(names) > 1 else [*answer.question.columns])[:2]


def _points(axes: Any, answer: Answer, x: str, y: str) -> None:
    """The sample in grey, and what is kept in colours, a network each."""
    sample = columns_of(answer, answer.sample)
    axes.scatter(
        _floats(sample[x]), _floats(sample[y]), s=6, color="#AAAAAA", linewidths=0,
        label=f"{len(answer.sample):,} of {answer.fitting:,} designs", rasterized=True,
    )  # fmt: skip
    for rows in answer.batches():
        kept = columns_of(answer, rows)
        if len(answer.question.choice.pareto) == 2 and len(rows):
            _line(axes, _floats(kept[x]), _floats(kept[y]))
        for number, network in enumerate(answer.question.space.networks):
            own = kept["network"] == network
            if own.any():
                colour, marker = COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)]
                what = f"{network}: {own.sum():,} {'not beaten' if answer.question.choice.pareto else 'kept'}"
                axes.scatter(
                    _floats(kept[x][own]),
                    _floats(kept[y][own]),
                    s=18,
                    color=colour,
                    marker=marker,
                    label=what,
                    zorder=3,
                )


def _line(axes: Any, x: np.ndarray[Any, Any], y: np.ndarray[Any, Any]) -> None:
    """The front of two numbers as a line through its points."""
    order = x.argsort()
    axes.plot(x[order], y[order], color="#000000", linewidth=0.6, alpha=0.6, zorder=2)


def _floats(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return values.astype(float)


def _title(answer: Answer) -> str:
    space = answer.question.space
    return f"{' and '.join(space.networks)}: {answer.points:,} designs by {', '.join(space.varied)}"


def _scale(axis: Any) -> None:
    """Logarithmic where numbers go over more than two powers of ten; 5 M for 5,000,000."""
    from matplotlib.ticker import EngFormatter

    low, high = axis.get_data_interval()
    if low > 0 and high > 100 * low:
        axis._set_axes_scale("log")  # noqa: SLF001  the public name is the axes', one for each direction
    axis.set_major_formatter(EngFormatter(sep=" "))

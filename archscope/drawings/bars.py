"""Numbers as bars, for a paper or a thesis: stages of several networks beside each other, or the layers of one.

matplotlib draws, which is an extra. Colours are those that people tell apart whatever their eyes, hatches tell them
apart in grey; a picture has no title, since papers have captions.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

from archscope.core.errors import Problem, Unsupported
from archscope.drawings.texts import plain

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#999999")
"""Okabe and Ito's, light and dark in turn."""

HATCHES = ("", "////", "....", "\\\\\\\\", "xxxx", "----", "++++")

MOST = 600
"""Layers in a picture: more would be lines of less than a pixel, or an image that no program opens."""

STYLE: dict[Any, Any] = {
    "font.size": 9, "axes.titlesize": 9, "legend.fontsize": 8, "text.parse_math": False, "axes.axisbelow": True,
    "axes.spines.top": False, "axes.spines.right": False, "axes.linewidth": 0.6, "xtick.major.width": 0.6,
    "ytick.major.width": 0.6, "hatch.linewidth": 0.6, "pdf.fonttype": 42, "svg.fonttype": "path",
    "svg.hashsalt": "archscope",
}  # fmt: skip


class Panel(NamedTuple):
    """Bars of one quantity. unit: ``count`` or ``bytes``. labels: what the bars stand for.

    series: by name, a value a bar. The name of the only one is not shown.
    """

    title: str
    unit: str
    labels: tuple[str, ...]
    series: tuple[tuple[str, tuple[int, ...]], ...]


def beside_each_other(panels: Sequence[Panel], kind: str, below: str) -> bytes:
    """A row of bars for each quantity, those of a stage side by side. kind: png, svg or pdf. below: of the last axis.

    Raises Unsupported without matplotlib.
    """
    count = len(panels[0].series)
    width = min(14.0, max(6.3, 0.16 * count * len(panels[0].labels) + 2))
    names = -(-count // 3)
    with _styled():
        figure, grid = _figure(len(panels), 1, (width, (1.6 + 0.2 * names) * len(panels) + 0.4))
        for axes, panel in zip(grid, panels, strict=True):
            for n, (name, values) in enumerate(panel.series):
                places = [at + (n + 0.5) / count * 0.8 - 0.4 for at in range(len(panel.labels))]
                axes.bar(places, values, 0.8 / count, label=plain(name), **_look(n))
            _scaled(axes.yaxis, panel)
            axes.set_ylabel(panel.title)
            axes.grid(axis="y", linewidth=0.4, alpha=0.6)
            axes.legend(frameon=False, ncols=min(count, 3), loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2)
            axes.set_xticks(range(len(panel.labels)), panel.labels)
        grid[-1].set_xlabel(below)
        return _saved(figure, kind)


def below_each_other(panels: Sequence[Panel], kind: str) -> bytes:
    """A column of bars for each quantity, a layer a line. kind: png, svg or pdf.

    Raises Unsupported without matplotlib, and for more than :data:`MOST` layers.
    """
    labels = panels[0].labels
    if len(labels) > MOST:
        message = f"{len(labels):,} layers are too many for one picture, which has room for {MOST:,}"
        raise Unsupported(Problem("too-many", message, help="fold blocks: --depth 0"))
    size = (1.4 + 2.1 * len(panels), 0.17 * len(labels) + 0.7)
    with _styled():
        figure, grid = _figure(1, len(panels), size)
        for n, (axes, panel) in enumerate(zip(grid, panels, strict=True)):
            axes.barh(range(len(labels)), panel.series[0][1], 0.75, color=COLOURS[n % len(COLOURS)], linewidth=0)
            _scaled(axes.xaxis, panel)
            axes.set_xlabel(panel.title)
            axes.grid(axis="x", linewidth=0.4, alpha=0.6)
            axes.tick_params(axis="y", length=0)
            axes.margins(y=0.5 / len(labels))
        grid[0].set_yticks(range(len(labels)), [*map(plain, labels)], fontsize=7, family="monospace")
        grid[0].invert_yaxis()
        return _saved(figure, kind)


def _look(n: int) -> dict[str, Any]:
    return {
        "color": COLOURS[n % len(COLOURS)], "hatch": HATCHES[n % len(HATCHES)], "edgecolor": "white", "linewidth": 0.4,
    }  # fmt: skip


def _scaled(axis: Any, panel: Panel) -> None:
    """Ticks as people read them: 5 M, or binary units of bytes, at steps that are powers of two."""
    from matplotlib.ticker import EngFormatter, FixedLocator, FuncFormatter, MaxNLocator

    if panel.unit != "bytes":
        axis.set_major_locator(MaxNLocator(4))
        axis.set_major_formatter(EngFormatter(sep=" "))
        return
    most = max((value for _, values in panel.series for value in values), default=0)
    step = 1
    while 3 * step < most:
        step *= 2
    axis.set_major_locator(FixedLocator(list(range(0, most + 1, step))))
    axis.set_major_formatter(FuncFormatter(lambda value, _: _in_binary(int(value))))


def _in_binary(value: int) -> str:
    """A power of two of bytes, or a few of them, in its unit.

    >>> _in_binary(0), _in_binary(3 * 2**19), _in_binary(2**31)
    ('0', '1.5 MiB', '2 GiB')
    """
    size, units = float(value), ["B", "KiB", "MiB", "GiB"]
    while size >= 1024 and len(units) > 1:
        size /= 1024
        units.pop(0)
    return f"{size:g} {units[0]}" if value else "0"


def _styled() -> Any:
    """Matplotlib in our style, for as long as a picture is made. Raises Unsupported where it is not installed."""
    try:
        import matplotlib as mpl
    except ImportError as error:
        help_line = 'pip install "archscope[plot]"'
        raise Unsupported(Problem("missing-extra", "a picture needs matplotlib", help=help_line)) from error
    return mpl.rc_context(STYLE)


def _figure(rows: int, columns: int, size: tuple[float, float]) -> tuple[Any, list[Any]]:
    """A figure, and its axes, which share a scale where their bars stand for the same."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, dpi=200, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, list(figure.subplots(rows, columns, squeeze=False, sharex=columns == 1, sharey=rows == 1).flat)


def _saved(figure: Any, kind: str) -> bytes:
    """The file's bytes; without a date, so that the same numbers make the same file."""
    dates: dict[str, dict[str, None]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}
    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that a name is too long, or in letters that the font has not
        figure.savefig(out, format=kind, metadata=dates[kind])
    return out.getvalue()

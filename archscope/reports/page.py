"""The page itself: charts are chosen, templates filled, and all that the page needs is put into it."""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from archscope.core.arithmetic import product
from archscope.core.errors import Problem, Unsupported
from archscope.drawings.svg import HIGHLIGHT, STYLE
from archscope.formats import spelled
from archscope.reports.charts import of_layers, side
from archscope.reports.comparing import of_difference, of_stages
from archscope.reports.contents import Chart, Contents, Part, Training
from archscope.reports.courses import of_designs, of_memory
from archscope.reports.equations import name_of, value_of
from archscope.reports.learning import of_run

TEMPLATES = Path(__file__).parent / "templates"


class Shown(NamedTuple):
    """A network with its charts."""

    part: Part
    layers: Chart
    memory: Chart


class Learning(NamedTuple):
    """A training run with its chart, of which there is none before the first epoch is done."""

    run: Training
    chart: Chart | None


def page(contents: Contents) -> str:
    """The page as one text of HTML: styles, scripts and data are in it, and its policy lets it load nothing.

    Only the two scripts that stand in it may run, by their hashes. Raises Unsupported without Jinja2 or plotly.
    """
    environment, plotly = _extra()
    own = (TEMPLATES / "page.js").read_text(encoding="utf-8")
    style = (TEMPLATES / "page.css").read_text(encoding="utf-8")
    parts = [_shown(part) for part in contents.parts]
    side_by_side = list(_side_by_side(contents))
    sweeps = [of_designs(f"sweep{n}", each) for n, each in enumerate(contents.sweeps, start=1)]
    runs = [Learning(each, of_run(f"run{n}", each)) for n, each in enumerate(contents.runs, start=1)]
    charts = [*side_by_side, *(chart for each in parts for chart in (each.layers, each.memory)), *sweeps]
    charts += [each.chart for each in runs if each.chart is not None]
    from archscope.core.version import __version__

    return str(
        environment.get_template("page.html").render(
            contents=contents, parts=parts, side_by_side=side_by_side, sweeps=sweeps, runs=runs,
            names=_names(contents),
            figures={chart.name: chart.figure for chart in charts},
            designs_data={chart.name: each._asdict() for chart, each in zip(sweeps, contents.sweeps, strict=True)},
            highlight=HIGHLIGHT, version=__version__, style=style, drawing_style=STYLE, script=own,
            plotly=_packed(plotly), hashes=" ".join(map(_hash, (own, plotly))),
        )
    )  # fmt: skip


def _names(contents: Contents) -> list[str]:
    """What the page is about: its networks, or else its runs and sweeps."""
    networks = [part.profile.network for part in contents.parts]
    return networks or [*(each.name for each in contents.runs), *(each.file for each in contents.sweeps)]


def _extra() -> tuple[Any, str]:
    """Jinja2's environment, which escapes everything, and the text of plotly.js."""
    try:
        import jinja2
        from plotly.offline import get_plotlyjs
    except ImportError as error:
        message = f"a report is made with Jinja2 and plotly, and {error.name} cannot be imported"
        raise Unsupported(Problem("missing-extra", message, help='pip install "archscope[report]"')) from error
    environment = jinja2.Environment(
        autoescape=True, loader=jinja2.FileSystemLoader(TEMPLATES), undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {"spelled": spelled, "sortable": sortable, "quantity": name_of, "result": value_of}
    return environment, str(get_plotlyjs())


def _packed(script: str) -> str:
    """A script compressed, as text: plotly.js is 4.8 MB, and 2 MB so; a browser unpacks it at once."""
    return base64.b64encode(gzip.compress(script.encode("utf-8"), 6, mtime=0)).decode("ascii")


def _hash(script: str) -> str:
    """A script's name in the page's policy."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode('utf-8')).digest()).decode('ascii')}'"


def _shown(part: Part) -> Shown:
    layers = of_layers(f"{part.name}-layers", part.profile)
    return Shown(part, layers, of_memory(f"{part.name}-memory", part.memory))


def _side_by_side(contents: Contents) -> Iterator[Chart]:
    """Stage by stage, and what makes the difference between the first network and each of the others."""
    profiles = [part.profile for part in contents.parts]
    if profiles:
        yield of_stages("stages", profiles)
    for n, other in enumerate(profiles[1:], start=2):
        yield of_difference(f"difference{n}", profiles[0], other)


def sortable(value: Any, unit: str) -> Any:
    """What a column is sorted by where its text does not say it: of shapes the elements, what is not known last."""
    if value is None:
        return -1
    return product(value) if unit == "shape" else side(value) if unit == "bytes" or isinstance(value, tuple) else ""

"""What a page shows, as plain records: whoever makes one fills them, and the templates spell them."""

from __future__ import annotations

from typing import Any, NamedTuple

from archscope.studies.explaining.explanation import Explanation
from archscope.studies.memory_use import MemoryUse
from archscope.studies.profiling import Profile


class PaperCell(NamedTuple):
    """A cell of a paper's table as printed, and what was found of it.

    columns: how many it spans. computed: our number, where it says more than the printed one. status: of the finding,
    empty where no number is printed. number: of the remark below the table, 0 for none. label: it names its row.
    marked: a network of the page is made of it.
    """

    text: str
    columns: int = 1
    computed: str = ""
    status: str = ""
    number: int = 0
    label: bool = False
    marked: bool = False


class Paper(NamedTuple):
    """A paper's table. marked: per head whether it is a network of the page. remarks: why cells are wrong, in order."""

    title: str
    source: str
    note: str
    heads: tuple[str, ...]
    marked: tuple[bool, ...]
    rows: tuple[tuple[PaperCell, ...], ...]
    remarks: tuple[str, ...]


class Chart(NamedTuple):
    """A chart: what Plotly draws (``data`` and ``layout``), and the same numbers as a table where none is elsewhere.

    name: its id in the page. height: in pixels. caption: how to read it. units: per column of the table.
    """

    name: str
    title: str
    caption: str
    figure: dict[str, Any]
    height: int
    heads: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()


class Part(NamedTuple):
    """A network of a page. name: its id in the page. drawing: SVG. explanations: by the name of the box."""

    name: str
    profile: Profile
    memory: MemoryUse
    drawing: str
    explanations: dict[str, Explanation]


class Designs(NamedTuple):
    """The designs of a sweep's file.

    names: of all columns; numbers: of those that are totals; rows: of plain values, ``of`` so many in the file.
    """

    file: str
    names: tuple[str, ...]
    numbers: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    of: int


class Evidence(NamedTuple):
    """A sign of a verdict. status: ``fine``, ``odd`` or ``fault``. what: with its number. mend: what would help."""

    status: str
    name: str
    what: str
    mend: str = ""


class Curve(NamedTuple):
    """A quantity of a training as it went. of: ``loss`` or ``accuracy``. what: on which examples; of an auxiliary head.

    held_out: of examples that were not trained on. every: of reports between the epochs. points: step and value, which
    is None where it is no finite number.
    """

    of: str
    what: str
    points: tuple[tuple[int, float | None], ...]
    held_out: bool = False
    every: bool = False


class Training(NamedTuple):
    """A training run. facts: what was trained, on what and how, in words. verdict: empty where it came to none.

    guessing: loss of the data's classes told at random. table: per epoch, unrounded; its heads are in ``columns``.
    """

    name: str
    title: str
    facts: tuple[tuple[str, str], ...]
    verdict: str
    causes: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    guessing: float
    curves: tuple[Curve, ...]
    columns: tuple[str, ...]
    table: tuple[tuple[str, ...], ...]


class Contents(NamedTuple):
    """All of a page."""

    parts: tuple[Part, ...]
    papers: tuple[Paper, ...] = ()
    sweeps: tuple[Designs, ...] = ()
    runs: tuple[Training, ...] = ()

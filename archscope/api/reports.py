"""``report``: networks as a page to look at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Unpack

from archscope import catalog
from archscope.api.modules import is_module
from archscope.api.networks import Network, lower
from archscope.api.papers import paper_of
from archscope.api.pictures import pictured
from archscope.api.settings import checked_setting
from archscope.core.errors import Problem, UsageError
from archscope.core.records import Setting
from archscope.drawings.figure import Figure
from archscope.drawings.svg import svg_of_page
from archscope.graph.graph import Graph
from archscope.reports.contents import Contents, Designs, Paper, Part, Training
from archscope.reports.page import page
from archscope.spec.options import Changes
from archscope.spec.table import Table
from archscope.studies.design_space.recorded import recorded_designs
from archscope.studies.explaining.explanation import explained_in_brief
from archscope.studies.memory_use import memory_use
from archscope.studies.profiling import profile_graph

COLUMNS = ("output_shape", "params", "macs", "activations", "saved_activation_bytes", "receptive_field")

DRAWN = 5000
"""Designs of a sweep that are drawn at most."""


def report(
    networks: Sequence[Network | Graph | Any],
    *,
    batch: int = 1,
    input: Any = None,  # noqa: A002  as load has it
    sweeps: Sequence[str | Path] = (),
    runs: Sequence[str | Path] = (),
    **changes: Unpack[Changes],
) -> str:
    """Networks as one HTML page that needs no network connection: tables, drawings, charts, and the papers' cells.

    networks: what lower takes each, modules and their addresses as well, or Graphs. batch: examples at once. input: one
    example of a module's input. sweeps: files that ``archscope sweep -o`` wrote, drawn as well; of more than
    :data:`DRAWN` designs every n-th. runs: folders that ``archscope train --out`` wrote, for verdicts and curves
    of loss and accuracy; their networks need not be among these. changes: to every network.

    Raises UsageError where there is nothing to report and for settings that make no sense, Unsupported without the
    extra ``report``, and what lower and memory raise; before that, ArchscopeError for a run that is not there or
    damaged.
    """
    if not (networks or sweeps or runs):
        raise UsageError(Problem("too-few", "a report needs a network, a sweep or a run"))
    setting = checked_setting(batch)
    courses = tuple(_courses(runs))
    parts = [_part(f"n{n}", each, setting, input, changes) for n, each in enumerate(networks, start=1)]
    return page(Contents(tuple(parts), tuple(_papers(networks)), tuple(map(_designs, sweeps)), courses))


def _courses(runs: Sequence[str | Path]) -> Iterator[Training]:
    from archscope.api.courses import course_of  # which knows trainings: most reports have none

    yield from map(course_of, runs)


def _part(name: str, network: Any, setting: Setting, given: Any, changes: Changes) -> Part:
    graph = _lowered(network, setting.batch, given, "eval", changes)
    trained = _lowered(network, setting.batch, given, "train", changes) if graph.held is not None else graph
    figure = pictured(graph)
    boxes = [each for part in figure.parts for each in _names(part)]
    label = f"drawing of {graph.name}; arrow keys go from box to box"
    return Part(
        name,
        profile_graph(graph, setting, COLUMNS),
        memory_use(trained, graph, setting),
        svg_of_page(figure, name, label),
        explained_in_brief(graph, setting, boxes),
    )


def _lowered(network: Any, batch: int, given: Any, mode: str, changes: Changes) -> Graph:
    return network if isinstance(network, Graph) else lower(network, batch, input=given, mode=mode, **changes)


def _names(figure: Figure) -> Iterator[str]:
    """The names of the boxes of a figure."""
    if figure.numbers is not None:
        yield figure.numbers.name
    for part in figure.parts:
        yield from _names(part)


def _papers(networks: Sequence[Any]) -> Iterator[Paper]:
    """The tables that networks are from, each once, in the order of the networks."""
    tables: dict[str, tuple[str, Table, list[str]]] = {}
    for network in networks:
        if isinstance(network, str) and not is_module(network):
            entry = catalog.find(network)
            tables.setdefault(entry.table.source.name, (network, entry.table, []))[2].append(entry.network)
    for address, table, shown in tables.values():
        yield paper_of(address, table, shown)


def _designs(path: str | Path) -> Designs:
    """The designs of a file, or every n-th of very many."""
    found = recorded_designs(Path(path))
    every = -(-len(found.rows) // DRAWN)
    return Designs(Path(path).name, found.names, found.numbers, found.rows[::every], len(found.rows))

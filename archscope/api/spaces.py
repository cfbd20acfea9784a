"""What a sweep or a search asks: the space of designs, and what to know of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from hashlib import sha256
from typing import Any, NamedTuple

from archscope import analyses, catalog
from archscope.api.changeable import INPUT, GraphDesign, SpecDesign, TableDesign, graph_design
from archscope.api.modules import is_module
from archscope.api.networks import Network, load
from archscope.api.settings import checked_setting
from archscope.core.conditions import Condition, columns_in, condition
from archscope.core.errors import Problem, Unsupported, UsageError, nearest
from archscope.core.version import __version__
from archscope.graph.graph import Graph
from archscope.spec.options import Options, options, with_example
from archscope.studies.design_space.designs import CELL, Axis, Space, Words
from archscope.studies.design_space.grids import CHUNK
from archscope.studies.design_space.partings import Partings
from archscope.studies.design_space.ranges import LIMIT, as_words, space
from archscope.studies.design_space.selecting import Choice, Key
from archscope.studies.design_space.sweeping import Question

COLUMNS = ("params", "macs", "activations")

Changeable = TableDesign | SpecDesign | GraphDesign


class Wanted(NamedTuple):
    """What is to be known of each design, and which are kept; texts are as on the command line.

    pareto, sort: names of columns, less being better; with a minus before the name, more.
    """

    columns: Sequence[str] = COLUMNS
    where: str = ""
    pareto: Sequence[str] = ()
    sort: Sequence[str] = ()
    top: int | None = None


def asked(
    networks: Sequence[Network | Graph],
    vary: Mapping[str, str | Iterable[Any]],
    wanted: Wanted,
    setting: Mapping[str, Any],
    changes: Mapping[str, Any],
    most: int | None = LIMIT,
) -> Question:
    """The question that a sweep answers.

    setting: batch, dtype, mode. changes: of all designs; ``input`` as written. most: how many designs there may be.

    Raises UsageError for ranges, columns and conditions that make no sense, and what load raises.
    """
    fixed = _fixed(changes)
    designs = _designs(networks, fixed)
    found = _space(designs, vary, most)
    _check_free(found, {**fixed, "batch": setting["batch"]} if setting["batch"] != 1 else fixed)
    for axis in found.axes:
        _check_ends(axis)
    units = columns_known(found)
    where = condition_or_none(wanted.where, found)
    choice = Choice(tuple(_keys(wanted.pareto, units)), tuple(_keys(wanted.sort, units)), wanted.top)
    if wanted.top is not None and wanted.top < 1:
        raise UsageError(Problem("bad-value", f"top is {wanted.top}", expected="a whole number from 1 on"))
    columns = _columns(wanted.columns, where, choice, found, units)
    return Question({**designs}, found, checked_setting(**setting), columns, Partings(), where, choice, _chunk(columns))


def condition_or_none(text: str, found: Space) -> Condition | None:
    """The condition that a text says of the columns of a sweep; None for an empty one."""
    return condition(text, columns_known(found)) if text else None


def columns_known(found: Space) -> dict[str, str]:
    """All columns of a sweep with their units: what is varied, and what analyses give as one number."""
    texts = dict.fromkeys(("network", *(each.name for each in found.words)), "text")
    axes = {axis.name: "count" for axis in found.axes}
    numbers = {}
    for name in analyses.columns():
        column = analyses.of_column(name)[1]
        if column.total != "none" and column.unit not in {"text", "shape"}:
            numbers[name] = column.unit
    return {**texts, **axes, **numbers}


def fingerprint(question: Question) -> str:
    """A text that differs where questions do, for a file that holds a part of the answer."""
    outlines = [(name, getattr(design, "outline", "")) for name, design in question.designs.items()]
    asks = (question.space, question.setting, question.columns, question.choice, question.chunk, question.sample)
    return sha256(repr((__version__, outlines, asks, str(question.where))).encode()).hexdigest()


def _fixed(changes: Mapping[str, Any]) -> dict[str, Any]:
    """The changes that all designs have, without those that change nothing. Raises UsageError as load does."""
    given = {name: value for name, value in changes.items() if name != "input"}
    chosen = options(given)
    if changes.get("input"):
        sized = with_example(chosen, [str(each) for each in changes["input"]])
        given |= {"input_size": sized.input_size, "in_channels": sized.in_channels}
    usual = Options()
    return {name: value for name, value in given.items() if value != getattr(usual, name)}


def _designs(networks: Sequence[Network | Graph], fixed: Mapping[str, Any]) -> dict[str, Changeable]:
    if not networks:
        raise UsageError(Problem("missing-network", "nothing to sweep", help="name a network"))
    designs: dict[str, Changeable] = {}
    for network in networks:
        name, design = _design(network, fixed)
        if name in designs:
            raise UsageError(Problem("bad-value", f"{name} is named twice"))
        designs[name] = design
    return designs


def _design(network: Network | Graph, fixed: Mapping[str, Any]) -> tuple[str, Changeable]:
    if isinstance(network, Graph):
        if fixed:
            raise _unchangeable(network.name, fixed)
        return network.name, graph_design(network)
    if is_module(network):
        message = f"{network if isinstance(network, str) else type(network).__name__} is a module"
        problem = Problem("captured", message, help="sweep takes networks of tables, or written in Python")
        raise Unsupported(problem)
    if isinstance(network, str):
        entry = catalog.find(network)
        return network, TableDesign(entry.network, entry.table, fixed)
    spec = load(network)
    return spec.name, SpecDesign(spec, fixed)


def _space(designs: Mapping[str, Changeable], vary: Mapping[str, str | Iterable[Any]], most: int | None) -> Space:
    """The space; numbers in cells that are more than channels become words."""

    def check_cell(name: str, texts: Iterable[str]) -> None:
        for design in designs.values():
            design.check_cell(name, texts)

    found = space([*designs], vary, check_cell, most)
    axes: list[Axis] = []
    words: list[Words] = []
    for axis in found.axes:
        many = axis.knob.option != CELL or all(design.takes_many(axis) for design in designs.values())
        axes += [axis] if many else []
        words += [] if many else [as_words(axis)]
    for name, design in designs.items():
        if isinstance(design, GraphDesign) and set(found.varied) - set(INPUT):
            raise _unchangeable(name, set(found.varied) - set(INPUT))
    return Space(found.networks, (*found.words, *words), tuple(axes))


def _unchangeable(name: str, what: Iterable[str]) -> Unsupported:
    message = f"{name} is a graph, and {', '.join(sorted(what))} cannot be changed in it"
    return Unsupported(Problem("no-such-knob", message, expected=", ".join(INPUT)))


def _check_free(found: Space, fixed: Mapping[str, Any]) -> None:
    """Raises UsageError for what is varied and set to one value as well."""
    options_of = {each.name: each.knob.option for each in found.words} | {a.name: a.knob.option for a in found.axes}
    for name, option in options_of.items():
        taken = name in (fixed.get(CELL) or {}) if option == CELL else option in fixed
        if taken and (option, fixed.get(option)) != ("softmax", False):  # the command line's way not to ask for it
            message = f"{name} is varied, and set to one value as well"
            raise UsageError(Problem("bad-value", message, help="give one of both"))


def _check_ends(axis: Axis) -> None:
    """Raises UsageError for values that a network cannot be asked for at all; ranges are checked at their ends."""
    if axis.knob.option == CELL:
        return
    for number in {end for part in axis.numbers for end in (part[0], part[-1])}:
        value = axis.value(number)
        if axis.name == "batch":
            checked_setting(number)
        else:
            options({axis.knob.option: _as_option(axis, value)})


def _as_option(axis: Axis, value: int | Fraction) -> Any:
    if axis.knob.option == "input_size":
        return (value, value)
    return str(value) if axis.knob.exact else value


def _keys(names: Sequence[str], units: Mapping[str, str]) -> Iterable[Key]:
    for name in names:
        column = name.removeprefix("-")
        if column not in units or units[column] == "text":
            known = [each for each, unit in units.items() if unit != "text"]
            problem = Problem("unknown-column", f"no column to order by is called {column!r}", None, ", ".join(known))
            raise UsageError(problem._replace(help=nearest(column, known)))
        yield Key(column, "most" if name.startswith("-") else "least")


def _columns(
    names: Sequence[str], where: Condition | None, choice: Choice, found: Space, units: Mapping[str, str]
) -> tuple[str, ...]:
    """The analyses' columns that are shown, looked at, or ordered by."""
    varied = {"network", *found.varied}
    looked_at = columns_in(where, units) if where is not None else []
    wanted = [*names, *looked_at, *(key.column for key in (*choice.pareto, *choice.sort))]
    for name in wanted:
        if name not in units:
            problem = Problem("unknown-column", f"no column is called {name!r}", None, ", ".join(units))
            raise UsageError(problem._replace(help=nearest(name, units)))
    return tuple(dict.fromkeys(name for name in wanted if name not in varied))


def _chunk(columns: Sequence[str]) -> int:
    """A peak is looked for among the arrays of all layers, which are there at once: so each has to be smaller."""
    peaks = any(analyses.of_column(name)[1].total == "largest" for name in columns)
    return CHUNK // 4 if peaks else CHUNK

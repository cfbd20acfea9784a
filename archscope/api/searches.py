"""``search``: the best design of a space within limits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Unpack

from archscope import catalog
from archscope.api.cell_spaces import cell_space
from archscope.api.changeable import TableDesign
from archscope.api.networks import Network
from archscope.api.spaces import COLUMNS, Wanted, asked, condition_or_none
from archscope.core.conditions import quantity
from archscope.core.errors import Problem, UsageError
from archscope.graph.graph import Graph
from archscope.spec.options import Changes
from archscope.studies.design_space.answers import Progress
from archscope.studies.design_space.searching import (
    SWEPT,
    Found,
    Limit,
    Objective,
    Wish,
    best_of_all,
    best_of_some,
)
from archscope.studies.design_space.sweeping import Runner, in_this_process


def search(  # noqa: PLR0913  a public verb: its keywords are the flags of the command
    *networks: Network | Graph,
    vary: Mapping[str, str | Iterable[Any]] | None = None,
    maximize: str | Objective | None = None,
    minimize: str | Objective | None = None,
    where: str = "",
    at_most: Mapping[str, str | float] | None = None,
    at_least: Mapping[str, str | float] | None = None,
    columns: Sequence[str] = COLUMNS,
    trials: int = 1000,
    seed: int = 0,
    input: Sequence[str] = (),  # noqa: A002  what tables and the command line call it
    batch: int = 1,
    dtype: str = "float32",
    mode: str = "eval",
    dask: str = "",
    tell: Callable[[Progress | Found], None] | None = None,
    **changes: Unpack[Changes],
) -> Found:
    """The best design of a space within limits.

    vary: the space, as for :func:`archscope.sweep`; left out, of one network of a table, what stands in its cells:
    other channels, kernels and repeats. maximize or minimize: a column, or a function that takes a
    :class:`archscope.studies.design_space.searching.Candidate` and gives a number, after a short training for instance;
    ``archscope.build(candidate.graph())`` is its module. where: a condition; at_most, at_least: limits by column,
    ``{"params": "5M"}``. columns: the numbers that a candidate has besides. dask: a cluster's address, or ``local``:
    chunks of the sweep, or calls of the function, are its tasks. tell: hears how far it is. networks, input, batch,
    dtype, mode, changes: as for ``sweep``.

    Where the objective is a column and the space has at most two million designs, all are looked at, and the result is
    the optimum; else Optuna proposes ``trials`` of them, the same ones for the same ``seed``. Raises what ``sweep``
    raises, and Unsupported without Optuna where it is needed.
    """
    if trials < 1:
        raise UsageError(Problem("bad-value", f"trials is {trials}", expected="a whole number from 1 on"))
    limits = [*_limits(at_most or {}, most=True), *_limits(at_least or {}, most=False)]
    wish = _wish(maximize, minimize, tuple(limit for limit, _ in limits))
    by = [wish.by] if isinstance(wish.by, str) else []
    setting = {"batch": batch, "dtype": dtype, "mode": mode}
    conditions = [f"({where})"] if where else []
    together = " and ".join([*conditions, *(text for _, text in limits)])
    whole = Wanted((*columns, *(limit.column for limit in wish.limits)), together, sort=by)
    if vary is None:
        vary = _cells(networks, changes)
    question = asked(networks, vary, whole, setting, {**changes, "input": input}, most=None)
    with _runner(dask) as run:
        if isinstance(wish.by, str) and question.space.points <= SWEPT:
            return best_of_all(question, wish.by, wish.best, run, tell)
        apart = question._replace(where=condition_or_none(where, question.space))
        return best_of_some(apart, wish, trials, seed, run, tell)


def _cells(networks: Sequence[Network | Graph], changes: Mapping[str, Any]) -> dict[str, list[str]]:
    """The cells of the one network. Raises UsageError for several, and for one that has no cells."""
    if len(networks) != 1 or not isinstance(networks[0], str):
        message = "a search needs something to vary, unless it is of one network of a table"
        raise UsageError(Problem("nothing-varied", message, help='vary={"width": "1/8:2:1/8"}'))
    entry = catalog.find(networks[0])
    taken = changes.get("set") or {}
    found = cell_space(TableDesign(entry.network, entry.table, {}))
    return {name: texts for name, texts in found.items() if name not in taken}


def _wish(maximize: str | Objective | None, minimize: str | Objective | None, limits: tuple[Limit, ...]) -> Wish:
    if maximize is not None and minimize is None:
        return Wish(maximize, "most", limits)
    if minimize is not None and maximize is None:
        return Wish(minimize, "least", limits)
    raise UsageError(Problem("bad-value", "a search needs one objective: either maximize or minimize"))


def _limits(bounds: Mapping[str, str | float], *, most: bool) -> Iterable[tuple[Limit, str]]:
    """Limits, and the conditions that they are."""
    for column, bound in bounds.items():
        text, name = str(bound), column if column.isidentifier() else repr(column)
        yield Limit(column, quantity(text).number, most), f"{name} {'<=' if most else '>='} {text}"


def _runner(dask: str) -> AbstractContextManager[Runner]:
    if not dask:
        return nullcontext(in_this_process)
    from archscope.studies.design_space.clusters import on_dask

    return on_dask(dask)

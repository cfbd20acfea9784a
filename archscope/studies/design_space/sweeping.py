"""Which of a million variants fits? Every design of a space with its numbers: the rules run on arrays, chunk by chunk.

A chunk is all points of a box that share a structure; where a network has another structure at some of them (a
projection that another width does not need), they are taken apart and looked at again. Chunks depend on nothing but the
question: whoever works them out, in whatever order, the rows are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from archscope.analyses import Total
from archscope.core.arithmetic import Failure, PointsDiffer, agree, unusable_points
from archscope.core.conditions import Condition, holds
from archscope.core.counts import Counts, plain
from archscope.core.errors import ArchscopeError, Problem, Unsupported
from archscope.core.records import Setting
from archscope.graph.graph import Graph
from archscope.studies.design_space.designs import Axis, Space
from archscope.studies.design_space.grids import CHUNK, Grid, Points, grid, points_of
from archscope.studies.design_space.partings import Partings
from archscope.studies.design_space.selecting import Choice, Rows, of_chunk
from archscope.studies.profiling import totals

if TYPE_CHECKING:
    import numpy as np


class Design(Protocol):
    """A network that can be changed. Whoever makes one can be pickled, so that other processes can have it."""

    def graph(self, changes: Mapping[str, Any]) -> Graph:
        """The graph after changes, ``batch`` among them, some of which may be arrays."""


class Question(NamedTuple):
    """What a sweep asks.

    designs: by name, in the order of the space's networks. columns: what is worked out. partings: what is known of
    where points part. chunk: how many points at once. sample: every how many rows one is set aside for a picture; 0 for
    none.
    """

    designs: dict[str, Design]
    space: Space
    setting: Setting
    columns: tuple[str, ...]
    partings: Partings
    where: Condition | None = None
    choice: Choice = Choice()
    chunk: int = CHUNK
    sample: int = 0

    @property
    def grid(self) -> Grid:
        """How the points of a variant are cut into chunks."""
        return grid(self.space.axes, self.chunk)

    @property
    def chunks(self) -> int:
        """How many chunks there are, of all variants."""
        return self.space.variants * self.grid.chunks


class Unusable(NamedTuple):
    """Designs that cannot be built: how many, and the first of them: its variant, and its position there."""

    points: int
    variant: int
    position: int


class Outcome(NamedTuple):
    """What came of a chunk, or of several.

    points: how many designs; fitting: how many of them met the condition. kept: rows that may be wanted; sample: some
    for a picture. unusable: by network and the rule that they break. missing: per column that is a bound the ops
    without a rule, which make it a lower one; without any it is an upper one.
    """

    points: int
    fitting: int
    kept: Rows
    sample: Rows
    unusable: dict[str, Unusable]
    missing: dict[str, tuple[str, ...]]


Runner = Callable[[Callable[[Any, Any], Any], Any, Iterable[Any]], Iterator[Any]]
"""Calls a function with something common and each of several things, and gives the results in order."""


def in_this_process(work: Callable[[Any, Any], Any], common: Any, each: Iterable[Any]) -> Iterator[Any]:
    """One call after another, here."""
    return (work(common, one) for one in each)


def outcomes(question: Question, run: Runner = in_this_process, start: int = 0) -> Iterator[Outcome]:
    """The outcomes of all chunks, in order; ``start``: how many of them there are already."""
    return run(worked_out, question, range(start, question.chunks))


def worked_out(question: Question, chunk: int) -> Outcome:
    """A chunk's outcome."""
    variant, at = divmod(chunk, question.grid.chunks)
    points = points_of(question.space.axes, question.grid, at)
    return evaluated(question, variant, points, question.grid.first(at))


def evaluated(question: Question, variant: int, points: Points, first: int = 0) -> Outcome:
    """The outcome of any points of a variant. first: the position of their first one among all of the variant."""
    import numpy as np

    board = _Board(points.order.size, question.columns)
    waiting = question.partings.apart(points)
    while waiting:
        some = waiting.pop()
        try:
            found, failures = _found(question, variant, some)
        except PointsDiffer as parting:
            where = np.asarray(parting.where)
            question.partings.learn(some, where)
            waiting += some.parted(where)
        except ArchscopeError as error:
            board.refuse(some, ":".join(problem.code for problem in error.problems))
        else:
            board.note(some, found, failures)
    rows = board.rows(variant, points, question.space.axes)
    if question.where is not None:
        rows = rows.at(np.broadcast_to(holds(question.where, named_columns(question, variant, rows)), len(rows)))
    return Outcome(
        points=points.order.size,
        fitting=len(rows),
        kept=of_chunk(rows, question.choice),
        sample=rows.at(slice(None, None, question.sample) if question.sample else slice(0)),
        unusable={
            f"{question.space.texts(variant)['network']} {rule}": Unusable(count, variant, first + at)
            for rule, (count, at) in board.unusable.items()
        },
        missing=board.missing,
    )


def design_of(question: Question, variant: int) -> Design:
    """The network of a variant."""
    return question.designs[question.space.texts(variant)["network"]]


def _found(question: Question, variant: int, points: Points) -> tuple[dict[str, Total], list[Failure]]:
    """What the rules say of all these points at once, and where what they require does not hold."""
    changes = {"batch": question.setting.batch, **question.space.changes(variant, points.values)}
    setting = question.setting._replace(batch=changes["batch"])
    with unusable_points() as failures:
        graph = design_of(question, variant).graph(changes)
        found = totals(graph, setting, question.columns)
    return {name: _of_one_side(total) for name, total in found.items()}, failures


def _of_one_side(total: Total) -> Total:
    """The total, of height and width the one number that they are, if they are."""
    sides = total.value
    if isinstance(sides, tuple) and all(agree((side,), sides[:1]) for side in sides):
        return total._replace(value=sides[0])
    return total


def _check(name: str, total: Total) -> None:
    """Raises Unsupported for a total that is no number."""
    value = total.value
    if value is None:
        raise Unsupported(Problem("no-such-column", f"{name} has no total here that designs could be held by"))
    if isinstance(value, tuple):
        message = f"{name} is {' × '.join(map(str, value))} (height × width): designs are held by one number"
        raise Unsupported(Problem("no-such-column", message))


class _Board:
    """The numbers of a chunk while they come in, each at its point's position."""

    def __init__(self, size: int, columns: Iterable[str]) -> None:
        import numpy as np

        self.values: dict[str, np.ndarray[Any, Any]] = {name: np.zeros(size, np.int64) for name in columns}
        self.usable = np.ones(size, bool)
        self.unusable: dict[str, tuple[int, int]] = {}
        self.missing: dict[str, tuple[str, ...]] = {}

    def note(self, points: Points, found: Mapping[str, Total], failures: Iterable[Failure]) -> None:
        """Writes down what was found, and at which points it means nothing."""
        import numpy as np

        order = points.order.reshape(-1)
        for name, total in found.items():
            _check(name, total)
            if total.status != "exact":
                self.missing[name] = tuple(sorted({*self.missing.get(name, ()), *total.missing}))
            value = np.asarray(plain(total.value))
            if value.dtype != self.values[name].dtype:
                self.values[name] = self.values[name].astype(np.result_type(value, self.values[name]))
            self.values[name][order] = np.broadcast_to(value, points.shape).reshape(-1)
        for failure in failures:
            mask = np.broadcast_to(failure.points, points.shape).reshape(-1)
            self._mark(order[mask & self.usable[order]], failure.rule)

    def refuse(self, points: Points, rule: str) -> None:
        """Writes down that none of these points can be built."""
        order = points.order.reshape(-1)
        self._mark(order[self.usable[order]], rule)

    def _mark(self, positions: np.ndarray[Any, Any], rule: str) -> None:
        if not len(positions):
            return
        self.usable[positions] = False
        count, first = self.unusable.get(rule, (0, int(positions.min())))
        self.unusable[rule] = (count + len(positions), min(first, int(positions.min())))

    def rows(self, variant: int, points: Points, axes: Iterable[Axis]) -> Rows:
        """The usable points, in order."""
        import numpy as np

        order = np.argsort(points.order.reshape(-1)) if points.order.ndim > 1 else points.order
        numbers = {
            axis.name: np.broadcast_to(points.values[axis.name], points.shape).reshape(-1)[order] for axis in axes
        }
        rows = Rows(np.full(len(order), variant), {**numbers, **self.values})
        return rows if self.usable.all() else rows.at(self.usable)


def named_columns(question: Question, variant: int, rows: Rows) -> dict[str, Any]:
    """The columns of rows as a condition looks at them."""
    columns: dict[str, Any] = {name: Counts(values) for name, values in rows.columns.items() if values.dtype != float}
    columns |= {name: values for name, values in rows.columns.items() if name not in columns}
    for axis in question.space.axes:
        if axis.knob.exact:
            columns[axis.name] = rows.columns[axis.name] / axis.denominator
    return {**columns, **question.space.texts(variant)}

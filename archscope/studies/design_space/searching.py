"""Which design is best? All of them, if they are few enough to be swept; else as many as are tried, by Optuna.

A design is a point of a sweep's space, and its numbers are worked out as in a sweep. The optimiser is told by how much
one breaks the limits, and so learns where they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from archscope.core.conditions import holds
from archscope.core.errors import Problem, Unsupported
from archscope.core.showing import shown_as_html
from archscope.graph.graph import Graph
from archscope.studies.design_space.answers import Progress, answer
from archscope.studies.design_space.designs import Space
from archscope.studies.design_space.grids import Points
from archscope.studies.design_space.selecting import Choice, Key, Rows
from archscope.studies.design_space.sweeping import (
    Design,
    Question,
    Runner,
    design_of,
    evaluated,
    in_this_process,
    named_columns,
)

SWEPT = 2_000_000
"""Designs that are all looked at, instead of some of them, where the objective is a column."""

AT_ONCE = 64
"""Designs that the optimiser proposes before it hears what came of them."""

Place = tuple[int, tuple[int, ...]]
"""A point of the space: its variant, and its numbers on the axes."""


class Limit(NamedTuple):
    """What a column may be at most, or at least."""

    column: str
    number: float
    most: bool = True

    def excess(self, value: float) -> float:
        """By which part of the limit a value breaks it; 0 or less where it does not."""
        over = value - self.number if self.most else self.number - value
        return over / max(abs(self.number), 1)


class Candidate(NamedTuple):
    """A design: what is varied, by name and as it is written; and its numbers, by column."""

    point: dict[str, str]
    numbers: dict[str, Any]
    design: Design
    changes: dict[str, Any]

    def graph(self) -> Graph:
        """Its graph, of which ``archscope.build`` makes a module."""
        return self.design.graph(self.changes)


Objective = Callable[[Candidate], float]


class Wish(NamedTuple):
    """What is wanted: most, or least, of a column or of a function, within limits.

    The question's condition holds besides.
    """

    by: str | Objective
    best: str = "most"
    limits: tuple[Limit, ...] = ()

    @property
    def sign(self) -> int:
        """What a value is multiplied by for the largest one to be the best."""
        return 1 if self.best == "most" else -1


class Found(NamedTuple):
    """What a search came to. best: None where nothing fits; value: what it is by the objective.

    tried: how many designs were looked at, of all ``designs``; fitting: how many of them fit.
    """

    best: Candidate | None
    value: float | None
    tried: int
    fitting: int
    designs: int

    def _repr_html_(self) -> str:
        return shown_as_html(self)

    @property
    def optimum(self) -> bool:
        """Whether no design can be better, since all were looked at."""
        return self.tried == self.designs


class _Tried(NamedTuple):
    """What came of a design: nothing if it cannot be built, its excesses over the limits, its value if it has one."""

    candidate: Candidate | None = None
    excesses: tuple[float, ...] = ()
    value: float | None = None

    @property
    def fits(self) -> bool:
        return self.candidate is not None and all(excess <= 0 for excess in self.excesses)


def best_of_all(
    question: Question,
    column: str,
    best: str = "most",
    run: Runner = in_this_process,
    tell: Callable[[Progress], None] | None = None,
) -> Found:
    """The optimum by a column, of all designs. The question's condition holds all limits."""
    choice = Choice(sort=(Key(column, best),), top=1)
    found = answer(question._replace(choice=choice), run, tell)
    if found.interrupted:
        raise KeyboardInterrupt
    rows = found.rows
    if rows is None or not len(rows):
        return Found(None, None, found.points, found.fitting, found.points)
    (winner,) = _candidates(question, int(rows.variants[0]), rows).values()
    return Found(winner, winner.numbers[column], found.points, found.fitting, found.points)


def best_of_some(
    question: Question,
    wish: Wish,
    trials: int,
    seed: int = 0,
    run: Runner = in_this_process,
    tell: Callable[[Found], None] | None = None,
) -> Found:
    """The best of so many designs as Optuna proposes. tell: hears how far it is. Raises Unsupported without Optuna."""
    optimiser = _Optimiser(question, wish, seed)
    seen: dict[Place, _Tried] = {}
    found = Found(None, None, 0, 0, question.space.points)
    for start in range(0, trials, AT_ONCE):
        proposals = optimiser.proposals(min(AT_ONCE, trials - start))
        new = [place for place in dict.fromkeys(place for _, place in proposals) if place not in seen]
        tried = _tried(question, wish, new, run)
        seen |= tried
        optimiser.hear(proposals, seen)
        found = _better(found, wish, list(tried.values()))
        if tell is not None:
            tell(found)
    return found


def _better(found: Found, wish: Wish, tried: Sequence[_Tried]) -> Found:
    fitting = [each for each in tried if each.fits]
    found = found._replace(tried=found.tried + len(tried), fitting=found.fitting + len(fitting))
    for each in fitting:
        if each.value is not None and (found.value is None or wish.sign * each.value > wish.sign * found.value):
            found = found._replace(best=each.candidate, value=each.value)
    return found


def _tried(question: Question, wish: Wish, places: Sequence[Place], run: Runner) -> dict[Place, _Tried]:
    """What comes of designs. A function is only asked about those that fit."""
    found = {place: _Tried() for place in places}
    for variant in dict.fromkeys(variant for variant, _ in places):
        own = [numbers for which, numbers in places if which == variant]
        rows = evaluated(question._replace(where=None, choice=Choice()), variant, _points(question, own)).kept
        fits = holds(question.where, named_columns(question, variant, rows)) if question.where is not None else True
        for n, (place, candidate) in enumerate(_candidates(question, variant, rows).items()):
            excesses = [limit.excess(candidate.numbers[limit.column]) for limit in wish.limits]
            excesses += [] if question.where is None else [0.0 if _at(fits, n) else 1.0]
            value = candidate.numbers[wish.by] if isinstance(wish.by, str) else None
            found[place] = _Tried(candidate, tuple(excesses), value)
    if not isinstance(wish.by, str):
        fitting = [place for place, each in found.items() if each.fits]
        values = run(_asked, wish.by, [found[place].candidate for place in fitting])
        for place, value in zip(fitting, values, strict=True):
            found[place] = found[place]._replace(value=float(value))
    return found


def _asked(objective: Objective, candidate: Candidate) -> float:
    return objective(candidate)


def _at(mask: Any, position: int) -> bool:
    return bool(mask[position] if getattr(mask, "ndim", 0) else mask)


def _points(question: Question, places: Sequence[tuple[int, ...]]) -> Points:
    import numpy as np

    columns = [np.array(numbers, np.int64) for numbers in zip(*places, strict=True)]
    names = [axis.name for axis in question.space.axes]
    return Points((len(places),), dict(zip(names, columns, strict=True)), np.arange(len(places)))


def _candidates(question: Question, variant: int, rows: Rows) -> dict[Place, Candidate]:
    """Rows of a variant as candidates, by their places."""
    space, design = question.space, design_of(question, variant)
    columns = {name: values.tolist() for name, values in rows.columns.items()}
    found = {}
    for n in range(len(rows)):
        own = {axis.name: columns[axis.name][n] for axis in space.axes}
        changes = {"batch": question.setting.batch, **space.changes(variant, own)}
        values = {axis.name: axis.value(own[axis.name]) for axis in space.axes}
        numbers = {**values, **{name: columns[name][n] for name in question.columns}}
        found[variant, tuple(own.values())] = Candidate(space.written(variant, own), numbers, design, changes)
    return found


def _first_ones(space: Space) -> Iterator[dict[str, int]]:
    """Designs to begin with: of each network with the middle one of all words, and little or much of all else."""
    for network in range(len(space.networks)):
        words = {each.name: (len(each.words) - 1) // 2 for each in space.words}
        for third in range(4):
            yield {"network": network, **words, **{axis.name: third * (len(axis) - 1) // 3 for axis in space.axes}}


class _Optimiser:
    """Optuna's side. Its parameters are the positions of the network, of each word, and on each axis."""

    def __init__(self, question: Question, wish: Wish, seed: int) -> None:
        try:
            import optuna
        except ImportError as error:
            message = f"a search among more than {SWEPT:,} designs, or by a function, needs Optuna"
            help_line = 'pip install "archscope[search]"'
            raise Unsupported(Problem("missing-package", message, help=help_line)) from error
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.sign = wish.sign
        self.space = question.space
        self.distributions: dict[str, Any] = {
            "network": optuna.distributions.CategoricalDistribution(list(range(len(self.space.networks)))),
            **{each.name: optuna.distributions.IntDistribution(0, len(each.words) - 1) for each in self.space.words},
            **{axis.name: optuna.distributions.IntDistribution(0, len(axis) - 1) for axis in self.space.axes},
        }
        # A function may take minutes, and deserves a model of what it does; a column takes none, and many are tried.
        sampler: Any = optuna.samplers.NSGAIISampler if isinstance(wish.by, str) else optuna.samplers.TPESampler
        self.study = optuna.create_study(direction="maximize", sampler=sampler(seed=seed))
        self.failed = optuna.trial.TrialState.FAIL
        for params in _first_ones(self.space):
            self.study.enqueue_trial(params)

    def proposals(self, number: int) -> list[tuple[Any, Place]]:
        """So many trials, and the designs that they are."""
        trials = [self.study.ask(self.distributions) for _ in range(number)]
        return [(trial, self.place(trial.params)) for trial in trials]

    def place(self, params: dict[str, int]) -> Place:
        """The design that Optuna's parameters stand for."""
        variant = self.space.variant([params["network"], *(params[each.name] for each in self.space.words)])
        return variant, tuple(axis.number(params[axis.name]) for axis in self.space.axes)

    def hear(self, proposals: Sequence[tuple[Any, Place]], seen: dict[Place, _Tried]) -> None:
        """What came of the trials. Where a function was not asked, since limits are broken, the worst value stands."""
        known = [self.sign * each.value for each in seen.values() if each.value is not None]
        worst = min(known, default=0.0)
        for trial, place in proposals:
            tried = seen[place]
            if tried.candidate is None:
                self.study.tell(trial, state=self.failed)
                continue
            for number, excess in enumerate(tried.excesses):
                trial.set_constraint(str(number), excess)
            self.study.tell(trial, worst if tried.value is None else self.sign * tried.value)

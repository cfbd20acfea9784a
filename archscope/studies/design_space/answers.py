"""What a sweep has found: the designs that are kept, and what is known of all the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from archscope.core.errors import ArchscopeError, Problem
from archscope.studies.design_space.checkpoints import Checkpoint
from archscope.studies.design_space.selecting import Rows, joined, of_all, of_chunk
from archscope.studies.design_space.sweeping import (
    Outcome,
    Question,
    Runner,
    Unusable,
    design_of,
    in_this_process,
    outcomes,
)
from archscope.studies.profiling import totals


class Progress(NamedTuple):
    """How far a sweep is, in points: an event while it runs, with what came of the last chunk."""

    points: int
    of: int
    fitting: int
    outcome: Outcome


class Reason(NamedTuple):
    """Why some designs cannot be built: how many, the first one, and what is wrong with that one, and where."""

    points: int
    example: str
    why: str
    place: str = ""


class Answer(NamedTuple):
    """What came of a sweep.

    points: how many designs were looked at; fitting: how many of them met the condition. rows: those that are kept;
    None if they lie in the checkpoint's file, as all of a sweep that keeps all do. sample: some of the fitting, for a
    picture. unusable: why others cannot be built. missing: per column that is a bound the ops without a rule, which
    make it a lower one; without any it is an upper one. interrupted: Ctrl-C ended it before all were looked at.
    """

    question: Question
    points: int
    fitting: int
    rows: Rows | None
    sample: Rows
    unusable: tuple[Reason, ...]
    missing: dict[str, tuple[str, ...]]
    checkpoint: Checkpoint | None = None
    interrupted: bool = False

    def batches(self) -> Iterator[Rows]:
        """The rows that are kept, in order, some at a time."""
        if self.rows is not None:
            yield self.rows
        elif self.checkpoint is not None:
            yield from (outcome.kept for outcome in self.checkpoint.outcomes())


def answer(
    question: Question,
    run: Runner = in_this_process,
    tell: Callable[[Progress], None] | None = None,
    checkpoint: Checkpoint | None = None,
) -> Answer:
    """Works a sweep out. tell: hears of each chunk. checkpoint: where to go on from, and what to add to.

    Ctrl-C ends it, and the answer is of the chunks that were finished; without any it is raised. Raises ArchscopeError
    where none of the designs can be built, and what the rules raise.
    """
    keeps = checkpoint is None or question.choice.bounds
    tally = _Tally(question, keeps=keeps)
    interrupted = False
    try:
        for outcome in _all(question, run, checkpoint):
            tally.add(outcome)
            if tell is not None:
                tell(Progress(tally.points, question.space.points, tally.fitting, outcome))
    except KeyboardInterrupt:
        if not tally.points:
            raise
        interrupted = True
    reasons = tuple(_reason(question, each) for each in tally.unusable.values())
    if sum(each.points for each in reasons) == tally.points:
        first = reasons[0]
        several = f"none of these {tally.points:,} designs can be built; {first.example}"
        one = f"{first.example} cannot be built"
        message = f"{one if tally.points == 1 else several}: {first.why}"
        raise ArchscopeError(Problem("nothing-usable", message))
    rows = of_all(joined(tally.kept), question.choice) if keeps else None
    return Answer(
        question, tally.points, tally.fitting, rows, joined(tally.samples), reasons, tally.missing, checkpoint,
        interrupted,
    )  # fmt: skip


def _all(question: Question, run: Runner, checkpoint: Checkpoint | None) -> Iterator[Outcome]:
    """The outcomes that are there already, and then the others."""
    there = 0
    if checkpoint is not None:
        for outcome in checkpoint.outcomes():
            there += 1
            yield outcome
    for outcome in outcomes(question, run, there):
        if checkpoint is not None:
            checkpoint.add(outcome)
        yield outcome


class _Tally:
    """What the chunks so far add up to."""

    def __init__(self, question: Question, *, keeps: bool) -> None:
        self.question = question
        self.keeps = keeps
        self.points = 0
        self.fitting = 0
        self.kept: list[Rows] = []
        self.samples: list[Rows] = []
        self.unusable: dict[str, Unusable] = {}
        self.missing: dict[str, tuple[str, ...]] = {}

    def add(self, outcome: Outcome) -> None:
        self.points += outcome.points
        self.fitting += outcome.fitting
        self.samples.append(outcome.sample)
        if self.keeps:
            self.kept.append(outcome.kept)
        if self.question.choice.bounds and len(self.kept) > 1:
            self.kept = [of_chunk(joined(self.kept), self.question.choice)]
        for rule, more in outcome.unusable.items():
            before = self.unusable.get(rule)
            self.unusable[rule] = more if before is None else before._replace(points=before.points + more.points)
        for column, ops in outcome.missing.items():
            self.missing[column] = tuple(sorted({*self.missing.get(column, ()), *ops}))


def _reason(question: Question, unusable: Unusable) -> Reason:
    """What is wrong with the first of some designs that cannot be built: it alone says so, at its cell."""
    space, variant = question.space, unusable.variant
    numbers = space.numbers(unusable.position)
    spoken = space.written(variant, numbers)
    example = " ".join(value if name == "network" else f"{name}={value}" for name, value in spoken.items())
    changes = {"batch": question.setting.batch, **space.changes(variant, numbers)}
    setting = question.setting._replace(batch=changes["batch"])
    try:
        totals(design_of(question, variant).graph(changes), setting, question.columns)
    except ArchscopeError as error:
        problem = error.problems[0]
        span = problem.span
        place = f"{span.source.name}:{span.line}" if span is not None else ""
        return Reason(unusable.points, example, problem.message, place)
    message = f"{example} cannot be built among other designs, and can be alone: a mistake in archscope"
    raise ArchscopeError(Problem("two-answers", message))

"""How much fits? The largest batch in closed form, and the largest number of anything else by halving.

Every moment's live bytes are ``constant + per_example × N`` for a batch of N, so that the peak is the upper envelope of
lines, and the largest batch is where the first of them meets the limit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from archscope.core.errors import Problem, Unsupported
from archscope.graph.execution import Step
from archscope.graph.footprint import Always, Course

CHECK_BATCH = 5


class Lines(NamedTuple):
    """The courses of batches of 2 and of 3 examples; all others from 2 on lie on the lines through them.

    A single example is apart: a run of its channels has no gaps, so that gradients are added up differently.
    """

    two: Course
    three: Course

    def at(self, batch: int) -> Course:
        """The course of a batch of 2 or more examples."""
        steps = tuple(_extended(a, b, batch) for a, b in zip(self.two.steps, self.three.steps, strict=True))
        return Course(Always(*self.two.always), steps)

    def largest_batch(self, limit: int) -> int:
        """The largest batch whose peak is at most ``limit`` bytes; 1 where even 2 examples are too many."""
        always = self.two.always.total
        batches = [
            (limit - always - 3 * a.alive + 2 * b.alive) // (b.alive - a.alive)
            for a, b in zip(self.two.steps, self.three.steps, strict=True)
        ]
        return max(1, min(batches))  # every moment has the batch itself in it, and so grows with it


def _extended(a: Step, b: Step, batch: int) -> Step:
    sizes = [mine + (batch - 2) * (its - mine) for mine, its in zip(a[2:], b[2:], strict=True)]
    return Step(a.phase, a.node, *sizes)


def largest_batch(course: Callable[[int], Course], limit: int, *, checked: bool = False) -> tuple[int, Course, int]:
    """The largest batch that needs at most ``limit`` bytes, its course, and the peak of the next batch.

    Where not even a single example fits, 0 and its course. course: of one inference or training step, for a batch.
    checked: nobody knows that it grows evenly with the batch: a third one must lie on the lines through two. Raises
    Unsupported where it does not.
    """
    lines = Lines(course(2), course(3))
    if checked:
        _require_even(lines, course)
    batch = lines.largest_batch(limit)
    if batch >= 2:
        return batch, lines.at(batch), lines.at(batch + 1).peak_bytes
    single = course(1)
    return (1 if single.peak_bytes <= limit else 0), single, lines.two.peak_bytes


def _require_even(lines: Lines, course: Callable[[int], Course]) -> None:
    """Raises Unsupported where the course of another batch is not on the lines."""
    even = len(lines.two.steps) == len(lines.three.steps)
    if not even or lines.at(CHECK_BATCH).steps != course(CHECK_BATCH).steps:
        message = "not supported: the largest batch of a network whose memory does not grow evenly with the batch"
        raise Unsupported(Problem("uneven-batch", message, help="archscope memory says what one batch needs"))


def largest_number(over: Callable[[int], int | None], most: int) -> tuple[int | None, int | None]:
    """The largest whole number from 1 to ``most`` that fits, and the next one, which does not; None for none.

    over: by how much a number is too much, 0 or less where it fits; None where it cannot be had at all, and is passed
    over. Of those that can be had, all above one that is too much must be so, too.

    >>> largest_number(lambda number: number * number - 50 if number % 2 == 0 else None, 100)
    (6, 8)
    """
    low, high = 0, most + 1
    while high - low > 1:
        middle = (low + high) // 2
        least = _had(over, middle)
        low, high = (middle, high) if least is None or (over(least) or 0) <= 0 else (low, middle)
    return _had(over, low), high if high <= most else None


def _had(over: Callable[[int], int | None], number: int) -> int | None:
    """The largest number up to this one that can be had."""
    return next((each for each in range(number, 0, -1) if over(each) is not None), None)

"""Charts of a quantity over time: no peak is lost, and each phase has its share and its name."""

from __future__ import annotations

from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

import archscope
from archscope.drawings.timeline import BLOCKS, chart

PHASES = ["forward", "loss", "backward", "step"]


def columns(lines: list[str]) -> list[int]:
    """The heights of the columns, in eighths of a line."""
    cells = [line.partition("┤")[2] for line in lines[:-1]]
    width = len(lines[-1].partition("└")[2])
    return [sum(BLOCKS.index(line[n]) if n < len(line) else 0 for line in cells) for n in range(width)]


@st.composite
def runs(draw: st.DrawFn) -> tuple[list[int], list[str]]:
    """Values, phase by phase."""
    values: list[int] = []
    phases: list[str] = []
    for phase in PHASES:
        own = draw(st.lists(st.integers(0, 10**12), min_size=1, max_size=60))
        values += own
        phases += [phase] * len(own)
    return values, phases


@given(runs(), st.integers(1, 130), st.integers(1, 9))
def test_the_highest_column_is_the_peak_wherever_it_is(run: tuple[list[int], list[str]], width: int, height: int):
    values, phases = run
    lines = chart(values, phases, "9.99 GiB", width=width, height=height)
    assert len(lines) == height + 1
    heights, axis = columns(lines), lines[-1].partition("└")[2]
    assert axis.replace("─", " ").split() == PHASES
    starts = [axis.index(phase) for phase in PHASES]
    assert starts == sorted(starts)
    top = max(values)
    for phase, (start, end) in zip(PHASES, zip(starts, [*starts[1:], len(axis)], strict=True), strict=True):
        most = max(value for value, its in zip(values, phases, strict=True) if its == phase)
        assert max(heights[start:end]) == -(-most * height * 8 // (top or 1))


@given(runs(), st.integers(45, 130))
def test_it_is_as_wide_as_it_may_be_and_no_wider(run: tuple[list[int], list[str]], width: int):
    values, phases = run
    lines = chart(values, phases, "9.99 GiB", width=width)
    assert all(len(line) <= width for line in lines)
    assert len(lines[-1]) > width - len(PHASES) - 1


def test_a_step_rises_in_forward_and_falls_in_backward():
    use = archscope.memory("vgg16", 8)
    values = [moment.bytes for moment in use.timeline]
    phases = [moment.phase for moment in use.timeline]
    by_phase = {
        phase: [value for value, _ in its]
        for phase, its in groupby(zip(values, phases, strict=True), key=lambda pair: pair[1])
    }
    assert by_phase["forward"][0] < by_phase["forward"][-1]
    assert max(by_phase["backward"]) == max(values)
    assert by_phase["backward"][-1] < max(values)
    lines = chart(values, phases, "2.07 GiB", width=100)
    assert lines[0].startswith("2.07 GiB ┤")
    assert lines[-2].startswith("       0 ┤")


def test_nothing_at_all_is_drawn_as_nothing():
    assert chart([0, 0], ["up", "up"], "0 B", width=12, height=1) == ["0 B ┤", "    └up─────"]

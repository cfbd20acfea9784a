"""How much fits: the largest batch in closed form, held against courses of its own and of the next batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import archscope
from archscope import catalog
from archscope.core.counts import Counts, plain
from archscope.core.errors import Unsupported
from archscope.core.records import Setting
from archscope.graph.execution import Step
from archscope.graph.footprint import Always, Course, inference_course, training_course
from archscope.graph.graph import Graph
from archscope.graph.lowering import lower
from archscope.studies.fitting import Lines, largest_batch, largest_number

GIB = 2**30

NETWORKS: dict[str, dict[str, Any]] = {
    "alexnet_owt": {"adaptive_pool": True},
    "vgg16": {"adaptive_pool": True},
    "vgg16_bn": {"adaptive_pool": True},
    "googlenet_torchvision": {},
    "resnet50_v1_5": {},
}

TRAINS = {
    "alexnet_owt": (2049, 4288, 6526),
    "vgg16": (94, 211, 327),
    "vgg16_bn": (54, 121, 189),
    "googlenet_torchvision": (174, 351, 527),
    "resnet50_v1_5": (96, 195, 294),
}
"""The largest batch that trains in 8, 16 and 24 GiB, worked out elsewhere with another simulation."""


@pytest.mark.parametrize("name", TRAINS)
def test_the_largest_batches_are_those_that_another_simulation_found(name: str):
    found = [archscope.fit(name, f"{size}GiB", **NETWORKS[name]).value for size in (8, 16, 24)]
    assert tuple(found) == TRAINS[name]


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("name", NETWORKS)
def test_the_largest_batch_fits_and_one_more_does_not(name: str, train: bool):
    for size in (3, 8, 24):
        fit = archscope.fit(name, size * GIB, train=train, **NETWORKS[name])
        assert isinstance(fit.value, int)
        peaks = []
        for batch in (fit.value, fit.value + 1):
            graph = archscope.lower(name, batch, **NETWORKS[name])
            setting = Setting(batch, mode="train")
            peaks.append((training_course if train else inference_course)(graph, setting).peak_bytes)
        assert peaks == [fit.moment.bytes, fit.beyond]
        assert peaks[0] <= size * GIB < peaks[1]


def courses(graph: Graph, setting: Setting) -> tuple[Course, Course]:
    return training_course(graph, setting), inference_course(graph, setting)


@pytest.mark.parametrize("name", catalog.everything())
def test_every_moment_grows_evenly_with_the_batch(name: str):
    """Batches of 2, 3, 5 and 17 in one go: sizes may be arrays."""
    graph = lower(archscope.load(name), Counts(np.array([2, 3, 5, 17])))  # type: ignore[arg-type]  # a Size
    for course in courses(graph, Setting(2, mode="train")):
        alive = [plain(step.alive).tolist() for step in course.steps]
        for two, three, five, more in alive:
            assert (five, more) == (two + 3 * (three - two), two + 15 * (three - two))


@pytest.mark.parametrize("name", ["alexnet", "googlenet_torchvision", "densenet121", "se_resnet50", "lenet5"])
def test_lines_through_two_batches_lead_to_the_course_of_any_other(name: str):
    found = [courses(archscope.lower(name, batch), Setting(batch, mode="train")) for batch in (2, 3, 5, 17)]
    for two, three, five, more in zip(*found, strict=True):
        lines = Lines(two, three)
        assert (lines.at(5).steps, lines.at(17).steps) == (five.steps, more.steps)
        assert (lines.at(5).always, lines.at(17).always) == (five.always, more.always)


def course(batch: int, lines: list[tuple[int, int]]) -> Course:
    return Course(Always(100, 0), tuple(Step("forward", 0, 0, 0, 0, a + b * batch) for a, b in lines))


LINES = st.lists(st.tuples(st.integers(0, 5000), st.integers(1, 300)), min_size=1, max_size=6)


@given(LINES, st.integers(100, 100_000))
def test_the_largest_batch_is_that_of_counting_up(lines: list[tuple[int, int]], limit: int):
    counted = 0
    while course(counted + 1, lines).peak_bytes <= limit:
        counted += 1
    batch, at, following = largest_batch(lambda number: course(number, lines), limit)
    assert batch == counted
    assert at.peak_bytes == course(max(counted, 1), lines).peak_bytes
    assert not batch or following == course(batch + 1, lines).peak_bytes


def test_what_does_not_grow_evenly_is_refused_where_it_is_checked():
    def uneven(batch: int) -> Course:
        return course(batch * batch, [(0, 1)])

    with pytest.raises(Unsupported) as caught:
        largest_batch(uneven, 10_000, checked=True)
    assert str(caught.value) == (
        "uneven-batch: not supported: the largest batch of a network whose memory does not grow evenly with the batch\n"
        "  help:     archscope memory says what one batch needs"
    )


@given(st.sets(st.integers(1, 40)), st.integers(0, 41), st.just(40))
def test_the_largest_number_is_that_of_counting_up(had: set[int], first: int, most: int):
    """Those from ``first`` on are too much."""
    found, following = largest_number(lambda number: number - first + 1 if number in had else None, most)
    assert found == max((number for number in had if number < first), default=None)
    assert following == min((number for number in had if number >= first), default=None)

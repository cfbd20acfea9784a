"""Ranges and chunks: every point once, in order, with exact fractions; and ranges that make no sense."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import archscope
from archscope.api import spaces
from archscope.core.errors import UsageError
from archscope.studies.design_space.designs import KNOBS, Axis, written
from archscope.studies.design_space.grids import Points, grid, points_of
from archscope.studies.design_space.partings import Partings
from archscope.studies.design_space.ranges import space

NUMBERS = ("width", "input", "batch", "classes", "channels", "head_width")


def values(axis: Axis) -> list[int | Fraction]:
    return [axis.value(axis.number(at)) for at in range(len(axis))]


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("input", "64:192:32", [64, 96, 128, 160, 192]),
        ("batch", "1,8,32", [1, 8, 32]),
        ("batch", "1,8:24:8,32", [1, 8, 16, 24, 32]),
        ("batch", "5:5:1", [5]),
        ("width", "1/8:1/2:1/8", [Fraction(1, 8), Fraction(1, 4), Fraction(3, 8), Fraction(1, 2)]),
        ("width", "1/3,0.25,2", [Fraction(1, 3), Fraction(1, 4), 2]),
        ("head_width", "0.1:0.3:0.1", [Fraction(1, 10), Fraction(1, 5), Fraction(3, 10)]),
    ],
)
def test_a_range_has_both_ends_and_exact_values(name: str, text: str, wanted: list[object]):
    (axis,) = space(["vgg16"], {name: text}).axes
    assert values(axis) == wanted
    assert (axis.slice(0, len(axis)) == np.array(wanted) * axis.denominator).all()


def test_values_of_python_are_taken_as_they_are():
    found = space(["vgg16"], {"input": range(64, 129, 32), "width": [0.5, Fraction(1, 3)], "bn": ["none", "conv"]})
    assert [values(axis) for axis in found.axes] == [[64, 96, 128], [Fraction(1, 2), Fraction(1, 3)]]
    assert found.words[0].words == ("none", "conv")
    assert values(space(["vgg16"], {"batch": range(3, 0, -1)}).axes[0]) == [3, 2, 1]
    assert space(["vgg16"], {"aux": [True, False]}).words[0].words == ("yes", "no")


@given(st.lists(st.integers(1, 12), min_size=1, max_size=12))
def test_values_one_by_one_are_kept_in_few_ranges(numbers: list[int]):
    (axis,) = space(["vgg16"], {"batch": numbers}).axes
    assert values(axis) == numbers
    assert axis.slice(1, len(axis)).tolist() == numbers[1:]


def test_many_values_that_are_evenly_apart_are_one_range():
    assert space(["vgg16"], {"batch": [*range(3, 30_000, 3)]}).axes[0].numbers == (range(3, 29_998, 3),)


def test_variants_are_networks_by_words_and_points_are_variants_by_numbers():
    found = space(["vgg16", "vgg11"], {"width": "1/4:1:1/4", "bn": "none,conv", "batch": "1,2"})
    assert found.points == 2 * 2 * 4 * 2
    assert found.varied == ["bn", "width", "batch"]
    variants = [tuple(found.texts(variant).values()) for variant in range(found.variants)]
    assert variants == [*product(("vgg16", "vgg11"), ("none", "conv"))]
    assert found.written(1, found.numbers(3)) == {"network": "vgg16", "bn": "conv", "width": "0.5", "batch": "2"}
    assert found.changes(1, found.numbers(3)) == {"bn": "conv", "width": Fraction(1, 2), "batch": 2}


@pytest.mark.parametrize(
    ("vary", "problem"),
    [
        ({"wdith": "1"}, "unknown-knob: nothing that can be varied is called 'wdith'"),
        ({"width": ""}, "empty-range: width is given no value"),
        ({"width": []}, "empty-range: width is given no value"),
        ({"batch": range(0)}, "empty-range: batch is given no value"),
        ({"input": "512:64:32"}, "empty-range: input=512:64:32 runs backwards: there is nothing from 512 up to 64"),
        ({"input": "64:512"}, "bad-range: input is '64:512'"),
        ({"input": "64:512:0"}, "bad-range: the step of input=64:512:0 is 0"),
        ({"input": "64:512:-32"}, "bad-range: the step of input=64:512:-32 is -32"),
        ({"input": "64:500:32"}, "bad-range: input=64:500:32 does not end at 500: steps of 32 lead to 480 and 512"),
        ({"input": "224.5"}, "bad-value: input is '224.5', and '224.5' is not a whole number"),
        ({"width": "1/0"}, "bad-value: width is '1/0', and '1/0' is not a number such as 1/8, 0.25 or 2"),
        ({"width": "1e9999999"}, "bad-value: width is '1e9999999', and '1e9999999' is not a number such as"),
        ({"batch": "1,,2"}, "bad-value: batch is '', and '' is not a whole number"),
        ({"bn": "conf"}, "bad-value: bn is 'conf'"),
        ({"classes": "1:99999999999999999999:1"}, "too-many-points: classes is given more than"),
        (
            {"classes": "1:9999999:1", "batch": "1:9999999:1", "input": "1:9999:1"},
            "too-many-points: these are 999,899,800,020,009,999 designs",
        ),
    ],
)
def test_ranges_that_make_no_sense_are_refused(vary: dict[str, object], problem: str):
    with pytest.raises(UsageError) as caught:
        space(["vgg16"], vary)
    assert str(caught.value).startswith(problem)


def test_a_range_that_is_nearly_right_is_answered_with_the_right_one():
    with pytest.raises(UsageError, match=r"did you mean input=64:512:32\?"):
        space(["vgg16"], {"input": "512:64:32"})
    with pytest.raises(UsageError, match=r"did you mean width=1/8:1:1/8\?"):
        space(["vgg16"], {"width": "1/8:17/16:1/8"})


@given(st.fractions(0, 1000, max_denominator=10**6))
def test_a_value_reads_back_from_what_is_written(value: Fraction):
    assert Fraction(written(value)) == value


@given(st.lists(st.integers(1, 9), max_size=4), st.integers(1, 700))
def test_chunks_have_every_point_once_and_in_order(lengths: list[int], chunk: int):
    axes = [
        Axis(
            name, (range(5, 5 + length),) if length % 2 else tuple(range(n, n + 1) for n in range(length)), KNOBS[name]
        )
        for name, length in zip(NUMBERS, lengths, strict=False)
    ]
    cut, seen = grid(axes, chunk), []
    for at in range(cut.chunks):
        points = points_of(axes, cut, at)
        assert cut.first(at) == len(seen)
        assert points.order.reshape(-1).tolist() == list(range(cut.size(at)))
        assert cut.size(at) <= max(chunk, 1)
        columns = [np.broadcast_to(points.values[axis.name], points.shape).reshape(-1).tolist() for axis in axes]
        seen += [*zip(*columns, strict=True)] if axes else [()]
    assert seen == [*product(*([axis.number(at) for at in range(len(axis))] for axis in axes))]


@given(st.lists(st.integers(1, 9), min_size=1, max_size=3), st.integers(0, 2**30))
def test_points_that_part_are_all_points_of_both_sides(lengths: list[int], bits: int):
    axes = [Axis(name, (range(1, 1 + length),), KNOBS[name]) for name, length in zip(NUMBERS, lengths, strict=False)]
    points = points_of(axes, grid(axes), 0)
    mask = np.array([bits >> n & 1 for n in range(points.order.size)], bool).reshape(points.shape)
    if mask.all() or not mask.any():
        return
    for where in (mask, mask.any(axis=-1, keepdims=True)):
        if where.all():
            continue
        sides = points.parted(where)
        assert sorted(n for side in sides for n in side.order.reshape(-1)) == list(range(points.order.size))
        assert sorted(sides[0].order.reshape(-1)) == np.flatnonzero(np.broadcast_to(where, points.shape)).tolist()
        for side in sides:
            assert_values_follow_the_order(points, side)


def assert_values_follow_the_order(points: Points, side: Points) -> None:
    for name, value in points.values.items():
        flat = np.broadcast_to(value, points.shape).reshape(-1)
        own = np.broadcast_to(side.values[name], side.shape).reshape(-1)
        assert (own == flat[side.order.reshape(-1)]).all()


def test_where_points_have_parted_others_are_taken_apart_at_once():
    axes = [Axis(name, (range(1, 9),), KNOBS[name]) for name in ("width", "batch")]
    points = points_of(axes, grid(axes), 0)
    by_batch = points.values["batch"] == 1
    by_both = np.broadcast_to(points.values["batch"] == points.values["width"], points.shape)
    partings = Partings()
    partings.learn(points, by_both)
    assert partings.known == []
    assert partings.apart(points) == [points]
    for _ in range(2):
        partings.learn(points, by_batch)
    assert partings.known == [("batch", (1,))]
    one, others = partings.apart(points)
    assert set(np.broadcast_to(one.values["batch"], one.shape).reshape(-1)) == {1}
    assert sorted([*one.order.reshape(-1), *others.order.reshape(-1)]) == list(range(64))
    assert [part.order.size for part in partings.apart(others)] == [others.order.size]


def test_a_chunk_learns_from_the_one_before(monkeypatch: pytest.MonkeyPatch):
    from archscope.graph import lowering

    passes: list[object] = []
    real = lowering.lower
    monkeypatch.setattr(lowering, "lower", lambda spec, batch=1: (passes.append(spec), real(spec, batch))[1])
    monkeypatch.setattr(spaces, "CHUNK", 4 * 64)
    vary = {"input": "32:240:16", "batch": "1:64:1"}
    assert archscope.sweep("vgg11", vary=vary, columns=["train_peak_bytes"]).points == 14 * 64
    assert len(passes) == 3 + 13 * 2

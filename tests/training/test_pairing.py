"""The interval of paired differences, and what it decides."""

from __future__ import annotations

import pytest
from scipy.stats import ttest_rel

from archscope.training.pairing import interval_of


def test_the_interval_is_that_of_the_paired_t_test() -> None:
    one, other = [0.91, 0.93, 0.90, 0.95, 0.92], [0.95, 0.94, 0.96, 0.97, 0.93]
    found = interval_of([b - a for a, b in zip(one, other, strict=True)], 1e-9)
    known = ttest_rel(other, one).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((known.low, known.high))
    assert found.decides == (ttest_rel(other, one).pvalue < 0.05)


def test_differences_that_scatter_around_zero_decide_nothing() -> None:
    assert not interval_of([0.01, -0.02, 0.015], 0.001).decides


def test_equal_differences_are_no_surer_than_one_picture() -> None:
    assert interval_of([0.0, 0.0, 0.0], 0.01)[1:] == (-0.01, 0.01)
    assert not interval_of([0.005] * 3, 0.01).decides
    assert interval_of([0.02] * 3, 0.01).decides


def test_two_differences_make_no_interval() -> None:
    with pytest.raises(ValueError, match="2 differences make no interval"):
        interval_of([0.1, 0.2], 0.01)

"""What is kept: fronts as brute force has them, orders with their ties, and chunks that leave what all would."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archscope.studies.design_space.selecting import Choice, Key, Rows, front, joined, of_all, of_chunk

TABLES = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(st.integers(0, 6), min_size=width, max_size=width), min_size=1, max_size=60)
)


def unbeaten(table: np.ndarray[Any, Any]) -> list[int]:
    return [
        n for n, point in enumerate(table) if not ((table <= point).all(axis=1) & (table < point).any(axis=1)).any()
    ]


@given(TABLES, st.sampled_from([1, 2**70]))
def test_the_front_is_what_brute_force_says_it_is(points: list[list[int]], scale: int):
    table = np.array(points)
    columns = [column.astype(object) * scale if scale > 1 else column for column in table.T]
    assert front(columns).tolist() == unbeaten(table)


@given(TABLES, st.integers(1, 20))
def test_the_front_of_all_is_the_front_of_what_chunks_leave(points: list[list[int]], size: int):
    table = np.array(points)
    choice = Choice(pareto=tuple(Key(f"c{n}", "most" if n % 2 else "least") for n in range(table.shape[1])))
    whole = Rows(np.arange(len(table)), {f"c{n}": column for n, column in enumerate(table.T)})
    chunks = [of_chunk(whole.at(slice(n, n + size)), choice) for n in range(0, len(table), size)]
    assert of_all(joined(chunks), choice).variants.tolist() == of_all(whole, choice).variants.tolist()


@given(TABLES, st.integers(1, 20), st.integers(1, 30), st.sampled_from([1, 2**70]))
def test_the_first_by_an_order_are_those_of_a_stable_sort(points: list[list[int]], size: int, top: int, scale: int):
    table = np.array(points).astype(object) * scale if scale > 1 else np.array(points)
    keys = tuple(Key(f"c{n}", "most" if n % 2 else "least") for n in range(table.shape[1]))
    whole = Rows(np.arange(len(table)), {f"c{n}": column for n, column in enumerate(table.T)})
    wanted = sorted(range(len(table)), key=lambda n: [-x if at % 2 else x for at, x in enumerate(table[n])])
    choice = Choice(sort=keys, top=top)
    assert of_all(whole, choice).variants.tolist() == wanted[:top]
    kept = [of_chunk(whole.at(slice(n, n + size)), choice) for n in range(0, len(table), size)]
    assert all(len(rows) <= top for rows in kept)
    assert of_all(joined(kept), choice).variants.tolist() == wanted[:top]
    assert of_all(whole, choice._replace(top=None)).variants.tolist() == wanted


@pytest.mark.parametrize("costs", [1, 2, 3])
def test_a_front_of_no_points_is_empty(costs: int):
    assert front([np.array([], int)] * costs).tolist() == []


def test_without_a_choice_all_rows_are_kept_as_they_come():
    rows = Rows(np.array([3, 1]), {"params": np.array([7, 5])})
    for kept in (of_chunk(rows, Choice()), of_all(rows, Choice())):
        assert kept.variants.tolist() == [3, 1]
    assert of_all(rows, Choice(top=1)).variants.tolist() == [3]

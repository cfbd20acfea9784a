"""The smallest input that a network takes, by trying every one."""

from __future__ import annotations

import pytest

from archscope import load
from archscope.core.errors import ShapeError
from archscope.graph.lowering import lower
from archscope.studies.smallest_input import explained, smallest_side


def made(name: str):
    """What makes a network of the catalogue at a size."""

    def make(size: tuple[int, int]) -> object:
        return lower(load(name, input_size=size))

    return make


def takes(name: str, side: int) -> bool:
    try:
        made(name)((side, side))
    except ShapeError:
        return False
    return True


@pytest.mark.parametrize(("name", "side"), [("vgg11", 32), ("alexnet_owt", 63), ("vgg11_bn", 32)])
def test_the_smallest_side_is_found_and_all_below_it_are_refused(name: str, side: int) -> None:
    with pytest.raises(ShapeError) as caught:
        made(name)((7, 7))
    found = explained(caught.value, (7, 7), 224, made(name))
    assert found.problems[0].help == f"the smallest square input that it takes is {side}×{side}: --input {side}x{side}"
    assert found.problems[0].message == caught.value.problems[0].message
    assert [takes(name, each) for each in (side - 1, side, side + 1)] == [False, True, True]


def test_an_error_at_any_size_is_left_as_it_is() -> None:
    def never(_: tuple[int, int]) -> object:
        raise ShapeError

    error = ShapeError()
    assert explained(error, (7, 7), 224, never) is error


def test_nothing_is_looked_for_below_what_was_refused() -> None:
    assert smallest_side(lambda _: True, 224, 224) is None

"""The model of a GPU's caching allocator: no two blocks overlap, and all that is freed comes together again."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import archscope
from archscope.core.records import Optimizer, Setting
from archscope.studies.allocator import BLOCK, LARGE_SEGMENT, OWN_SEGMENT, SMALL, SMALL_SEGMENT, Allocator, gpu_estimate

SIZES = st.one_of(st.integers(1, 5000), st.integers(SMALL - 600, SMALL + 600), st.integers(1, 3 * OWN_SEGMENT))


@given(st.lists(st.tuples(SIZES, st.integers(0, 9)), min_size=1, max_size=40))
def test_blocks_never_overlap_and_what_is_freed_comes_together_again(requests: list[tuple[int, int]]):
    """Each request frees, before it, the block whose turn it names, if there is one."""
    allocator = Allocator()
    held: list[tuple[int, int]] = []
    reserved = 0
    for size, turn in requests:
        if turn < len(held):
            allocator.release(held.pop(turn)[0])
        address = allocator.allocate(size)
        assert all(address >= other + its or address + size <= other for other, its in held)
        held.append((address, size))
        assert allocator.allocated % BLOCK == 0
        assert sum(its for _, its in held) <= allocator.allocated <= allocator.reserved
        assert allocator.reserved >= reserved
        reserved = allocator.reserved
    for address, _ in held:
        allocator.release(address)
    assert allocator.allocated == 0
    assert sum(size for pool in allocator.free.values() for size, _ in pool) == reserved
    assert all(block.free and block.before is block.after is None for block in allocator.blocks.values())


@pytest.mark.parametrize(
    ("size", "allocated", "reserved"),
    [
        (1, BLOCK, SMALL_SEGMENT),
        (513, 2 * BLOCK, SMALL_SEGMENT),
        (SMALL, SMALL, SMALL_SEGMENT),
        (SMALL + 1, SMALL + BLOCK, LARGE_SEGMENT),
        (OWN_SEGMENT, OWN_SEGMENT, OWN_SEGMENT),
        (OWN_SEGMENT + 1, OWN_SEGMENT + BLOCK, OWN_SEGMENT + 2 * SMALL),
        (OWN_SEGMENT + SMALL + 1, OWN_SEGMENT + 2 * SMALL, OWN_SEGMENT + 2 * SMALL),
    ],
)
def test_requests_take_blocks_and_segments_as_torch_says(size: int, allocated: int, reserved: int):
    """The rest of a segment of its own, up to 1 MiB, is not worth splitting off."""
    allocator = Allocator()
    allocator.allocate(size)
    assert (allocator.allocated, allocator.reserved) == (allocated, reserved)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("alexnet_owt", {"adaptive_pool": True}),
        ("vgg16", {"adaptive_pool": True}),
        ("googlenet_torchvision", {}),
        ("resnet50_v1_5", {}),
    ],
)
@pytest.mark.parametrize("batch", [1, 8, 32])
def test_what_is_allocated_is_a_little_more_than_what_is_asked_for(name: str, changes: dict[str, Any], batch: int):
    graph = archscope.lower(name, batch, **changes)
    use = archscope.memory(graph)
    found = gpu_estimate(graph, use.setting)
    assert use.training.bytes <= found.allocated < 1.03 * use.training.bytes
    assert found.allocated <= found.reserved < 1.5 * use.training.bytes


def test_the_temporaries_of_a_step_are_asked_for_too():
    graph = archscope.lower("alexnet_owt")
    plain, decayed = (Setting(optimizer=Optimizer(weight_decay=decay)) for decay in (0.0, 0.1))
    assert gpu_estimate(graph, decayed).allocated > 1.2 * gpu_estimate(graph, plain).allocated

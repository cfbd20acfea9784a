"""What torch's caching allocator makes of a step on a GPU: an estimate, from a model of c10's CUDACachingAllocator.

Requests are rounded up to 512 B, taken from segments of 2 MiB (requests up to 1 MiB), 20 MiB (up to 10 MiB) or of their
own size rounded up to 2 MiB, best fit first, split and merged again; segments are never given back
(``c10/core/AllocatorConfig.h`` and ``c10/cuda/CUDACachingAllocator.cpp``, torch 2.14). Not in it: workspaces of cuBLAS
and cuDNN, which depend on the algorithms they choose, and the context of the process.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from archscope.core.arithmetic import product
from archscope.core.records import ITEM_BYTES, Setting
from archscope.graph.footprint import trainable_sizes
from archscope.graph.graph import Graph
from archscope.graph.liveness import training
from archscope.graph.optimizers import state_tensors, temporary_elements

BLOCK = 512
SMALL = 2**20
SMALL_SEGMENT = 2 * 2**20
LARGE_SEGMENT = 20 * 2**20
OWN_SEGMENT = 10 * 2**20
ROUND_SEGMENT = 2 * 2**20


class GpuEstimate(NamedTuple):
    """Bytes at the peak of a training step: what blocks take, and what segments hold."""

    allocated: int
    reserved: int


@dataclass(slots=True)
class _Block:
    address: int
    size: int
    small: bool
    free: bool = False
    before: _Block | None = None
    after: _Block | None = None


@dataclass(slots=True)
class Allocator:
    """The model. free: by pool the free blocks as (size, address), smallest first."""

    allocated: int = 0
    reserved: int = 0
    most_allocated: int = 0
    blocks: dict[int, _Block] = field(default_factory=dict)
    free: dict[bool, list[tuple[int, int]]] = field(default_factory=lambda: {True: [], False: []})
    _next: int = 0

    def allocate(self, size: int) -> int:
        """The address of a block for ``size`` bytes."""
        wanted = max(BLOCK, -(-size // BLOCK) * BLOCK)
        small = wanted <= SMALL
        pool = self.free[small]
        at = bisect_left(pool, (wanted, -1))
        block = self.blocks[pool.pop(at)[1]] if at < len(pool) else self.segment(wanted, small)
        block.free = False
        self.split(block, wanted)
        self.allocated += block.size
        self.most_allocated = max(self.most_allocated, self.allocated)
        return block.address

    def segment(self, wanted: int, small: bool) -> _Block:
        """A new segment as one block."""
        own = -(-wanted // ROUND_SEGMENT) * ROUND_SEGMENT
        size = SMALL_SEGMENT if small else LARGE_SEGMENT if wanted < OWN_SEGMENT else own
        block = _Block(self._next, size, small)
        self._next += size
        self.reserved += size
        self.blocks[block.address] = block
        return block

    def split(self, block: _Block, wanted: int) -> None:
        """Gives the rest of a block back, if it is worth it."""
        rest = block.size - wanted
        if rest < BLOCK or (not block.small and rest <= SMALL):
            return
        other = _Block(block.address + wanted, rest, block.small, free=True, before=block, after=block.after)
        if block.after is not None:
            block.after.before = other
        block.size, block.after = wanted, other
        self.blocks[other.address] = other
        insort(self.free[block.small], (other.size, other.address))

    def release(self, address: int) -> None:
        """Frees a block, and merges it with its free neighbours."""
        block = self.blocks[address]
        self.allocated -= block.size
        for neighbour in (block.after, block.before):
            if neighbour is not None and neighbour.free:
                pool = self.free[block.small]
                pool.pop(bisect_left(pool, (neighbour.size, neighbour.address)))
                block = self.merged(*sorted((block, neighbour), key=lambda each: each.address))
        block.free = True
        insort(self.free[block.small], (block.size, block.address))

    def merged(self, first: _Block, second: _Block) -> _Block:
        """Two neighbours as one."""
        first.size += second.size
        first.after = second.after
        if second.after is not None:
            second.after.before = first
        del self.blocks[second.address]
        return first


def gpu_estimate(graph: Graph, setting: Setting) -> GpuEstimate:
    """The allocator's peak over two training steps with the optimizer's state in place."""
    allocator = Allocator()
    item = setting.item_bytes
    own = [product(each.shape) * item for each in graph.parameters]
    own += [product(each.shape) * ITEM_BYTES.get(each.dtype, item) for each in graph.buffers]
    trained = trainable_sizes(graph)
    own += [size * item for size in trained] * state_tensors(setting.optimizer)
    for size in own:
        allocator.allocate(size)
    history = training(graph, setting).history
    temporary = temporary_elements(setting.optimizer, setting.device, trained) * item
    each = [size * item for size in trained] if temporary == sum(trained) * item else [temporary]
    for _ in range(2):
        _play(allocator, history, each if temporary else [])
    return GpuEstimate(allocator.most_allocated, allocator.reserved)


def _play(allocator: Allocator, history: Iterable[tuple[int, bool, int]], temporaries: Sequence[int]) -> None:
    """One step: allocations and releases in order, the optimizer's temporaries, and what is left released."""
    where: dict[int, int] = {}
    for storage, born, size in history:
        if not size:  # torch asks for nothing
            continue
        if born:
            where[storage] = allocator.allocate(size)
        else:
            allocator.release(where.pop(storage))
    held = [allocator.allocate(size) for size in temporaries]
    for address in (*held, *where.values()):
        allocator.release(address)

"""Backward as torch's autograd engine runs it: which gradients are alive when, and what lets go of what was kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import NamedTuple

from archscope.core.arithmetic import Size
from archscope.core.errors import Problem, Unsupported
from archscope.core.records import MemoryRule
from archscope.graph.storages import Storages


class Value(NamedTuple):
    """A tensor while it runs: the storage it lies in, its own bytes, and the call whose backward wants its gradient.

    low: autocast has made it 16 bits wide.
    """

    storage: int
    bytes: Size
    maker: Call | None = None
    low: bool = False


@dataclass(slots=True, eq=False)
class Call:
    """One call that autograd recorded, and the gradient of its result as far as it has arrived.

    number: in the order of recording. params: trainable ones, by index. saved: storages. passing: bytes that only live
    while its backward runs. low: autocast has made its gradients 16 bits wide. waiting: gradients that are still to
    come. gaps: what has arrived is a part of a larger tensor.
    """

    number: int
    node: int
    rule: MemoryRule
    inputs: tuple[Value, ...]
    params: tuple[int, ...]
    saved: tuple[int, ...]
    passing: Size = 0
    low: bool = False
    waiting: int = 0
    gradient: int = -1
    gaps: bool = False


@dataclass(slots=True)
class Engine:
    """Runs the recorded calls backwards: of those whose gradient is complete, the one recorded last goes first.

    mark: notes what is alive, for a node. params: bytes of the gradient of each parameter. single: the batch is one
    example, and a run of channels has no gaps. new_sums: a second gradient
    never goes into a first one in place. resident: gradients of parameters are added to some that are there already.
    users, arrived: by parameter how many of its gradients are still to come, and what has arrived.
    """

    storages: Storages
    mark: Callable[[int], None]
    params: Sequence[Size]
    single: bool
    new_sums: bool = False
    resident: bool = False
    users: dict[int, int] = field(default_factory=dict)
    arrived: dict[int, int] = field(default_factory=dict)

    def backward(self, loss: Value) -> None:
        """All of backward from a scalar on. Its own gradient, a one, is allocated first and held by the caller."""
        if loss.maker is None:
            raise Unsupported(Problem("nothing-to-train", "no parameter that the outputs depend on is trainable"))
        loss.maker.gradient = self.storages.allocate(loss.bytes)
        self.storages.hold(loss.maker.gradient)
        ready = [(-loss.maker.number, loss.maker)]
        while ready:
            _, call = heappop(ready)
            for maker in self.differentiate(call):
                heappush(ready, (-maker.number, maker))

    def differentiate(self, call: Call) -> list[Call]:
        """Backward of one call; returns the calls whose gradients are complete with it."""
        storages = self.storages
        wanted = [(value.maker, value) for value in call.inputs if value.maker is not None]
        gradients = [(maker, self.gradient_of(value, call), value) for maker, value in wanted]
        own = [(param, storages.allocate(self.params[param], "grads")) for param in call.params]
        passing = storages.allocate(call.passing)
        self.mark(call.node)
        storages.drop(passing)
        if any(value.low != call.low for _, value in wanted):
            gradients = [(maker, self.converted(storage, value, call), value) for maker, storage, value in gradients]
        storages.drop(call.gradient)
        for storage in call.saved:
            storages.let_go(storage)
        for param, storage in own:
            self.arrive_at_param(param, storage, call.node)
        gaps = call.rule.grads == "part" and not self.single
        return [maker for maker, storage, value in gradients if self.arrive(maker, storage, value.bytes, gaps)]

    def gradient_of(self, value: Value, call: Call) -> int:
        """The storage of an input's gradient, as wide as the call's result."""
        if call.rule.grads != "new":
            self.storages.hold(call.gradient)
            return call.gradient
        if value.low == call.low:
            return self.storages.allocate(value.bytes)
        return self.storages.allocate(value.bytes // 2 if call.low else value.bytes * 2)

    def converted(self, storage: int, value: Value, call: Call) -> int:
        """A gradient as wide as its input: under autocast the result of a call may be wider, or in place narrower."""
        if value.low == call.low:
            return storage
        copy = self.storages.allocate(value.bytes)
        self.mark(call.node)
        self.storages.drop(storage)
        return copy

    def arrive(self, maker: Call, storage: int, size: Size, gaps: bool) -> bool:
        """A gradient reaches the call whose result it belongs to; returns whether it was the last one."""
        if maker.gradient < 0:
            maker.gradient, maker.gaps = storage, gaps
        else:
            maker.gradient = self.summed(maker.gradient, storage, size, maker.node, whole=not maker.gaps)
            maker.gaps = False
        maker.waiting -= 1
        return maker.waiting == 0

    def arrive_at_param(self, param: int, storage: int, node: int) -> None:
        """A gradient reaches a parameter. Where one is resident, it is added to that and freed."""
        if param in self.arrived:
            storage = self.summed(self.arrived[param], storage, self.params[param], node, whole=True)
        self.arrived[param] = storage
        self.users[param] -= 1
        if self.resident and self.users[param] == 0:
            self.storages.drop(storage)

    def summed(self, old: int, new: int, size: Size, node: int, *, whole: bool) -> int:
        """The storage of a sum: the first one's, if it has no gaps and nobody else refers to it; else a new one."""
        storages = self.storages
        if whole and storages.is_sole(old) and not self.new_sums:
            storages.drop(new)
            return old
        total = storages.allocate(size)
        self.mark(node)
        storages.drop(old)
        storages.drop(new)
        return total

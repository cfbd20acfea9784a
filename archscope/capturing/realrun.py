"""Sees every torch operator of a forward that really runs, on real tensors: for what asks for values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from archscope.capturing import plans
from archscope.capturing.plans import Plan
from archscope.capturing.recorder import Recorder, tensors_of
from archscope.capturing.standins import LARGEST_CONSTANT
from archscope.core.arithmetic import product
from archscope.core.records import Tensor


class RealRecorder(Recorder):  # type: ignore[no-untyped-call]  # torch's own
    """The mode of a real run: everything is computed, and noted as it is without computing."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        results: list[Any] = []

        def run() -> tuple[Tensor, ...]:
            if not results:
                results.append(func(*args, **kwargs))
            return tuple(plans.record(each) for each in tensors_of(results[0]))

        given = tensors_of((args, kwargs))
        call = plans.seen(func, args, kwargs, run)
        live = any(self.is_live(each) for each in given)
        op = plans.op_of(call) if live or given else None
        if op is None and live and plans.is_composed(func) and not results:
            with self:
                return func.decompose(*args, **kwargs)
        large = any(product(each.shape) > LARGEST_CONSTANT for each in run())
        if not live and not large and (op is None or op.macs(*(each.shape for each in call.tensors())) == 0):
            return results[0]
        op = op or plans.op_of(call) or plans.unknown(call)
        names = plans.names_of(func, args, kwargs)
        plan: Plan = plans.observed(func, op, call, names, plans.weights_of(op, names, call), results[0], given)
        if plan.op is not None:
            self.note(plan, plan.op, given, tensors_of(results[0]))
        return results[0]

    def is_live(self, tensor: torch.Tensor) -> bool:
        """Whether it is, or comes from, an input or a parameter, or is too large for a constant."""
        key = id(tensor)
        stored = key in self.tape.buffers and tensor.numel() > LARGEST_CONSTANT
        return key in self.tape.index or key in self.tape.parameters or stored


@contextmanager
def buffers_as_they_were(buffers: Iterable[torch.Tensor]) -> Iterator[None]:
    """The values of buffers are put back: a real run in train mode moves running statistics."""
    kept = [(each, each.detach().clone()) for each in buffers]
    try:
        yield
    finally:
        with torch.no_grad():
            for buffer, values in kept:
                if not torch.equal(buffer, values):
                    buffer.copy_(values)

"""Sees every torch operator of a forward, notes it, and gives back tensors of the right shape without computing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from archscope.capturing import bounds, faults, plans
from archscope.capturing.places import calling_place
from archscope.capturing.plans import Plan
from archscope.capturing.standins import LARGEST_CONSTANT, StandIns, twin
from archscope.capturing.tape import Step, Tape
from archscope.core.arithmetic import product
from archscope.core.errors import Unsupported
from archscope.core.records import Seen, Tensor
from archscope.ops import Op

_PLANS: dict[tuple[Any, ...], Plan] = {}
_MOST_PLANS = 50_000

Tensors = list[torch.Tensor]


class Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's own
    """The mode that a module runs under while it is captured."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Otherwise the first operator imports torch's compiler, which takes longer than a hundred captures."""
        return False

    def __init__(self, tape: Tape, *, upper_bound: bool = False) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # as above
        self.tape = tape
        self.stand_ins = StandIns()
        self.upper_bound = upper_bound

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        given: Tensors = []
        taken: Tensors = []
        key: list[Any] = [func]
        for value in args:
            self.sign(value, given, taken, key)
        for name, value in kwargs.items():
            key.append(name)
            self.sign(value, given, taken, key)
        if self.upper_bound and plans.depends_on_values(func) and any(each.is_meta for each in taken):
            bound = self.bounded(func, args, kwargs, given, taken)
            if bound is not None:
                return bound
        known = tuple(key)
        plan = _PLANS.get(known)
        if plan is None:
            plan = self.planned(func, args, kwargs, taken)
            if len(_PLANS) > _MOST_PLANS:
                _PLANS.clear()
            _PLANS[known] = plan
        return self.followed(plan, func, args, kwargs, given, taken)

    def sign(self, value: Any, given: Tensors, taken: Tensors, key: list[Any]) -> None:
        """Adds to ``key`` what a plan depends on, and to the lists the tensors and what stands for them."""
        if isinstance(value, torch.Tensor):
            stand_in = value if value.is_meta else self.stand_ins.of(value)
            given.append(value)
            taken.append(stand_in)
            key.append((stand_in.shape, stand_in.stride(), stand_in.dtype, stand_in.is_meta))
        elif isinstance(value, list | tuple):
            key.append(len(value))
            for each in value:
                self.sign(each, given, taken, key)
        else:
            key.append(value)
            if type(value) is not int:  # 1, 1.0 and True are one key, and give results of three types
                key.append(type(value))

    def planned(self, func: Any, args: Any, kwargs: Any, taken: Tensors) -> Plan:
        """The plan for a call that was not seen before."""
        live = any(each.is_meta for each in taken)
        metas = [each if each.is_meta else twin(each) for each in taken]
        results: list[Any] = []

        def run() -> tuple[Tensor, ...]:
            if not results:
                results.append(self.run(func, args, kwargs, metas, "meta"))
            return tuple(plans.record(each) for each in tensors_of(results[0]))

        its_args, its_kwargs = rebuilt((args, kwargs), iter(metas), "meta")
        call = plans.seen(func, its_args, its_kwargs, run)
        if not live and _is_small(call, func):
            return plans.for_constants(call, func, args, kwargs)
        op = plans.op_of(call)
        if op is None and plans.is_composed(func):
            return Plan(None, parts=True)
        op = op or plans.unknown(call)
        names = plans.names_of(func, args, kwargs)
        weights = plans.weights_of(op, names, call)
        if plans.mixes_types(op, weights, metas):
            message = "its input and its weight are of different types"
            raise faults.of_operator(func, call.arguments, self.tape, TypeError(message))
        made = None if results else plans.inferred(op, call, names, weights, metas)
        if made is not None:
            return Plan(op, names, weights, (made,), run=False)
        run()
        return plans.observed(func, op, call, names, weights, results[0], metas)

    def bounded(self, func: Any, args: Any, kwargs: Any, given: Tensors, taken: Tensors) -> Any:
        """The largest that an operator can return; None where its size does not depend on values after all."""
        metas = [each if each.is_meta else twin(each) for each in taken]
        its_args, its_kwargs = rebuilt((args, kwargs), iter(metas), "meta")
        found = bounds.largest(func, its_args)
        if found is None:
            return None
        result, words = found
        call = plans.seen(func, its_args, its_kwargs, lambda: tuple(plans.record(each) for each in tensors_of(result)))
        op = plans.op_of(call) or plans.unknown(call)
        names = plans.names_of(func, args, kwargs)
        plan = plans.observed(func, op, call, names, (None,) * len(names), result, metas)
        self.note(plan, op, given, tensors_of(result))
        self.tape.assume(f"{faults.named(self.tape)}, {faults.line(calling_place())}: {words}")
        return result

    def run(self, func: Any, args: Any, kwargs: Any, tensors: Tensors, device: str) -> Any:
        """What torch makes of a call with these tensors on this device. Raises Unsupported where it cannot tell."""
        its_args, its_kwargs = rebuilt((args, kwargs), iter(tensors), device)
        try:
            return func(*its_args, **its_kwargs)
        except (RuntimeError, NotImplementedError, TypeError, ValueError, IndexError) as error:
            arguments = plans.seen(func, its_args, its_kwargs, tuple).arguments
            raise faults.of_operator(func, arguments, self.tape, error) from error

    def followed(self, plan: Plan, func: Any, args: Any, kwargs: Any, given: Tensors, taken: Tensors) -> Any:
        """Does what the plan says, and notes the step."""
        if plan.parts:
            with self:
                return func.decompose(*args, **kwargs)
        if plan.constant:
            return self.constant(plan, func, args, kwargs, given, taken)
        if plan.writes:
            taken = self.overwritten(plan, given, taken)
        if plan.run:
            metas = [each if each.is_meta else twin(each) for each in taken]
            result = self.run(func, args, kwargs, metas, "meta")
            outputs = tensors_of(result)
            for at, made in enumerate(plan.made):
                if made.same:
                    outputs[at] = given[made.source]
        else:
            outputs = [
                given[made.source]
                if made.same
                else torch.empty_strided(made.shape, made.stride, dtype=made.dtype, device="meta")
                for made in plan.made
            ]
            result = None
        if plan.op is not None:
            self.note(plan, plan.op, given, outputs)
        if plan.form == "one":
            return outputs[0]
        return result if plan.form == "other" else tuple(outputs) if plan.form == "tuple" else outputs

    def constant(self, plan: Plan, func: Any, args: Any, kwargs: Any, given: Tensors, taken: Tensors) -> Any:
        """Constants made of constants: computed, since the forward may look at them; noted only if it is a product."""
        result = self.run(func, args, kwargs, taken, "cpu")
        outputs = tensors_of(result)
        for each in outputs:
            self.stand_ins.add(each, each)
        if plan.op is not None:
            self.note(plan, plan.op, given, outputs)
        return result

    def overwritten(self, plan: Plan, given: Tensors, taken: Tensors) -> Tensors:
        """What stands for the tensors once a constant among them is written to with what is none."""
        return [
            self.stand_ins.overwritten(tensor) if name in plan.writes and not stand_in.is_meta else stand_in
            for name, tensor, stand_in in zip(plan.names, given, taken, strict=True)
        ]

    def note(self, plan: Plan, op: Op, given: Tensors, outputs: Tensors) -> None:
        """Writes the step down."""
        tape = self.tape
        inputs: list[int] = []
        behind: list[int] = []
        parameters: dict[str, int] = {}
        buffers: dict[str, int] = {}
        for tensor, name, weight in zip(given, plan.names, plan.weights, strict=True):
            parameter, buffer = tape.parameters.get(id(tensor)), tape.buffers.get(id(tensor))
            if parameter is not None:
                parameters[weight or name] = parameter
            elif buffer is not None:
                buffers[weight or name] = buffer
            elif isinstance(tensor, torch.nn.Parameter):
                tape.hidden[tape.runs[tape.current].path] = None
            if weight is None:
                inputs.append(tape.number_of(tensor))
            elif parameter is None and buffer is None:
                behind.append(tape.number_of(tensor))
        storages = [tape.storage_of(given[made.source]) if made.source >= 0 else -1 for made in plan.made]
        numbers = tuple(tape.add(each, storage) for each, storage in zip(outputs, storages, strict=True))
        tape.step(
            Step(
                op, (*inputs, *behind), numbers, parameters, buffers, tape.current, calling_place(),
                torch.is_grad_enabled() or tape.custom,
            )
        )  # fmt: skip


def rebuilt(value: Any, tensors: Iterator[torch.Tensor], device: str) -> Any:
    """Arguments with other tensors, in their order, and another device."""
    if isinstance(value, torch.Tensor):
        return next(tensors)
    if isinstance(value, dict):
        return {key: rebuilt(each, tensors, device) for key, each in value.items()}
    if isinstance(value, list | tuple):
        made = [rebuilt(each, tensors, device) for each in value]
        return tuple(made) if isinstance(value, tuple) else made
    return torch.device(device) if isinstance(value, torch.device) else value


def tensors_of(value: Any) -> Tensors:
    """The tensors that an operator takes or returns, in order."""
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [tensor for each in value for tensor in tensors_of(each)] if isinstance(value, list | tuple) else []


def _is_small(call: Seen, func: Any) -> bool:
    """Whether what is made of constants may be kept with its values; torch cannot always tell its size beforehand."""
    if plans.depends_on_values(func):
        return True
    try:
        return all(product(each.shape) <= LARGEST_CONSTANT for each in call.run())
    except Unsupported:  # torch has no shape rule for it: it is computed
        return True

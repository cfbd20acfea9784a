"""What of torch is replaced while a module is captured: functions that ops capture whole, though torch composes them of
several operators (local response norm); autograd functions, to know of them; autocast, which meta tensors do not have.
"""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch

from archscope.capturing import plans
from archscope.capturing.places import calling_place
from archscope.capturing.tape import Step, Tape, tensors_in
from archscope.core.records import Seen


@contextmanager
def whole(tape: Tape) -> Iterator[None]:
    """While this lasts, each call of such a function is one step on the tape."""
    with ExitStack() as stack:
        for name in plans.capturing():
            if name.startswith("torch."):
                stack.enter_context(_patched(tape, name))
        yield


@contextmanager
def custom_functions(tape: Tape) -> Iterator[None]:
    """While this lasts, what runs in a ``torch.autograd.Function`` is noted with the gradients of the whole."""
    original = torch.autograd.Function.__dict__["apply"]

    def apply(kind: type[torch.autograd.Function], *args: Any, **kwargs: Any) -> Any:
        outer = tape.custom
        tape.custom = outer or torch.is_grad_enabled()
        if not kind.__module__.startswith("torch."):
            tape.functions[kind.__name__] = None
        try:
            return original.__get__(None, kind)(*args, **kwargs)
        finally:
            tape.custom = outer

    torch.autograd.Function.apply = classmethod(apply)
    try:
        yield
    finally:
        torch.autograd.Function.apply = original


@contextmanager
def without_autocast(tape: Tape) -> Iterator[None]:
    """While this lasts, autocast does nothing, and is noted: it casts tensors of the CPU or GPU, not those of meta.

    Weights would come in half precision, and the activations that meet them would not.
    """
    kind = torch.amp.autocast_mode.autocast
    made, entered, left = kind.__init__, kind.__enter__, kind.__exit__

    @functools.wraps(made)
    def make(self: Any, device_type: str, *args: Any, **kwargs: Any) -> None:
        made(self, "cpu" if device_type == "meta" else device_type, *args, **kwargs)

    def enter(self: Any) -> Any:
        tape.autocast = tape.autocast or self._enabled
        return self

    with torch.autocast("cpu", enabled=False), torch.autocast("cuda", enabled=False):  # whatever the caller is in
        kind.__init__, kind.__enter__, kind.__exit__ = make, enter, lambda *_: None  # type: ignore[method-assign]  # for a while
        try:
            yield
        finally:
            kind.__init__, kind.__enter__, kind.__exit__ = made, entered, left  # type: ignore[method-assign]


@contextmanager
def _patched(tape: Tape, name: str) -> Iterator[None]:
    home, _, attribute = name.rpartition(".")
    module = importlib.import_module(home)
    original = getattr(module, attribute)
    setattr(module, attribute, _noted(tape, name, original))
    try:
        yield
    finally:
        setattr(module, attribute, original)


def _noted(tape: Tape, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    signature = inspect.signature(function)

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        arguments = {key: plans.plain(value) for key, value in bound.arguments.items()}
        inputs = tuple(tape.number_of(each) for each in tensors_in(tuple(bound.arguments.values())))
        mark = tape.mark()
        place = calling_place()
        result = function(*args, **kwargs)
        op = plans.op_of(Seen(name, arguments))
        if op is None or not isinstance(result, torch.Tensor):
            return result
        tape.back_to(mark)
        step = Step(
            op, inputs, (tape.number_of(result),), {}, {}, tape.current, place, torch.is_grad_enabled() or tape.custom
        )
        tape.step(step)
        return result

    return run

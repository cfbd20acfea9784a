"""Runs a module's forward once, on tensors without storage, and makes the Graph of what it did."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.nn.parameter import UninitializedParameter

from archscope.capturing import faults
from archscope.capturing.assembly import assembled, usual_dtype
from archscope.capturing.bounds import without_loops_over_boxes
from archscope.capturing.examples import Example, made_example
from archscope.capturing.functions import custom_functions, whole, without_autocast
from archscope.capturing.modules import Survey, watched
from archscope.capturing.realrun import RealRecorder, buffers_as_they_were
from archscope.capturing.recorder import Recorder
from archscope.capturing.restore import as_it_was, random_as_it_was
from archscope.capturing.standins import twin
from archscope.capturing.tape import Tape, tensors_in
from archscope.core.errors import Problem, Unsupported, UsageError
from archscope.graph.graph import Graph


class Manner(NamedTuple):
    """How a forward runs. mode: ``eval`` or ``train``. real: on real tensors, computing. upper_bound: sizes that depend
    on values are taken to be the largest possible.
    """

    mode: str = "eval"
    real: bool = False
    upper_bound: bool = False


def walked(module: nn.Module, given: Any, manner: Manner, *, batch: int = 1, name: str = "", title: str = "") -> Graph:
    """The graph of a module on ``batch`` of the examples that ``given`` describes; see :func:`made_example`.

    Nothing is computed, no weight is needed, and the module stays as it was. Raises Unsupported, naming the module and
    the line, for a forward that asks for values, and for one that raises.
    """
    with ExitStack() as stack:
        stack.enter_context(random_as_it_was())
        survey = Survey(module)
        _require_initialised(survey)
        stack.enter_context(as_it_was(survey.modules))
        example = made_example(given, batch, usual_dtype(survey), "cpu" if manner.real else "meta")
        _set_mode(module, survey, manner.mode)
        tape = Tape(survey.parameters, survey.buffers)
        recorder = _recorder(tape, survey, manner, stack)
        inputs = _inputs(example, recorder, real=manner.real)
        stack.enter_context(_plain_torch())
        stack.enter_context(whole(tape))
        stack.enter_context(custom_functions(tape))
        stack.enter_context(watched(tape, survey.names))
        stack.enter_context(recorder)
        try:
            result = module(*example.args, **example.kwargs)
        except Exception as error:
            raise faults.of_forward(error, tape, tape.failed) from error
        tape.finish()
    return assembled(tape, survey, name or type(module).__name__, title, inputs, result)


def _require_initialised(survey: Survey) -> None:
    """Raises Unsupported for a module whose shapes are not known before its first run."""
    for key, parameter in survey.parameters.values():
        if isinstance(parameter, UninitializedParameter):
            message = f"{key} has no shape yet: its module takes it from its first input"
            raise Unsupported(Problem("uninitialised", message, help="run the network once before"))


def _set_mode(module: nn.Module, survey: Survey, mode: str) -> None:
    """Puts a module into a mode by its own ``train``. Raises Unsupported for one that has only the mode it has."""
    if all(each.training == (mode == "train") for each in survey.modules):
        return
    try:
        module.train(mode == "train")
    except NotImplementedError as error:
        message = f"{type(module).__name__} cannot be put into {mode} mode: {error}"
        raise Unsupported(Problem("fixed-mode", message, help="give the mode that it has")) from error


def _recorder(tape: Tape, survey: Survey, manner: Manner, stack: ExitStack) -> Recorder:
    """The mode to run under, with what it needs to be undone entered on the stack."""
    if not manner.real:
        stack.enter_context(without_autocast(tape))
        if manner.upper_bound:
            stack.enter_context(without_loops_over_boxes())
        return Recorder(tape, upper_bound=manner.upper_bound)
    stored = [*survey.parameters.values(), *survey.buffers.values()]
    missing = [key for key, each in stored if each.is_meta]
    if missing:
        message = f"{missing[0]} is on the meta device and has no values to run on"
        raise Unsupported(Problem("no-values", message, help="make the module on the CPU"))
    stack.enter_context(buffers_as_they_were([each for _, each in survey.buffers.values()]))
    return RealRecorder(tape)


def _inputs(example: Example, recorder: Recorder, *, real: bool) -> list[torch.Tensor]:
    """The tensors that come in, each the first on the tape; floating ones of the user's own stand for any values."""
    inputs = tensors_in((example.args, example.kwargs))
    if not inputs:
        raise UsageError(Problem("bad-value", "no tensor is among the inputs", help="give at least one shape"))
    for each in inputs:
        if not each.is_meta and each.is_floating_point() and not real:
            recorder.stand_ins.add(each, twin(each))
        recorder.tape.add(each)
    return inputs


@contextmanager
def _plain_torch() -> Iterator[None]:
    """Composite operators stay whole, and no fast path of one device replaces them."""
    fast = torch.backends.mha.get_fastpath_enabled()
    with torch.inference_mode(), torch.enable_grad():
        torch.backends.mha.set_fastpath_enabled(False)
        try:
            yield
        finally:
            torch.backends.mha.set_fastpath_enabled(fast)

"""Runs a module's forward once, on tensors without storage, and makes the Graph of what it did."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import nn

from archscope.capturing import faults
from archscope.capturing.assembly import assembled, usual_dtype
from archscope.capturing.examples import Example, made_example
from archscope.capturing.modules import Survey, watched
from archscope.capturing.recorder import Recorder
from archscope.capturing.restore import as_it_was, random_as_it_was
from archscope.capturing.standins import twin
from archscope.capturing.tape import Tape, tensors_in
from archscope.graph.graph import Graph


def walked(
    module: nn.Module, given: Any, *, batch: int = 1, mode: str = "eval", name: str = "", title: str = ""
) -> Graph:
    """The graph of a module on ``batch`` of the examples that ``given`` describes; see :func:`made_example`.

    Nothing is computed, no weight is needed, and the module stays as it was. Raises Unsupported, naming the module and
    the line, for a forward that asks for values, and for one that raises.
    """
    with ExitStack() as stack:
        stack.enter_context(random_as_it_was())
        survey = Survey(module)
        stack.enter_context(as_it_was(survey.modules))
        example = made_example(given, batch, usual_dtype(survey))
        if any(each.training != (mode == "train") for each in survey.modules):
            module.train(mode == "train")
        tape = Tape(survey.parameters, survey.buffers)
        recorder = Recorder(tape)
        inputs = _inputs(example, recorder)
        stack.enter_context(_plain_torch())
        stack.enter_context(watched(tape, survey.names))
        stack.enter_context(recorder)
        try:
            result = module(*example.args, **example.kwargs)
        except Exception as error:
            raise faults.of_forward(error, tape, tape.failed) from error
        tape.finish()
    return assembled(tape, survey, name or type(module).__name__, title, inputs, result)


def _inputs(example: Example, recorder: Recorder) -> list[torch.Tensor]:
    """The tensors that come in, each the first on the tape; floating ones of the user's own stand for any values."""
    inputs = tensors_in((example.args, example.kwargs))
    for each in inputs:
        if not each.is_meta and each.is_floating_point():
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

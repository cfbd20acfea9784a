"""What memory a network needs as a whole: what is always there, and the moment at which most is alive."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from archscope.core.arithmetic import Size, largest, product
from archscope.core.records import ITEM_BYTES, Setting
from archscope.graph.execution import Step
from archscope.graph.graph import Graph
from archscope.graph.liveness import inference, training
from archscope.graph.optimizers import state_tensors, temporary_elements

STEP = "step"
"""The phase in which the optimizer updates the parameters; it belongs to no node."""


class Always(NamedTuple):
    """Bytes that are there from before a pass until after it.

    grads: gradients that stay in place (``grads="resident"``); elsewhere they come and go within the step.
    """

    params: Size
    buffers: Size
    grads: Size = 0
    optimizer: Size = 0

    @property
    def total(self) -> Size:
        """All of it."""
        return self.params + self.buffers + self.grads + self.optimizer


class Course(NamedTuple):
    """An inference or a training step: what is always there, and the moments at which something was allocated."""

    always: Always
    steps: tuple[Step, ...]
    saved: tuple[Size, ...] = ()

    @property
    def peak_bytes(self) -> Size:
        """The most bytes that are alive at once; of arrays, point by point."""
        return peak_of(self.always.total, self.steps)

    @property
    def peak(self) -> Step:
        """The first moment at which most bytes are alive; sizes must be ints."""
        return max(self.steps, key=lambda step: step.alive)


def peak_of(always: Size, steps: Iterable[Step]) -> Size:
    """The most bytes that are alive at any of some moments, with those that always are."""
    first, *others = (step.alive for step in steps)
    most = first
    for alive in others:
        most = largest(most, alive)
    return always + most


def inference_course(graph: Graph, setting: Setting, *, ideal: bool = False) -> Course:
    """A forward pass without autograd; see :func:`archscope.graph.liveness.inference`."""
    return Course(Always(*_stored(graph, setting)), inference(graph, setting, ideal=ideal).steps)


def training_course(graph: Graph, setting: Setting, *, new_sums: bool = False) -> Course:
    """One step in training with the optimizer's part; see :func:`archscope.graph.liveness.training`."""
    record = training(graph, setting, new_sums=new_sums)
    params, buffers = _stored(graph, setting)
    trained = trainable_sizes(graph)
    own = sum(trained) * setting.item_bytes
    resident = setting.grads == "resident"
    always = Always(params, buffers, own if resident else 0, own * state_tensors(setting.optimizer))
    last = record.steps[-1]
    temporary = temporary_elements(setting.optimizer, setting.device, trained) * setting.item_bytes
    step = Step(
        STEP, -1, last.input, 0, 0 if resident else own, temporary + setting.item_bytes
    )  # the loss is still there
    return Course(always, (*record.steps, step), record.saved)


def peaks_by_node(graph: Graph, setting: Setting, course: Course) -> list[Size | None]:
    """Per node the most bytes that are alive while it runs, and behind them those while the optimizer steps.

    None for a node whose op has no memory rule; 0 for one that does not run.
    """
    steps: list[list[Step]] = [[] for _ in range(len(graph.nodes) + 1)]
    for step in course.steps:
        steps[step.node].append(step)
    always = course.always.total
    peaks: list[Size | None] = [peak_of(always, own) if own else 0 for own in steps]
    for index, node in enumerate(graph.nodes):
        if node.op.memory(*graph.shapes_in(node), setting=setting) is None:
            peaks[index] = None
    return peaks


def trainable_sizes(graph: Graph) -> Sequence[Size]:
    """Elements of each trainable parameter, in the order of the parameters."""
    return [product(parameter.shape) for parameter in graph.parameters if parameter.trainable]


def _stored(graph: Graph, setting: Setting) -> tuple[Size, Size]:
    """Bytes of parameters and of buffers."""
    params = sum(product(each.shape) for each in graph.parameters) * setting.item_bytes
    buffers = [product(each.shape) * ITEM_BYTES.get(each.dtype, setting.item_bytes) for each in graph.buffers]
    return params, sum(buffers)

"""What memory does a network need? Its peaks in inference and training, what they are made of, and their course."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from archscope.core.records import Setting
from archscope.core.showing import shown_as_html, shown_as_text
from archscope.graph.execution import Step
from archscope.graph.footprint import STEP, Course, inference_course, training_course
from archscope.graph.graph import Graph

PARTS = ("params", "buffers", "grads", "optimizer", "input", "saved", "transient")
"""What a peak is made of; they add up to it."""


class Moment(NamedTuple):
    """What is alive at one moment, in bytes. layer: its name; empty while the optimizer steps.

    parts: bytes of each of :data:`PARTS`: params and buffers; grads of parameters; optimizer state; the input batch
    with its targets; what is saved for backward; transient, the rest.
    """

    phase: str
    layer: str
    parts: dict[str, int]

    @property
    def bytes(self) -> int:
        """All of it."""
        return sum(self.parts.values())


@dataclass(frozen=True, slots=True)
class MemoryUse:
    """The memory of a network in one setting, to the byte at the level of tensors.

    inference, ideal, training: the moment of the peak in eager inference, in inference with tensors that die with their
    last use, and in a step of training. saved: per layer, by name in running order, what it is the first to keep for
    backward, in all of its calls. timeline: every moment of the step in training. missing: ops without a memory rule;
    with any of them, all of this are lower bounds.
    """

    network: str
    setting: Setting
    input_shape: tuple[int, ...]
    inference: Moment
    ideal: Moment
    training: Moment
    saved: dict[str, int]
    timeline: tuple[Moment, ...]
    missing: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    graph: Graph | None = field(default=None, repr=False, compare=False)

    _repr_html_ = shown_as_html
    __str__ = shown_as_text

    @property
    def saved_bytes(self) -> int:
        """What autograd keeps when the loss is made, the batch and its targets included."""
        return sum(self.saved.values())


def memory_use(graph: Graph, runs: Graph, setting: Setting) -> MemoryUse:
    """The memory that a network needs, given as it trains and as it runs in inference; a table's is the same graph.

    Raises Unsupported where nothing in it is trainable.
    """
    eager, ideal = inference_course(runs, setting), inference_course(runs, setting, ideal=True)
    step = training_course(graph, setting)
    saved: dict[str, int] = {}
    for node, size in zip(graph.nodes, step.saved, strict=True):
        if size:
            saved[node.name] = saved.get(node.name, 0) + size
    return MemoryUse(
        network=graph.name,
        setting=setting,
        input_shape=graph.tensors[graph.inputs[0]].shape[1:],
        inference=moment_of(runs, eager, eager.peak),
        ideal=moment_of(runs, ideal, ideal.peak),
        training=moment_of(graph, step, step.peak),
        saved=saved,
        timeline=tuple(moment_of(graph, step, each) for each in step.steps),
        missing=ops_without_rule(graph, setting),
        changes=graph.changes,
        graph=graph,
    )


def moment_of(graph: Graph, course: Course, step: Step) -> Moment:
    """A step of a course with what is always there."""
    always = course.always
    parts = {
        "params": always.params,
        "buffers": always.buffers,
        "grads": always.grads + step.grads,
        "optimizer": always.optimizer,
        "input": step.input,
        "saved": step.saved,
        "transient": step.transient,
    }
    return Moment(step.phase, "" if step.phase == STEP else graph.nodes[step.node].name, parts)


def ops_without_rule(graph: Graph, setting: Setting) -> tuple[str, ...]:
    """The kinds of ops in a graph whose memory is not known."""
    unknown = {
        type(node.op).__name__
        for node in graph.nodes
        if node.op.memory(*graph.shapes_in(node), setting=setting) is None
    }
    return tuple(sorted(unknown))

"""``fit``: the largest batch, input or width that a memory holds; ``fit_chip``: whether a microcontroller does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any, NamedTuple, Unpack

from archscope.api.modules import is_module
from archscope.api.networks import Network, lower
from archscope.api.settings import training_setting
from archscope.core.errors import Problem, ShapeError, UsageError
from archscope.core.records import Optimizer, Setting
from archscope.core.units import memory_size
from archscope.graph.footprint import Course, inference_course, training_course
from archscope.graph.graph import Graph
from archscope.spec.options import Changes
from archscope.studies.fitting import largest_batch, largest_value
from archscope.studies.memory_use import Moment, moment_of, ops_without_rule

KINDS = ("batch", "input", "width")
WIDTH_STEPS = 32
"""Widths are tried in steps of 1/32, up to 4."""
LARGEST_SIDE = 4096
"""Square inputs are tried up to this many pixels a side."""

Value = int | Fraction | None


class Fit(NamedTuple):
    """How much of a network fits.

    training: a step of training, else inference. kind: what is largest: ``batch``, ``input`` (pixels a side) or
    ``width`` (a factor). value: the largest that fits; None where the least does not. moment: the peak at that value,
    or at the least. beyond: bytes of the peak at the next value; 0 where there is none. advice: what would fit instead,
    with its largest batch. missing: ops without a memory rule; with any of them less may fit than it says.
    """

    network: str
    training: bool
    setting: Setting
    memory: int
    reserve: int
    kind: str
    value: Value
    moment: Moment
    beyond: int
    advice: tuple[tuple[str, int], ...] = ()
    missing: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()

    @property
    def limit(self) -> int:
        """Bytes that the tensors may take."""
        return self.memory - self.reserve

    @property
    def too_much(self) -> int:
        """By how many bytes the least is too much; 0 where something fits."""
        return max(0, self.moment.bytes - self.limit) if self.value is None else 0


class ChipFit(NamedTuple):
    """Whether a network fits a microcontroller, in bytes, and the largest width that does; None where none does."""

    network: str
    dtype: str
    weights: int
    flash: int
    activations: int
    ram: int
    width: Fraction | None

    @property
    def fits(self) -> bool:
        """Whether it fits as it is."""
        return self.weights <= self.flash and self.activations <= self.ram


class _Task(NamedTuple):
    """A network, what is done with it, and the bytes there are for it."""

    network: Network | Any
    changes: Changes
    setting: Setting
    training: bool
    limit: int
    input: Any = None

    def graph(self, batch: int, **more: Unpack[Changes]) -> Graph:
        merged: Changes = {**self.changes, **more}
        return lower(self.network, batch, input=self.input, mode="train" if self.training else "eval", **merged)

    def course(self, graph: Graph) -> Course:
        setting = self.setting._replace(batch=graph.tensors[graph.inputs[0]].shape[0])
        return training_course(graph, setting) if self.training else inference_course(graph, setting)

    def largest_batch(self) -> tuple[int, Course, int]:
        def course(batch: int) -> Course:
            return self.course(self.graph(batch))

        return largest_batch(course, self.limit, checked=is_module(self.network))


def fit(  # noqa: PLR0913  a public verb: its keywords are the flags of the command
    network: Network | Any,
    memory: str | int,
    *,
    input: Any = None,  # noqa: A002  what tables and the command line call it
    kind: str = "batch",
    train: bool = True,
    batch: int = 1,
    reserve: str | int = 0,
    dtype: str = "float32",
    amp: str = "",
    device: str = "cuda",
    grads: str = "none",
    optimizer: Optimizer | None = None,
    **changes: Unpack[Changes],
) -> Fit:
    """The largest batch, input size or width of a network that a memory holds, exact at the level of tensors.

    network, input: as in :func:`archscope.memory`. memory, reserve: bytes, or sizes with a unit (``"2GiB"``); the
    reserve is what tensors cannot have: a GPU's context, workspaces, fragmentation. kind: ``batch``; ``input``, the
    side of a square image, or ``width``, in steps of 1/32, both for a given ``batch``. train: a step of training, else
    inference. The others are as in :func:`archscope.memory`.

    Raises UsageError for sizes and settings that make no sense, and what load raises.
    """
    if kind not in KINDS:
        raise UsageError(Problem("bad-value", f"kind is {kind!r}", expected=", ".join(KINDS)))
    whole, kept = _bytes(memory, "memory"), _bytes(reserve, "reserve")
    if kept >= whole:
        raise UsageError(Problem("bad-value", f"a reserve of {kept:,} B leaves nothing of {whole:,} B"))
    setting = training_setting(batch, dtype=dtype, amp=amp, device=device, grads=grads, optimizer=optimizer)
    task = _Task(network, changes, setting, train, whole - kept, input)
    value, graph, course, beyond = _largest(task, kind)
    moment = moment_of(graph, course, course.peak)
    advice = tuple(_advice(task)) if value is None else ()
    missing = ops_without_rule(graph, setting)
    return Fit(graph.name, train, setting, whole, kept, kind, value, moment, beyond, advice, missing, graph.changes)


def fit_chip(
    network: Network, *, flash: str | int, ram: str | int, dtype: str = "int8", **changes: Unpack[Changes]
) -> ChipFit:
    """Whether a microcontroller holds a network: its weights in flash, the activations of one example in RAM.

    Weights are parameters and running statistics; activations the ideal inference peak, which a static planner may
    reach: tensors die with their last use. Raises UsageError for sizes that make no sense, and what load raises.
    """
    room, work = _bytes(flash, "flash"), _bytes(ram, "ram")
    setting = training_setting(1, dtype=dtype)
    task = _Task(network, changes, setting, False, work)
    graph = task.graph(1)
    weights, activations = _on_chip(graph, setting)

    def too_much(steps: int) -> bool:
        needs = _on_chip(task.graph(1, width=Fraction(steps, WIDTH_STEPS)), setting)
        return needs[0] > room or needs[1] > work

    widest = largest_value(too_much, 1, 4 * WIDTH_STEPS)
    width = None if widest is None else Fraction(widest, WIDTH_STEPS)
    return ChipFit(graph.name, dtype, weights, room, activations, work, width)


def _on_chip(graph: Graph, setting: Setting) -> tuple[int, int]:
    """Bytes of weights and of activations."""
    course = inference_course(graph, setting, ideal=True)
    return course.always.total, course.peak.alive


def _bytes(size: str | int, what: str) -> int:
    if isinstance(size, str):
        return memory_size(size, what)
    if not isinstance(size, int) or size < 0 or (size == 0 and what != "reserve"):
        raise UsageError(Problem("bad-value", f"{what} is {size!r}", expected="bytes, or a size with its unit: 2GiB"))
    return size


def _largest(task: _Task, kind: str) -> tuple[Value, Graph, Course, int]:
    """The largest value, a graph of the network's structure, the course at it, and the bytes of the next value."""
    if kind == "batch":
        batch, course, following = task.largest_batch()
        return batch or None, task.graph(1), course, following
    changed = _of_side if kind == "input" else _of_width
    batch = task.setting.batch

    def too_much(number: int) -> bool:
        try:
            return task.course(task.graph(batch, **changed(number))).peak_bytes > task.limit
        except ShapeError:
            return False  # too small for its own pools; whatever is too much lies above

    most = LARGEST_SIDE if kind == "input" else 4 * WIDTH_STEPS
    found = largest_value(too_much, 1, most)
    graph = _smallest_graph(task, changed, most) if found is None else _graph_or_none(task, changed, found)
    if graph is None or found is None:
        graph = graph or _smallest_graph(task, changed, most)
        return None, graph, task.course(graph), 0
    following = task.course(task.graph(batch, **changed(found + 1))).peak_bytes if found < most else 0
    value = found if kind == "input" else Fraction(found, WIDTH_STEPS)
    return value, graph, task.course(graph), following


def _of_side(number: int) -> Changes:
    return {"input_size": (number, number)}


def _of_width(number: int) -> Changes:
    return {"width": Fraction(number, WIDTH_STEPS)}


def _graph_or_none(task: _Task, changed: Callable[[int], Changes], number: int) -> Graph | None:
    try:
        return task.graph(task.setting.batch, **changed(number))
    except ShapeError:
        return None


def _smallest_graph(task: _Task, changed: Callable[[int], Changes], most: int) -> Graph:
    """The graph of the smallest value that makes one."""
    graphs = (_graph_or_none(task, changed, number) for number in range(1, most + 1))
    return next(graph for graph in graphs if graph is not None)


def _advice(task: _Task) -> Iterator[tuple[str, int]]:
    """What would fit instead, each with its largest batch: another optimizer, inference, less width."""
    plain = Optimizer("sgd", 0.0)
    if task.training:
        for words, optimizer in (("SGD with momentum 0.9", Optimizer()), ("SGD without momentum", plain)):
            if task.setting.optimizer.name != "sgd" or task.setting.optimizer.momentum > optimizer.momentum:
                yield from _if_it_fits(words, task._replace(setting=task.setting._replace(optimizer=optimizer)))
        yield from _if_it_fits("inference only", task._replace(training=False))
    widest = largest_value(
        lambda steps: task.course(task.graph(1, **_of_width(steps))).peak_bytes > task.limit, 1, WIDTH_STEPS - 1
    )
    if widest is not None:
        width = Fraction(widest, WIDTH_STEPS)
        narrower: Changes = {**task.changes, "width": width}
        yield from _if_it_fits(f"width {width}", task._replace(changes=narrower))


def _if_it_fits(words: str, task: _Task) -> Iterator[tuple[str, int]]:
    batch, _, _ = task.largest_batch()
    if batch:
        yield words, batch

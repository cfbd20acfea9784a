"""``fit``: the largest batch, input or width that a memory holds; ``fit_chip``: whether a microcontroller does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple, Unpack

from archscope.api.modules import is_module
from archscope.api.networks import Network, load, lower
from archscope.api.settings import training_setting
from archscope.core.errors import ArchscopeError, Problem, ShapeError, Unsupported, UsageError
from archscope.core.records import ITEM_BYTES, Optimizer, Setting
from archscope.core.showing import shown_as_html
from archscope.core.units import memory_size
from archscope.graph.footprint import Course, inference_course, training_course
from archscope.graph.graph import Graph
from archscope.spec.options import Changes
from archscope.studies.fitting import largest_batch, largest_number
from archscope.studies.memory_use import Moment, moment_of, ops_without_rule

LARGEST = ("batch", "input", "width")
WIDTH_STEPS = 32
"""Widths are tried in steps of 1/32, up to 4."""
LARGEST_SIDE = 4096
"""Square inputs are tried up to this many pixels a side."""

Value = int | Fraction | None


class Fit(NamedTuple):
    """How much of a network fits.

    training: a step of training, else inference. largest: of what: ``batch``, ``input`` (pixels a side) or ``width`` (a
    factor). value: the largest that fits; None where the least does not. moment: the peak at that value, or at the
    least. beyond: bytes of the peak at the next value; 0 where there is none. advice: what would fit instead, with its
    largest batch. missing: ops without a memory rule; with any of them less may fit than it says. changes: to the
    network, besides the one that is looked for.
    """

    network: str
    training: bool
    setting: Setting
    memory: int
    reserve: int
    largest: str
    value: Value
    moment: Moment
    beyond: int
    advice: tuple[tuple[str, int], ...] = ()
    missing: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()

    def _repr_html_(self) -> str:
        return shown_as_html(self)

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

    def _repr_html_(self) -> str:
        return shown_as_html(self)

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
    channels: int = 0
    """Of the images that a module takes, where the largest is looked for."""

    def graph(self, batch: int, **more: Unpack[Changes]) -> Graph:
        merged: Changes = {**self.changes, **more}
        given, side = self.input, more.get("input_size")
        if self.channels and side is not None:
            given = (self.channels, *side)
            del merged["input_size"]
        return lower(self.network, batch, input=given, mode="train" if self.training else "eval", **merged)

    def read_once(self) -> _Task:
        """The same for any input size, which is the last change of all: the network is not read again for each."""
        kept: Changes = {**self.changes, "input_size": None}
        return self._replace(network=load(self.network, input=self.input, **kept), input=None, changes={})

    def of_images(self) -> _Task:
        """The same for a module, whose inputs are then images of any size.

        Raises UsageError for other inputs, Unsupported for a module that does not take images of twice the size.
        """
        graph = self.graph(self.setting.batch)
        shapes = [graph.tensors[each].shape for each in graph.inputs]
        if len(shapes) != 1 or len(shapes[0]) != 4:
            spelled = ", ".join("×".join(map(str, shape[1:])) for shape in shapes)
            message = f"the largest image is looked for, and {graph.name} takes {spelled}"
            raise UsageError(Problem("bad-value", message))
        images = self._replace(channels=shapes[0][1])
        try:
            images.graph(self.setting.batch, input_size=(2 * shapes[0][2], 2 * shapes[0][3]))
        except ArchscopeError as error:
            message = f"{graph.name} takes images of one size only: {error.problems[0].message}"
            raise Unsupported(error.problems[0]._replace(code="one-size", message=message)) from error
        return images

    def has_widths(self) -> bool:
        """Whether its width can be changed: a module's cannot, nor a table's that fixes its channels."""
        if is_module(self.network):
            return False
        halved: Changes = {**self.changes, "width": Fraction(1, 2)}
        try:
            load(self.network, input=self.input, **halved)
        except Unsupported:
            return False
        return True

    def course(self, graph: Graph) -> Course:
        setting = self.setting._replace(batch=graph.tensors[graph.inputs[0]].shape[0])
        return training_course(graph, setting) if self.training else inference_course(graph, setting)

    def largest_batch(self) -> tuple[int, Course, int]:
        def course(batch: int) -> Course:
            return self.course(self.graph(batch))

        return largest_batch(course, self.limit, checked=is_module(self.network))

    def over(self, changed: Callable[[int], Changes]) -> Callable[[int], int | None]:
        """By how many bytes a change by a number is too much; None where it makes no network."""
        batch = self.setting.batch
        return _or_none(lambda number: self.course(self.graph(batch, **changed(number))).peak_bytes - self.limit)


def fit(  # noqa: PLR0913  a public verb: its keywords are the flags of the command
    network: Network | Any,
    memory: str | int,
    *,
    input: Any = None,  # noqa: A002  what tables and the command line call it
    largest: str = "batch",
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
    reserve is what tensors cannot have: a GPU's context, workspaces, fragmentation. largest: of what: ``batch``;
    ``input``, the side of a square image, or ``width``, in steps of 1/32, both for a given ``batch``. train: a step of
    training, else inference. dtype, amp, device, grads and optimizer are as in :func:`archscope.memory`.

    Raises UsageError for sizes and settings that make no sense, and what load raises.
    """
    if largest not in LARGEST:
        raise UsageError(Problem("bad-value", f"largest is {largest!r}", expected=", ".join(LARGEST)))
    if largest == "batch" and batch != 1:
        message = f"batch is {batch!r}, and the largest one is looked for"
        raise UsageError(Problem("bad-value", message, help="a batch is given for the largest input or width"))
    whole, kept = _bytes(memory, "memory"), _bytes(reserve, "reserve")
    if kept >= whole:
        raise UsageError(Problem("bad-value", f"a reserve of {kept:,} B leaves nothing of {whole:,} B"))
    setting = training_setting(
        batch, dtype=dtype, amp=amp, device=device, grads=grads, optimizer=optimizer, trains=train
    )
    task = _Task(network, changes, setting, train, whole - kept, input)
    value, graph, course, beyond = _largest(task, largest)
    moment = moment_of(graph, course, course.peak)
    advice = tuple(_advice(task)) if value is None else ()
    missing = ops_without_rule(graph, setting)
    others = tuple(words for words in graph.changes if largest == "batch" or not words.startswith(largest))
    return Fit(graph.name, train, setting, whole, kept, largest, value, moment, beyond, advice, missing, others)


def fit_chip(
    network: Network | Any,
    *,
    flash: str | int,
    ram: str | int,
    input: Any = None,  # noqa: A002  as above
    dtype: str = "int8",
    **changes: Unpack[Changes],
) -> ChipFit:
    """Whether a microcontroller holds a network: its weights in flash, the activations of one example in RAM.

    flash, ram: bytes, or sizes with a unit (``"512KiB"``). input: as in :func:`archscope.memory`. dtype: of weights and
    activations.
    Weights are parameters and running statistics; activations the ideal inference peak, which a static planner may
    reach: tensors die with their last use. A module, or a network whose widths are fixed, fits at width 1 or not at
    all. Raises UsageError for sizes that make no sense, and what load raises.
    """
    room, work = _bytes(flash, "flash"), _bytes(ram, "ram")
    setting = training_setting(1, dtype=dtype, trains=False)
    task = _Task(network, changes, setting, False, work, input)
    graph = task.graph(1)
    weights, activations = _on_chip(graph, setting)

    def over(steps: int) -> int:
        needs = _on_chip(task.graph(1, **_of_width(steps)), setting)
        return max(needs[0] - room, needs[1] - work)

    widest = WIDTH_STEPS if weights <= room and activations <= work else None
    if task.has_widths():
        widest, _ = largest_number(_or_none(over), 4 * WIDTH_STEPS)
    width = None if widest is None else Fraction(widest, WIDTH_STEPS)
    return ChipFit(graph.name, dtype, weights, room, activations, work, width)


def _on_chip(graph: Graph, setting: Setting) -> tuple[int, int]:
    """Bytes of weights and of activations."""
    course = inference_course(graph, setting, ideal=True)
    counters = sum(ITEM_BYTES[each.dtype] for each in graph.buffers if each.dtype != "float")  # for training alone
    return course.always.total - counters, course.peak.alive


def _bytes(size: str | int, what: str) -> int:
    least = 0 if what == "reserve" else 1
    if isinstance(size, str):
        return memory_size(size, what, least=least)
    if not isinstance(size, int) or size < least:
        raise UsageError(Problem("bad-value", f"{what} is {size!r}", expected="bytes, or a size with its unit: 2GiB"))
    return size


def _largest(task: _Task, what: str) -> tuple[Value, Graph, Course, int]:
    """The largest value, a graph of the network's structure, the course at it, and the bytes of the next value."""
    if what == "batch":
        batch, course, next_bytes = task.largest_batch()
        return batch or None, task.graph(1), course, next_bytes if batch else 0
    most, changed = (LARGEST_SIDE, _of_side) if what == "input" else (4 * WIDTH_STEPS, _of_width)
    if what == "input":
        task = task.of_images() if is_module(task.network) else task.read_once()
    over = task.over(changed)
    found, following = largest_number(over, most)
    graph = task.graph(task.setting.batch, **changed(found or following or most))
    beyond = task.limit + (over(following) or 0) if found and following else 0
    value = found if found is None or what == "input" else Fraction(found, WIDTH_STEPS)
    return value, graph, task.course(graph), beyond


def _or_none(over: Callable[[int], int]) -> Callable[[int], int | None]:
    """The same, kept, and None where sizes do not fit: a pool larger than its input, groups that do not divide it."""

    @cache
    def kept(number: int) -> int | None:
        try:
            return over(number)
        except ShapeError:
            return None
        except Unsupported as error:  # a module may refuse a size in its own words; a table says so with a ShapeError
            if error.problems[0].code != "module-raised":
                raise
            return None

    return kept


def _of_side(number: int) -> Changes:
    return {"input_size": (number, number)}


def _of_width(number: int) -> Changes:
    return {"width": Fraction(number, WIDTH_STEPS)}


def _advice(task: _Task) -> Iterator[tuple[str, int]]:
    """What would fit instead, each with its largest batch: accumulation, another optimizer, inference, less width."""
    if task.training:
        if task.setting.batch > 1:
            resident = task._replace(setting=task.setting._replace(grads="resident"))
            yield from _if_it_fits("accumulating gradients over smaller batches", resident)
        own = task.setting.optimizer
        for words, momentum in (("SGD with momentum 0.9", 0.9), ("SGD without momentum", 0.0)):
            if own.name != "sgd" or own.momentum > momentum:
                optimizer = own._replace(name="sgd", momentum=momentum)
                yield from _if_it_fits(words, task._replace(setting=task.setting._replace(optimizer=optimizer)))
        yield from _if_it_fits("inference only", task._replace(training=False))
    if task.has_widths():
        single = task._replace(setting=task.setting._replace(batch=1))
        widest, _ = largest_number(single.over(_of_width), WIDTH_STEPS - 1)
        if widest is not None:
            width = Fraction(widest, WIDTH_STEPS)
            narrower: Changes = {**task.changes, "width": width}
            yield from _if_it_fits(f"width {width}", task._replace(changes=narrower))


def _if_it_fits(words: str, task: _Task) -> Iterator[tuple[str, int]]:
    batch, _, _ = task.largest_batch()
    if batch:
        yield words, batch

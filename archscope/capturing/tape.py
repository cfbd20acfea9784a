"""What was seen of a forward, in plain lists: tensors, operators, modules. ``assembly`` makes a Graph of it."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import nn

from archscope.capturing.places import Place
from archscope.graph.lifetimes import FOREVER
from archscope.ops import Op


class Step(NamedTuple):
    """One operator that ran. grad: whether autograd was on."""

    op: Op
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    parameters: dict[str, int]
    buffers: dict[str, int]
    scope: int
    place: Place | None
    grad: bool


@dataclass(slots=True)
class Run:
    """One call of a module. call: 0 for its first, 1 for the next. children: what ran in it. place: who called it."""

    module: nn.Module
    path: str
    parent: int
    call: int
    inputs: tuple[int, ...] = ()
    outputs: tuple[int, ...] = ()
    children: list[tuple[str, int]] = field(default_factory=list)
    place: Place | None = None


class Tape:
    """Grows while a module runs. Tensors are known by their ids for as long as Python holds them, which is noted."""

    def __init__(
        self, parameters: Mapping[int, tuple[str, nn.Parameter]], buffers: Mapping[int, tuple[str, torch.Tensor]]
    ) -> None:
        self.shapes: list[tuple[tuple[int, ...], torch.dtype, int]] = []
        """Shape, type and storage of each tensor; its storage is the first tensor that lies in it."""
        self.steps: list[Step] = []
        self.runs: list[Run] = []
        self.current = -1
        """The innermost module that is running."""
        self.failed = -1
        """The innermost module that raised."""
        self.index: dict[int, int] = {}
        self.held: list[int] = []
        """Per tensor the last step during which Python held it."""
        self.refs: dict[int, weakref.ref[torch.Tensor]] = {}
        self.stored: list[torch.Tensor] = []
        """What no step made; it stays, so that its id does."""
        self.stored_parameters: list[tuple[int, int]] = []
        self.assumptions: dict[str, None] = {}
        self.hidden: dict[str, None] = {}
        """Modules with parameters that the network does not have."""
        self.custom = False
        """Whether a forward of somebody's own autograd function is running that autograd records as a whole."""
        self.functions: dict[str, None] = {}
        self.autocast = False
        """Whether the forward asked for autocast."""
        self.parameters = {key: number for number, key in enumerate(parameters)}
        self.buffers = {key: number for number, key in enumerate(buffers)}

    def add(self, tensor: torch.Tensor, storage: int = -1) -> int:
        """A tensor that a step makes, or the new state of one that it overwrites."""
        number, key = len(self.shapes), id(tensor)
        if key in self.index:
            self.held[self.index[key]] = len(self.steps)
        else:
            self.refs[key] = weakref.ref(tensor, partial(self.let_go, key))
        self.shapes.append((tuple(tensor.shape), tensor.dtype, number if storage < 0 else storage))
        self.held.append(FOREVER)
        self.index[key] = number
        return number

    def let_go(self, key: int, _: object = None) -> None:
        """Nothing in Python refers to a tensor any more."""
        del self.refs[key]
        self.held[self.index.pop(key)] = len(self.steps) - 1

    def number_of(self, tensor: torch.Tensor) -> int:
        """The number of a tensor; one that no step made is stored: a parameter, a buffer, a constant."""
        number = self.index.get(id(tensor))
        if number is not None:
            return number
        self.stored.append(tensor)
        number = self.add(tensor)
        if id(tensor) in self.parameters:
            self.stored_parameters.append((number, self.parameters[id(tensor)]))
        return number

    def finish(self) -> None:
        """Whatever is still there stays."""
        self.refs.clear()

    def open(self, run: Run) -> int:
        """A module begins to run within the current one."""
        number = len(self.runs)
        if self.current >= 0:
            self.runs[self.current].children.append(("scope", number))
        self.runs.append(run)
        self.current = number
        return number

    def storage_of(self, tensor: torch.Tensor) -> int:
        """The storage that a tensor lies in."""
        return self.shapes[self.number_of(tensor)][2]

    def step(self, step: Step) -> None:
        """Writes a step down where it ran."""
        self.runs[self.current].children.append(("node", len(self.steps)))
        self.steps.append(step)

    def assume(self, words: str) -> None:
        """Notes a size that was taken to be the largest possible."""
        self.assumptions[words] = None

    def mark(self) -> tuple[int, int]:
        """Where the tape is: how many steps there are, and how many parts the running module has."""
        return len(self.steps), len(self.runs[self.current].children)

    def back_to(self, mark: tuple[int, int]) -> None:
        """Takes back the steps since a mark; one that stands for all of them is to follow."""
        steps, parts = mark
        del self.steps[steps:]
        del self.runs[self.current].children[parts:]
        self.held = [each if each == FOREVER else min(each, steps) for each in self.held]

    def numbers_in(self, value: Any) -> tuple[int, ...]:
        """The numbers of the tensors in arguments or results, those in containers too, each once."""
        found: dict[int, None] = {}
        for tensor in tensors_in(value):
            number = self.index.get(id(tensor))
            if number is not None:
                found[number] = None
        return tuple(found)


def tensors_in(value: Any) -> list[torch.Tensor]:
    """The tensors in a nest of lists, tuples, dictionaries and records, in order."""
    if isinstance(value, torch.Tensor):
        return [value]
    if value is None or type(value) in _PLAIN:
        return []
    if type(value) is tuple and len(value) == 1 and isinstance(value[0], torch.Tensor):
        return [value[0]]
    return [tensor for _, tensor in named_tensors_in(value)]


_PLAIN = {int, float, bool, str}


def named_tensors_in(value: Any, name: str = "") -> list[tuple[str, torch.Tensor]]:
    """The tensors in a nest of lists, tuples, dictionaries and records, each with the way to it: ``out``, ``0.aux``."""
    if isinstance(value, torch.Tensor):
        return [(name, value)]
    if isinstance(value, dict):
        parts = [(str(key), each) for key, each in value.items()]
    elif isinstance(value, tuple) and hasattr(value, "_fields"):
        parts = list(zip(value._fields, value, strict=True))
    elif isinstance(value, list | tuple):
        parts = [(str(number), each) for number, each in enumerate(value)]
    elif hasattr(value, "__dataclass_fields__") and not isinstance(value, type):
        parts = [(key, getattr(value, key, None)) for key in value.__dataclass_fields__]
    else:
        return []
    found = []
    for key, each in parts:
        found += named_tensors_in(each, f"{name}.{key}" if name else key)
    return found

"""Tape -> Graph: modules that are one operator become nodes, the others scopes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from archscope.capturing.modules import Survey
from archscope.capturing.places import place_of_forward, span_of
from archscope.capturing.plans import dtype_name
from archscope.capturing.tape import Tape, named_tensors_in
from archscope.core.records import Tensor
from archscope.graph.graph import Buffer, Graph, Node, Output, Parameter, Scope
from archscope.ops import letters


def assembled(tape: Tape, survey: Survey, name: str, title: str, inputs: Sequence[torch.Tensor], result: Any) -> Graph:
    """The graph of a tape whose module took ``inputs`` and returned ``result``."""
    usual = usual_dtype(survey, inputs)
    leaves = {n for n, run in enumerate(tape.runs) if n and len(run.children) == 1 and run.children[0][0] == "node"}
    kept = _kept(tape, leaves)
    numbers = {old: new for new, old in enumerate(kept)}
    nodes, children = _nodes(tape, leaves, numbers)
    return Graph(
        name=name,
        inputs=tuple(tape.number_of(each) for each in inputs),
        outputs=_outputs(tape, result),
        tensors=tuple(_tensor(*each, usual) for each in tape.shapes),
        nodes=nodes,
        scopes=tuple(_scope(tape, old, numbers, children) for old in kept),
        parameters=tuple(
            Parameter(key, tuple(each.shape), each.requires_grad) for key, each in survey.parameters.values()
        ),
        buffers=tuple(
            Buffer(key, tuple(each.shape), _dtype(each.dtype, usual)) for key, each in survey.buffers.values()
        ),
        title=title,
        held=tuple(tape.held),
        dtype=dtype_name(usual),
        stored=tuple(tape.stored_parameters),
        assumptions=tuple(tape.assumptions),
        notes=tuple(_notes(tape)),
    )  # fmt: skip


def _notes(tape: Tape) -> list[str]:
    """What a reader should know of a capture besides its numbers."""
    hidden = [
        f"{path} has parameters that parameters() and state_dict() do not give: a plain list or attribute hides them"
        for path in tape.hidden
    ]
    own = [f"{name} has a backward of its own, which is counted as autograd's would be" for name in tape.functions]
    cast = ["its forward uses torch.autocast, which is left out: sizes are those of its own types; see memory --amp"]
    return [*hidden, *own, *(cast if tape.autocast else [])]


def usual_dtype(survey: Survey, inputs: Sequence[torch.Tensor] = ()) -> torch.dtype:
    """The type that a setting's ``dtype`` stands for: that of most parameters, else of the inputs."""
    counts: Counter[torch.dtype] = Counter()
    for _, parameter in survey.parameters.values():
        counts[parameter.dtype] += parameter.numel() if parameter.dtype.is_floating_point else 0
    for each in () if counts.total() else inputs:
        counts[each.dtype] += each.numel() if each.dtype.is_floating_point else 0
    return counts.most_common(1)[0][0] if counts.total() else torch.float32


def _kept(tape: Tape, leaves: set[int]) -> list[int]:
    """The runs that become scopes: all but single operators and those in which nothing ran."""
    busy = [False] * len(tape.runs)
    for n in reversed(range(len(tape.runs))):
        busy[n] = n == 0 or any(kind == "node" or busy[child] for kind, child in tape.runs[n].children)
    return [n for n, each in enumerate(busy) if each and n not in leaves]


def _nodes(
    tape: Tape, leaves: set[int], numbers: dict[int, int]
) -> tuple[tuple[Node, ...], dict[int, list[tuple[str, int]]]]:
    """The nodes, and what runs in each scope in order."""
    children: dict[int, list[tuple[str, int]]] = {new: [] for new in numbers.values()}
    taken: dict[int, Counter[str]] = {}
    nodes = []
    for step in tape.steps:
        run = tape.runs[step.scope]
        inner = run.parent if step.scope in leaves else step.scope
        if step.scope in leaves:
            path = run.path
        else:
            own = letters(step.op.notation or "") or step.op.label
            counter = taken.setdefault(step.scope, Counter())
            counter[own] += 1
            own = f"{own}_{counter[own]}" if counter[own] > 1 else own
            path = f"{run.path}.{own}".lstrip(".")
        nodes.append(
            Node(
                step.op, path, path, step.inputs, step.outputs, step.parameters, step.buffers, numbers[inner], run.call,
                span=span_of(step.place), grad=step.grad,
            )
        )  # fmt: skip
    for old, new in numbers.items():
        for kind, child in tape.runs[old].children:
            if kind == "node":
                children[new].append((kind, child))
            elif child in leaves:
                children[new].append(tape.runs[child].children[0])
            elif child in numbers:
                children[new].append((kind, numbers[child]))
    return tuple(nodes), children


def _scope(tape: Tape, old: int, numbers: dict[int, int], children: dict[int, list[tuple[str, int]]]) -> Scope:
    run = tape.runs[old]
    outer = tape.runs[run.parent] if run.parent >= 0 else None
    within = outer is not None and outer.path and run.path.startswith(f"{outer.path}.")
    attribute = run.path[len(outer.path) + 1 :] if within and outer is not None else run.path
    new = numbers[old]
    return Scope(
        path=run.path,
        name=run.path,
        attribute=attribute,
        parent=numbers[run.parent] if run.parent >= 0 else -1,
        kind=type(run.module).__name__,
        inputs=run.inputs,
        outputs=run.outputs,
        children=tuple(children[new]),
        section=type(run.module) in {nn.Sequential, nn.ModuleList, nn.ModuleDict},
        span=span_of(place_of_forward(type(run.module))),
        called=span_of(run.place),
    )


def _outputs(tape: Tape, result: Any) -> tuple[Output, ...]:
    """The tensors that leave the network, by the names under which it returns them."""
    found = named_tensors_in(result)
    return tuple(Output(name or "output", tape.number_of(each)) for name, each in found)


def _tensor(shape: tuple[int, ...], dtype: torch.dtype, storage: int, usual: torch.dtype) -> Tensor:
    return Tensor(shape, _dtype(dtype, usual), storage)


def _dtype(dtype: torch.dtype, usual: torch.dtype) -> str:
    return "float" if dtype == usual else dtype_name(dtype)

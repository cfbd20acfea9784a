"""A soft-max over the wrong axis, or over one that torch has to guess."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from archscope.graph.graph import Graph
from archscope.linting import ERROR, WARNING, Found, Subject
from archscope.linting.sources.syntax import Script, constant, keyword_of
from archscope.ops.softmax import Softmax

LEVEL = ERROR
SOURCE = "DeepReinforcementLearningInAction#32; MicrosoftDocs/pytorchfundamentals PR #21; perone/euclidesdb#2"

_WHY = (
    "the examples of a batch compete for one probability of 1 per class: alone in its batch, every example gets 1.0 "
    "for every class"
)
_MEND = "dim=1 for logits of shape (batch, classes)"

_FUNCTIONS = {"softmax": 1, "log_softmax": 1, "softmin": 1}
_MODULES = {"Softmax": 0, "LogSoftmax": 0, "Softmin": 0}


def examine(subject: Subject) -> Iterator[Found]:
    """Soft-maxes over axis 0, and in a file those without an axis."""
    if subject.graph is not None:
        yield from _in_graph(subject.graph)
    elif subject.script is not None:
        yield from _in_script(subject.script)


def _in_graph(graph: Graph) -> Iterator[Found]:
    for node in graph.nodes:
        if isinstance(node.op, Softmax) and node.op.dim == 0:
            yield Found("soft-max over axis 0, the batch", _WHY, _MEND, place=node.path, span=node.span)


def _in_script(script: Script) -> Iterator[Found]:
    for name, call in script.calls():
        own = name.rpartition(".")[2]
        if not name.startswith(("torch", "nn.", "F.")) and own not in _MODULES:
            continue
        position = {**_FUNCTIONS, **_MODULES}.get(own)
        if position is None:
            continue
        dim = keyword_of(call, "dim", position)
        if dim is None:
            yield Found(
                f"{ast.unparse(call.func)} without dim",
                "torch guesses the axis by the rank, 0 for 1 and 3 axes, 1 for 2 and 4, and warns that this will go",
                _MEND,
                span=script.span(call),
                level=WARNING,
            )
        elif constant(dim) == 0:
            yield Found(
                f"{ast.unparse(call.func)} over axis 0, the batch",
                _WHY,
                _MEND,
                span=script.span(call),
            )

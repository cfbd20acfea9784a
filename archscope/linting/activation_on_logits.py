"""A ReLU after the last layer: every logit below zero is cut off, and learns nothing."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator

from archscope.graph.graph import Graph
from archscope.linting import ERROR, WARNING, Found, Subject
from archscope.linting.sources.training_script import cross_entropies
from archscope.linting.sources.written_modules import last_calls, module_classes
from archscope.studies.differing.structure import Leaf, structure_of
from archscope.studies.differing.wording import kind_of

LEVEL = ERROR
SOURCE = (
    "pytorch/tutorials PR #1654; hunkim/PyTorchZeroToAll PR #4; huyng/tensorflow-vgg#13; chainer PR #2364. SqueezeNet "
    "has one before its last pool by design (forresti/SqueezeNet#10)"
)
MEND = "leave it out: the last layer has no activation"

_SHIFTS = {"softmax", "Softmax", "log_softmax", "LogSoftmax", "Dropout", "dropout"}


def examine(subject: Subject) -> Iterator[Found]:
    """ReLUs right after the last layer with weights. Without the loss in sight, a warning."""
    shown = subject.script is not None and bool(cross_entropies(subject.script))
    if subject.graph is not None:
        yield from _in_graph(subject.graph, shown=shown)
    elif subject.script is not None and shown:
        for cls in module_classes(subject.script):
            calls = [call for call in last_calls(subject.script, cls) if call[0] not in _SHIFTS]
            if [name.lower() for name, _ in calls[:2]] == ["relu", "linear"]:
                yield _found(f"{cls.name} ends in ReLU", 0, subject, calls[0][1])


def _in_graph(graph: Graph, *, shown: bool) -> Iterator[Found]:
    structure = structure_of(graph)
    for chain in (structure.chain, *(head.chain for head in structure.heads)):
        last = chain[-1] if chain else None
        if not isinstance(last, Leaf) or last.layer is None or not graph.nodes[last.layer].op.weight_layer:
            continue
        for index in last.followers:
            node = graph.nodes[index]
            if kind_of(node.op) == "ReLU":
                yield _why("the last layer is followed by ReLU", graph.shape_out(node)[1])._replace(
                    place=node.path, span=node.span, level=ERROR if shown else WARNING
                )


def _found(what: str, classes: int, subject: Subject, node: ast.AST) -> Found:
    span = subject.script.span(node) if subject.script is not None else None
    return _why(what, classes)._replace(span=span)


def _why(what: str, classes: int) -> Found:
    loss = f"ln {classes:,} = {math.log(classes):.3f}" if classes else "ln C for C classes"
    why = (
        f"an example whose logits are all negative has the loss {loss}, that of a guess, and no gradient to leave "
        "it; at the "
        "beginning half of all logits are cut off"
    )
    return Found(what, why, MEND)

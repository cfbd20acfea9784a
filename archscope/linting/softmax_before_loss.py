"""A soft-max in front of CrossEntropyLoss, which takes one itself: the loss cannot come near zero."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator

from archscope.graph.graph import Graph, Node
from archscope.linting import ERROR, INFO, WARNING, Found, Subject
from archscope.linting.sources.syntax import Script
from archscope.linting.sources.training_script import cross_entropies, loss_calls
from archscope.linting.sources.written_modules import calls_on, last_calls, module_classes
from archscope.studies.differing.structure import structure_of
from archscope.studies.differing.wording import kind_of

LEVEL = ERROR
SOURCE = (
    "tflearn PR #562; jindongwang/Deep-learning-activity-recognition#10; bkitano/llama-from-scratch#5; "
    "bowang-lab/Transformer-GCN-QA PR #32; DSKSD/DeepNLP-models-Pytorch#2 (log_softmax, harmless)"
)
MEND = "return the logits, and take the soft-max only where probabilities are wanted"


def least_loss(classes: int) -> float:
    """The least that the loss can be: the logits are probabilities, at best 1 for the right class and 0 for the others.

    >>> [round(least_loss(classes), 3) for classes in (2, 10, 1000)]
    [0.313, 1.461, 5.909]
    """
    return math.log(math.e + classes - 1) - 1


def examine(subject: Subject) -> Iterator[Found]:
    """Soft-maxes at the end of a network, or on their way into the loss. Without the loss in sight, a warning."""
    found = list(_in_graph(subject)) if subject.graph is not None else []
    yield from found
    if subject.script is not None and cross_entropies(subject.script):
        yield from _in_loss(subject.script)
        yield from () if found else _in_classes(subject.script)


def _in_graph(subject: Subject) -> Iterator[Found]:
    graph = subject.graph
    shown = subject.script is not None and bool(cross_entropies(subject.script))
    for node, classes in _ends(graph) if graph is not None else ():
        yield Found(
            "the network ends in soft-max" + (", and CrossEntropyLoss takes another" if shown else ""),
            f"under CrossEntropyLoss the loss of {classes:,} classes cannot fall below ln(e + {classes - 1:,}) - 1 = "
            f"{least_loss(classes):.3f}",
            MEND,
            place=node.path,
            span=node.span,
            level=ERROR if shown else WARNING,
        )


def _ends(graph: Graph) -> Iterator[tuple[Node, int]]:
    """The soft-maxes that make outputs, and the number of classes."""
    structure = structure_of(graph)
    for chain in (structure.chain, *(head.chain for head in structure.heads)):
        for index in chain[-1].followers if chain else ():
            node = graph.nodes[index]
            if kind_of(node.op) == "soft-max":
                yield node, graph.shape_out(node)[1]


def _in_loss(script: Script) -> Iterator[Found]:
    for call, name in loss_calls(script).items():
        if name in {"CrossEntropyLoss", "cross_entropy"} and call.args:
            yield from _found(script, calls_on(script, call.args[0]), "the loss is handed")


def _in_classes(script: Script) -> Iterator[Found]:
    for cls in module_classes(script):
        yield from _found(script, last_calls(script, cls), f"{cls.name} ends in")


def _found(script: Script, calls: list[tuple[str, ast.AST]], words: str) -> Iterator[Found]:
    for name, node in calls[:1]:
        if name in {"softmax", "Softmax"}:
            floors = ", ".join(f"{least_loss(classes):.3f} for {classes:,}" for classes in (2, 10, 1000))
            yield Found(
                f"{words} a soft-max, and CrossEntropyLoss takes another",
                f"the loss cannot fall below ln(e + C - 1) - 1 with C classes: {floors}",
                MEND,
                span=script.span(node),
            )
        elif name in {"log_softmax", "LogSoftmax"}:
            why = "the soft-max of a log-soft-max is that soft-max again: it costs a pass and changes nothing"
            yield Found(
                f"{words} a log-soft-max before CrossEntropyLoss", why, MEND, span=script.span(node), level=INFO
            )

"""``lint``: what is likely a mistake in a network or a training script."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Unpack

from archscope import catalog, linting
from archscope.api.networks import Network, lower
from archscope.core.errors import Problem, UsageError
from archscope.graph.graph import Graph
from archscope.linting import Finding, Subject
from archscope.spec.network import Spec
from archscope.spec.options import Changes
from archscope.studies.syntax import script_at


def lint(
    target: Network | Graph, *, select: Sequence[str] = (), ignore: Sequence[str] = (), **changes: Unpack[Changes]
) -> tuple[Finding, ...]:
    """What is likely a mistake, errors first; empty where nothing is.

    target: a network, a table file or a table's name (all its networks), a Graph, or a training script ``train.py``,
    which is read as syntax and never run. select: only these rules, by id; ignore: not these; see
    :func:`archscope.linting.named`. changes: to the network, as load takes them. A finding says what, where, why it
    matters, how to mend it and who met it. Raises UnknownName for a rule that there is not, and what load raises.
    """
    return tuple(
        finding for subject in _subjects(target, changes) for finding in linting.findings(subject, select, ignore)
    )


def _subjects(target: Network | Graph, changes: Changes) -> Iterator[Subject]:
    if isinstance(target, str) and target.endswith(".py"):
        if changes_in(changes):
            message = f"{target} is a script: {', '.join(changes_in(changes))} can change networks only"
            raise UsageError(Problem("bad-value", message))
        yield Subject(target, script=script_at(target))
    elif isinstance(target, str):
        for name in catalog.named_networks([target]):
            yield _network(name, name, changes)
    elif isinstance(target, Graph):
        yield Subject(target.name, target, known=promised(target.name, target))
    else:
        yield _network(target, target.name if isinstance(target, Spec) else "network", changes)


def changes_in(changes: Changes) -> list[str]:
    """The names of the changes that are made."""
    return [name for name, value in changes.items() if value not in _NONE]


_NONE = (None, False, 1)


def _network(network: Network, name: str, changes: Changes) -> Subject:
    """A network of a table. It promises itself, at its own input."""
    graph = lower(network, 2, **changes)
    own: Changes = {**changes, "input_size": None}
    known = lower(network, 2, **own) if changes.get("input_size") is not None else None
    return Subject(name, graph, known=known)


def promised(name: str, graph: Graph) -> Graph | None:
    """The network that a name promises, with as many classes and examples as ``graph``; None where it promises none."""
    entry = catalog.promised(name)
    if entry is None:
        return None
    classes = graph.tensors[graph.outputs[0].tensor].shape[-1]
    return catalog.with_classes(entry, classes, graph.tensors[graph.inputs[0]].shape[0])

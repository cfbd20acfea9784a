"""``lint``: what is likely a mistake in a network or a training script."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Unpack

from archscope import catalog, linting
from archscope.api import modules
from archscope.api.differences import trained
from archscope.api.networks import Network, lower
from archscope.core.arithmetic import Shape
from archscope.core.errors import Problem, UsageError
from archscope.graph.graph import Graph
from archscope.linting import Finding, Subject
from archscope.linting.sources.syntax import script_at
from archscope.spec.compiler import compile_table
from archscope.spec.network import Spec
from archscope.spec.options import Changes


def lint(
    target: Any,
    *,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    input: Any = None,  # noqa: A002  as load has it
    **changes: Unpack[Changes],
) -> tuple[Finding, ...]:
    """What is likely a mistake, errors first; empty where nothing is.

    target: a network, a table file or a table's name (all its networks), a Graph, a module or its address, whose code
    is imported and run, or a training script ``train.py``, which is read as syntax and never run. select: only these
    rules, by id; ignore: not these; see :func:`archscope.linting.named`. input: as load and capture take it; a module
    whose name promises a network of the catalogue has that one's. changes: to a network of a table. A finding says
    what, where, why it matters, how to mend it and who met it. Raises UnknownName for a rule that there is not, and
    what load and capture raise.
    """
    return tuple(
        finding
        for subject in _subjects(target, input, changes)
        for finding in linting.findings(subject, select, ignore)
    )


def _subjects(target: Any, given: Any, changes: Changes) -> Iterator[Subject]:
    if isinstance(target, str) and target.endswith(".py"):
        if changes_in(changes) or given:
            message = (
                f"{target} is a script: {', '.join([*changes_in(changes), *(['input'] * bool(given))])} is for networks"
            )
            raise UsageError(Problem("bad-value", message))
        yield Subject(target, script=script_at(target))
    elif modules.is_module(target):
        yield _module(target, given, changes)
    elif isinstance(target, str):
        for name in catalog.named_networks([target]):
            yield _network(name, name, given, changes)
    elif isinstance(target, Graph):
        yield Subject(target.name, target, known=promised(target.name, target))
    else:
        yield _network(target, target.name if isinstance(target, Spec) else "network", given, changes)


def _module(module: Any, given: Any, changes: Changes) -> Subject:
    """A captured module, with the file that it is in, and the network that its name promises."""
    from archscope.capturing.examples import example_for

    address = module if isinstance(module, str) else ""
    name = address or getattr(module, "__name__", type(module).__name__)
    entry = catalog.promised(name)
    modules.refuse_changes(module, dict(changes))
    found = modules.made(module)[0]
    shape = given if given or entry is None else compile_table(entry.table, entry.network).input_shape
    example = example_for(found, shape, name)
    graph = trained(found, example, Changes())
    file = address.partition(".py:")[0]
    script = script_at(f"{file}.py") if ".py:" in address else None

    def again(batch: int, size: Shape | None) -> Graph:
        return lower(found, batch, input=example if size is None else size, mode="train")

    return Subject(name, graph, script, promised(name, graph), again)


def changes_in(changes: Changes) -> list[str]:
    """The names of the changes that are made."""
    return [name for name, value in changes.items() if value not in _NONE]


_NONE = (None, False, 1)


def _network(network: Network, name: str, given: Any, changes: Changes) -> Subject:
    """A network of a table. It promises itself, at its own input."""
    graph = lower(network, 2, input=given, **changes)
    own: Changes = {**changes, "input_size": None}
    known = lower(network, 2, **own) if given or changes.get("input_size") is not None else None
    return Subject(name, graph, known=known)


def promised(name: str, graph: Graph) -> Graph | None:
    """The network that a name promises, with as many classes and examples as ``graph``; None where it promises none."""
    entry = catalog.promised(name)
    if entry is None:
        return None
    classes = graph.tensors[graph.outputs[0].tensor].shape[-1]
    return catalog.with_classes(entry, classes, graph.tensors[graph.inputs[0]].shape[0])

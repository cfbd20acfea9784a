"""``diff``: in what a network differs from a spec."""

from __future__ import annotations

from typing import Any, Unpack

from archscope.api import modules
from archscope.api.networks import lower
from archscope.core.errors import ArchscopeError
from archscope.graph.graph import Graph
from archscope.spec.options import Changes
from archscope.studies.differing.difference import Difference, differences


def diff(network: Any, spec: Any, *, input: Any = None, **changes: Unpack[Changes]) -> tuple[Difference, ...]:  # noqa: A002  as load has it
    """Everything in which a network differs from a spec, repeats folded; empty where it is the same network.

    network, spec: a name of the catalogue, a table file, a Spec, a Graph, a module or its address. Both are aligned
    along their structure: names and the order in which branches are written decide nothing. A difference says in words
    what differs (``str(difference)``), both values, every place, and whether it ``matters``: some things are only
    written differently. input: of both; a module without one takes that of the other side. changes: made to both,
    modules and Graphs aside. Raises what load and capture raise.
    """
    return differences(*graphs_of(network, spec, input, changes))


def graphs_of(network: Any, spec: Any, given: Any, changes: Changes) -> tuple[Graph, Graph]:
    """Both graphs as they are while training, when auxiliary heads run."""
    sides = [network, spec]
    captured = [modules.is_module(each) for each in sides]
    if all(captured):
        return trained(network, given, changes), trained(spec, given, changes)
    graphs: list[Graph | None] = [
        None if module else each if isinstance(each, Graph) else lower(each, 2, input=given, **changes)
        for each, module in zip(sides, captured, strict=True)
    ]
    shape = next((each.tensors[each.inputs[0]].shape[1:] for each in graphs if each is not None), None)
    first, second = (
        trained(side, given or shape, Changes()) if graph is None else graph
        for side, graph in zip(sides, graphs, strict=True)
    )
    return first, second


def trained(module: Any, given: Any, changes: Changes) -> Graph:
    """A module captured in train mode: for two examples, which batch norm needs, else for one."""
    try:
        return lower(module, 2, input=given, mode="train", **changes)
    except ArchscopeError:
        return lower(module, 1, input=given, mode="train", **changes)

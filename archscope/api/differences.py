"""``diff``: in what a network differs from a spec."""

from __future__ import annotations

from typing import Unpack

from archscope.api.networks import Network, lower
from archscope.graph.graph import Graph
from archscope.spec.options import Changes
from archscope.studies.difference import Difference, differences


def diff(network: Network | Graph, spec: Network | Graph, **changes: Unpack[Changes]) -> tuple[Difference, ...]:
    """Everything in which a network differs from a spec, repeats folded; empty where it is the same network.

    Both are aligned along their structure: names and the order in which branches are written decide nothing. A
    difference says in words what differs (``str(difference)``), both values, every place, and whether it ``matters``:
    some things are only written differently. changes: made to both; a Graph is taken as it is. Raises what load raises.
    """
    return differences(graph_of(network, changes), graph_of(spec, changes))


def graph_of(network: Network | Graph, changes: Changes) -> Graph:
    """The graph of whatever names a network."""
    return network if isinstance(network, Graph) else lower(network, **changes)

"""``explain``: why a network has the numbers that it has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from archscope.api import modules
from archscope.api.networks import Network, load, lower
from archscope.api.settings import checked_setting
from archscope.core.errors import Problem, UsageError
from archscope.graph import lowering
from archscope.graph.graph import Graph
from archscope.spec.network import Spec
from archscope.spec.options import Changes
from archscope.studies.explaining.explanation import Explanation, explained


def explain(
    network: Network | Graph | Any,
    what: str | None = None,
    *,
    instead: str | Sequence[str] = (),
    everything: bool = False,
    batch: int = 1,
    input: Any = None,  # noqa: A002  as load has it
    dtype: str | None = None,
    mode: str = "eval",
    **changes: Unpack[Changes],
) -> Explanation:
    """The derivation of a network's numbers: each a rule with symbols, the same with numbers, and the result.

    what: a layer by its name or path (``"conv3_2"``), a block (``"inception3a"``), a row of the table by its label or
    number (``"inception (3a)"``, ``"row 5"``), a cell (``"row 10.D"``, or its text), or ``"depth"``; None for the
    network. instead: cells, with ``;`` between several, that take the place of that layer or of a run of layers
    (``"conv3_1,conv3_2"``). everything: all layers, a line each. network, batch, input, dtype, mode: as of
    :func:`archscope.profile`; what backward keeps is that of training.

    Raises UnknownName, with the nearest names, for a part that there is not; UsageError for a name that several parts
    have, for layers that are no run, and for settings that make no sense; TableError for a cell that cannot be read;
    and what load and capture raise.
    """
    spec, graph = _lowered(network, batch, input, mode, changes)
    own = graph.tensors[graph.inputs[0]].shape[0]
    setting = checked_setting(own if isinstance(network, Graph) else batch, dtype or graph.dtype, mode)
    cells = [cell.strip() for cell in instead.split(";")] if isinstance(instead, str) else list(instead)
    return explained(graph, spec, setting, what, instead=[cell for cell in cells if cell], everything=everything)


def _lowered(network: Any, batch: int, given: Any, mode: str, changes: Changes) -> tuple[Spec | None, Graph]:
    """The graph, and the spec that it was lowered from if there is one."""
    if isinstance(network, Graph):
        own = network.tensors[network.inputs[0]].shape[0]
        if changes or batch not in {1, own}:
            raise UsageError(Problem("bad-value", f"a Graph has its sizes, and this one is for a batch of {own}"))
        return None, network
    checked_setting(batch, mode=mode)
    if modules.is_module(network):
        return None, lower(network, batch, input=given, mode=mode, **changes)
    spec = load(network, input=given, **changes)
    return spec, lowering.lower(spec, batch)

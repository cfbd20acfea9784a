"""``explain``: why a network has the numbers that it has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from archscope.api.networks import Network, load
from archscope.api.settings import checked_setting
from archscope.core.errors import Problem, UsageError
from archscope.graph.graph import Graph
from archscope.graph.lowering import lower
from archscope.spec.options import Changes
from archscope.studies.explanation import Explanation, explained


def explain(
    network: Network | Graph,
    what: str | None = None,
    *,
    instead: str | Sequence[str] = (),
    everything: bool = False,
    batch: int = 1,
    dtype: str = "float32",
    mode: str = "eval",
    **changes: Unpack[Changes],
) -> Explanation:
    """The derivation of a network's numbers: each a rule with symbols, the same with numbers, and the result.

    what: a layer by its name or path (``"conv3_2"``), a block (``"inception3a"``), a row of the table by its label or
    number (``"inception (3a)"``, ``"row 5"``), a cell's text, or ``"depth"``; None for the network. instead: cells,
    with ``;`` between several, that take the place of that layer or of a run of layers (``"conv3_1,conv3_2"``).
    everything: all layers, a line each. batch, dtype, mode: as of :func:`archscope.profile`; what backward keeps is
    that of training.

    Raises UnknownName, with the nearest names, for a part that there is not; UsageError for a name that several parts
    have, for layers that are no run, and for settings that make no sense; TableError for a cell that cannot be read.
    """
    setting = checked_setting(batch, dtype, mode)
    if isinstance(network, Graph):
        own = network.tensors[network.inputs[0]].shape[0]
        if changes or batch not in {1, own}:
            raise UsageError(Problem("bad-value", f"a Graph has its sizes, and this one is for a batch of {own}"))
        graph, spec, setting = network, None, setting._replace(batch=own)
    else:
        spec = load(network, **changes)
        graph = lower(spec, batch)
    cells = [cell.strip() for cell in instead.split(";")] if isinstance(instead, str) else list(instead)
    return explained(graph, spec, setting, what, instead=[cell for cell in cells if cell], everything=everything)

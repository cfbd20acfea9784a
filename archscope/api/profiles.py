"""``profile``: the numbers of a network in a setting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from archscope.api.networks import Network, lower
from archscope.api.settings import checked_setting
from archscope.core.errors import Problem, UsageError
from archscope.graph.graph import Graph
from archscope.spec.options import Changes
from archscope.studies.profiling import DEFAULT_COLUMNS, Profile, profile_graph


def profile(
    network: Network | Graph | Any,
    batch: int | None = None,
    *,
    input: Any = None,  # noqa: A002  as load has it
    dtype: str | None = None,
    mode: str = "eval",
    columns: Sequence[str] = DEFAULT_COLUMNS,
    real: bool = False,
    upper_bound: bool = False,
    **changes: Unpack[Changes],
) -> Profile:
    """The numbers of a network, as plain data: a row per layer, and totals that the rows add up to.

    network: what load takes, a Graph, or a ``torch.nn.Module``, a factory or an address of one, as capture takes it.
    batch: examples at once, 1 when left out; MACs and activations are for all of them. A Graph has its own. input: one
    example of a module's input; see capture. dtype: of parameters and activations, for bytes; a module has its own,
    tables have float32. mode: ``train`` counts the auxiliary heads too. columns: see
    :func:`archscope.analyses.columns`. real, upper_bound: see capture. Raises UsageError for a setting that makes no
    sense, and what load raises.
    """
    if isinstance(network, Graph):
        own = network.tensors[network.inputs[0]].shape[0]
        if changes or batch not in {None, own}:
            message = f"a Graph has its sizes, and this one is for a batch of {own}"
            raise UsageError(
                Problem("bad-value", message, help="give the network itself, with the batch and the changes")
            )
        return profile_graph(network, checked_setting(own, dtype or network.dtype, mode), columns)
    setting = checked_setting(1 if batch is None else batch, dtype or "float32", mode)
    graph = lower(network, setting.batch, input=input, mode=mode, real=real, upper_bound=upper_bound, **changes)
    return profile_graph(graph, setting._replace(dtype=dtype or graph.dtype), columns)

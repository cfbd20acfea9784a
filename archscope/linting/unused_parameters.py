"""Params that no forward uses: they are stored, saved and decayed, and learn nothing."""

from __future__ import annotations

from collections.abc import Iterator

from archscope.core.arithmetic import product
from archscope.linting import WARNING, Found, Subject

LEVEL = WARNING
SOURCE = "torch.nn.parallel.DistributedDataParallel: 'Expected to have finished reduction in the prior iteration'"


def examine(subject: Subject) -> Iterator[Found]:
    """The parameters that no node of the forward in train mode reads."""
    graph = subject.graph
    if graph is None:
        return
    used = {index for node in graph.nodes for index in node.parameters.values()}
    left = [parameter for index, parameter in enumerate(graph.parameters) if index not in used]
    if left:
        total = sum(product(parameter.shape) for parameter in left)
        yield Found(
            f"{len(left)} parameter{'s' * (len(left) != 1)} that the forward never uses: {left[0].key}"
            + (" …" if len(left) > 1 else ""),
            f"{total:,} params without a gradient; training on several GPUs stops with an error at the second step",
            "use them in forward, or leave the layer out",
            place=left[0].key,
        )

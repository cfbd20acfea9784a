"""Batch norm over vectors: a last batch of one example has no variance, and training stops there."""

from __future__ import annotations

from collections.abc import Iterator

from archscope.core.arithmetic import product
from archscope.linting import WARNING, Found, Subject
from archscope.linting.sources.syntax import Script, constant, keyword_of
from archscope.ops.batchnorm import BatchNorm

LEVEL = WARNING
SOURCE = "torch.nn.functional.batch_norm: ValueError 'Expected more than 1 value per channel when training'"


def examine(subject: Subject) -> Iterator[Found]:
    """Batch norms that see one value per channel and example, unless the training loader drops the last batch."""
    graph = subject.graph
    if graph is None or (subject.script is not None and _drops_last(subject.script)):
        return
    alone = [node for node in graph.nodes if isinstance(node.op, BatchNorm) and product(graph.shape_out(node)[2:]) == 1]
    if alone:
        yield Found(
            f"{len(alone)} batch norm{'s' * (len(alone) != 1)} over one value per channel and example",
            "a data set with one example over (1,025 in batches of 32 do) ends each epoch in a ValueError",
            "DataLoader(..., drop_last=True) for training",
            place=alone[0].path,
            span=alone[0].span,
        )


def _drops_last(script: Script) -> bool:
    loaders = [call for name, call in script.calls() if name.endswith("DataLoader")]
    return any(constant(keyword_of(call, "drop_last")) is True for call in loaders)

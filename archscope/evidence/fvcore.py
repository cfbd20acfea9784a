"""fvcore's figure, reconciled: its rules, written down per op, predict what it prints, before it runs.

Its "flops" are multiply-accumulates of convolutions and FC layers, 2 per element of an inference-time batch norm, 1 per
input of an adaptive average pool, and nothing for the rest (fvcore 0.1.5, ``flop_count.py``). It traces a real forward
pass on the CPU; on meta tensors it fails.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator

from archscope.core.arithmetic import product
from archscope.evidence import AGREES, REFUTED, Case, Finding, Unavailable
from archscope.graph.graph import Graph, Node
from archscope.ops import letters

NEEDS = ("torch", "fvcore")


def examine(case: Case) -> Iterator[Finding]:
    """Its total, against what its rules give for the graph."""
    import torch

    graph = case.graph
    own = [node for node in graph.nodes if not node.side]
    _require_rules(case, own)
    predicted = sum(_flops(graph, node) for node in own)
    extra = predicted - sum(node.op.macs(*graph.shapes_in(node)) or 0 for node in own)
    args, by_name = case.inputs("cpu")
    if by_name:
        raise Unavailable("it takes no inputs by name")
    logging.getLogger("fvcore").setLevel(logging.ERROR)
    with torch.no_grad(), warnings.catch_warnings():
        # fvcore traces through torch.jit, which torch has deprecated; the user of a check can do nothing about it.
        warnings.simplefilter("ignore")
        from fvcore.nn import FlopCountAnalysis

        counted = FlopCountAnalysis(case.model("cpu"), args)
        theirs = int(counted.unsupported_ops_warnings(False).uncalled_modules_warnings(False).total())
        missed = _MISSED & counted.unsupported_ops().keys()
    if missed:
        raise Unavailable(f"it leaves out {', '.join(sorted(missed))}")
    status = AGREES if theirs == predicted else REFUTED
    why = f"{extra:,} more than the MACs: 2 per batch-norm element, 1 per adaptive-pool input" if extra else "the MACs"
    left = f"; {theirs - predicted:+,} left over" if theirs != predicted else ""
    yield Finding("fvcore", case.name, status, "flops", f"{theirs:,}", f"{predicted:,}", why + left)


LARGEST = 10**9
"""Params of the largest module that weights are allocated for here."""

_RULED = {"conv", "fc", "batchnorm", "adaptiveavgpool"}
_UNRULED = ("LayerNorm", "GroupNorm", "InstanceNorm", "upsample", "grid_sampler")
_MISSED = {"aten::_convolution_mode", "aten::scaled_dot_product_attention"}
"""Convolutions with ``padding="same"``, and fused attention: it leaves them out."""


def _require_rules(case: Case, own: list[Node]) -> None:
    """Raises Unavailable for a module with layers whose rules are not written down here, and for one that is huge."""
    if case.module is None:
        return
    for node in own:
        counts = node.parameters or node.op.macs(*case.graph.shapes_in(node))
        ruled = letters(node.op.notation or "") in _RULED or not counts
        if not ruled or type(node.op).__name__ in _UNRULED or node.op.label.startswith(_UNRULED):
            raise Unavailable(f"its rule for {node.op.label} is not written down")
    if sum(product(each.shape) for each in case.graph.parameters) > LARGEST:
        raise Unavailable(f"it needs weights, and there are more than {LARGEST:,}")


def _flops(graph: Graph, node: Node) -> int:
    op = letters(node.op.notation or "")
    if op == "batchnorm":
        return 2 * product(graph.shape_out(node))
    if op == "adaptiveavgpool":
        return product(graph.shapes_in(node)[0])
    return node.op.macs(*graph.shapes_in(node)) or 0

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
from archscope.evidence import AGREES, REFUTED, Case, Finding
from archscope.graph.graph import Graph, Node
from archscope.ops import letters

NEEDS = ("torch", "fvcore")


def examine(case: Case) -> Iterator[Finding]:
    """Its total, against what its rules give for the graph."""
    import torch

    from archscope.targets.torch_module import module_of

    graph = case.graph
    own = [node for node in graph.nodes if not node.side]
    predicted = sum(_flops(graph, node) for node in own)
    extra = predicted - sum(node.op.macs(*graph.shapes_in(node)) or 0 for node in own)
    model = module_of(graph, device="meta").eval().to_empty(device="cpu")
    logging.getLogger("fvcore").setLevel(logging.ERROR)
    with torch.no_grad(), warnings.catch_warnings():
        # fvcore traces through torch.jit, which torch has deprecated; the user of a check can do nothing about it.
        warnings.simplefilter("ignore")
        from fvcore.nn import FlopCountAnalysis

        counted = FlopCountAnalysis(model, torch.zeros(graph.tensors[graph.inputs[0]].shape))
        theirs = int(counted.unsupported_ops_warnings(False).uncalled_modules_warnings(False).total())
    status = AGREES if theirs == predicted else REFUTED
    why = f"{extra:,} more than the MACs: 2 per batch-norm element, 1 per adaptive-pool input" if extra else "the MACs"
    left = f"; {theirs - predicted:+,} left over" if theirs != predicted else ""
    yield Finding("fvcore", case.spec.name, status, "flops", f"{theirs:,}", f"{predicted:,}", why + left)


def _flops(graph: Graph, node: Node) -> int:
    op = letters(node.op.notation or "")
    if op == "batchnorm":
        return 2 * product(graph.shape_out(node))
    if op == "adaptiveavgpool":
        return product(graph.shapes_in(node)[0])
    return node.op.macs(*graph.shapes_in(node)) or 0

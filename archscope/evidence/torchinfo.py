"""torchinfo's figures, reconciled: what it counts per layer predicts what it prints, before it runs.

Its "mult-adds" of a convolution are (weights + biases) × places, those of any other layer its params × batch, biases
and norm scales included (torchinfo 1.8, ``LayerInfo.calculate_macs``). What the prediction leaves over is refuted.
"""

from __future__ import annotations

from collections.abc import Iterator

from archscope.core.arithmetic import product
from archscope.evidence import AGREES, REFUTED, Case, Finding
from archscope.graph.graph import Graph, Node

NEEDS = ("torch", "torchinfo")


def examine(case: Case) -> Iterator[Finding]:
    """Its params and its mult-adds, against what its rules give for the graph."""
    import torchinfo

    from archscope.targets.torch_module import module_of

    graph = case.graph
    own = [node for node in graph.nodes if not node.side]
    predicted = sum(_mult_adds(graph, node) for node in own)
    extra = predicted - sum(node.op.macs(*graph.shapes_in(node)) or 0 for node in own)
    params = sum(product(parameter.shape) for parameter in graph.parameters)
    model = module_of(graph, device="meta").eval()
    shape = graph.tensors[graph.inputs[0]].shape
    summary = torchinfo.summary(model, input_size=shape, device="meta", verbose=0, mode="eval")
    yield _finding(case, "params", summary.total_params, params, "")
    why = f"{extra:,} more than the MACs: a bias per place, and params of norms" if extra else "the MACs"
    yield _finding(case, "mult-adds", summary.total_mult_adds, predicted, why)


def _mult_adds(graph: Graph, node: Node) -> int:
    params = sum(product(graph.parameters[index].shape) for index in node.parameters.values())
    shape = graph.shape_out(node)
    return params * (shape[0] * product(shape[2:]) if type(node.op).__name__ == "Conv" else shape[0])


def _finding(case: Case, what: str, theirs: int, ours: int, why: str) -> Finding:
    status = AGREES if theirs == ours else REFUTED
    left = f"; {theirs - ours:+,} left over" if theirs != ours else ""
    return Finding("torchinfo", case.spec.name, status, what, f"{theirs:,}", f"{ours:,}", why + left)

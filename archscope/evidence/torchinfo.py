"""torchinfo's figures, reconciled: what it counts per layer predicts what it prints, before it runs.

Its "mult-adds" of a convolution are (weights + biases) × places, those of any other layer its params × batch, biases
and norm scales included (torchinfo 1.8, ``LayerInfo.calculate_macs``). What the prediction leaves over is refuted.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archscope.core.arithmetic import product
from archscope.evidence import AGREES, REFUTED, Case, Finding, Unavailable
from archscope.graph.graph import Graph, Node

NEEDS = ("torch", "torchinfo")


def examine(case: Case) -> Iterator[Finding]:
    """Its params and its mult-adds, against what its rules give for the graph."""
    import torchinfo

    graph = case.graph
    own = [node for node in graph.nodes if not node.side]
    predicted = sum(_mult_adds(graph, node) for node in own)
    extra = predicted - sum(node.op.macs(*graph.shapes_in(node)) or 0 for node in own)
    params = sum(product(parameter.shape) for parameter in graph.parameters)
    model = case.model()
    _require_rules(case, model)
    args, named = case.inputs()
    summary = torchinfo.summary(model, input_data=args or named, device="meta", verbose=0, mode="eval")
    yield _finding(case, "params", summary.total_params, params, "")
    less = f"{-extra:,} fewer than the MACs: weights of FC layers times examples, not places"
    more = f"{extra:,} more than the MACs: a bias per place, and params of norms"
    why = more if extra > 0 else less if extra else "the MACs"
    yield _finding(case, "mult-adds", summary.total_mult_adds, predicted, why)


def _require_rules(case: Case, model: Any) -> None:
    """Raises Unavailable for a module with what its rules for layers do not say: products without a layer, reuse."""
    if case.module is None:
        return
    layers = dict(model.named_modules())
    seen: set[int] = set()
    for node in case.graph.nodes:
        own = set(node.parameters.values())
        if not own and not node.op.macs(*case.graph.shapes_in(node)):
            continue
        layer = layers.get(node.path)
        if layer is None or len(own) != len(list(layer.parameters())) or not own or own & seen:
            raise Unavailable(f"it only knows layers that run once, and {node.path} is none")
        seen |= own
    if case.graph.idle_parameters():
        raise Unavailable("it only knows layers that run once, and some never do")


def _mult_adds(graph: Graph, node: Node) -> int:
    params = sum(product(graph.parameters[index].shape) for index in node.parameters.values())
    shape = graph.shape_out(node)
    return params * (shape[0] * product(shape[2:]) if type(node.op).__name__ in _CONVOLUTIONS else shape[0])


_CONVOLUTIONS = {"Conv", "Convolution", "ConvTranspose"}


def _finding(case: Case, what: str, theirs: int, ours: int, why: str) -> Finding:
    status = AGREES if theirs == ours else REFUTED
    left = f"; {theirs - ours:+,} left over" if theirs != ours else ""
    return Finding("torchinfo", case.name, status, what, f"{theirs:,}", f"{ours:,}", why + left)

"""torch's own counter on the built module: parameters, output shapes by hooks, and FlopCounterMode, on meta tensors.

On the meta device it misses nothing that a convolution, a matrix product or attention does; on the CPU it does.
"""

from __future__ import annotations

from collections.abc import Iterator

from archscope.core.arithmetic import product
from archscope.evidence import AGREES, REFUTED, Case, Finding
from archscope.graph.graph import Graph

NEEDS = ("torch",)


def examine(case: Case) -> Iterator[Finding]:
    """Params, MACs of every layer and in total, and the output shape of every layer, against the graph's."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from archscope.targets.torch_module import module_of

    graph = case.graph
    model = module_of(graph, device="meta").eval()
    shapes: dict[str, tuple[int, ...]] = {}
    for path, module in model.named_modules():
        module.register_forward_hook(lambda _m, _i, out, path=path: shapes.__setitem__(path, tuple(out.shape)))
    counter = FlopCounterMode(display=False, depth=100)
    with torch.no_grad(), counter:
        model(torch.empty(graph.tensors[graph.inputs[0]].shape, device="meta"))
    yield _finding(case, "params", sum(p.numel() for p in model.parameters()), _params(graph))
    own = [node for node in graph.nodes if not node.side]
    macs = {node.path: node.op.macs(*graph.shapes_in(node)) for node in own}
    yield _finding(case, "macs", counter.get_total_flops() // 2, sum(each or 0 for each in macs.values()))
    counted = counter.get_flop_counts()
    wrong = [path for path, each in macs.items() if path in shapes and sum(_of(counted, model, path)) // 2 != each]
    yield _listed(case, "macs of each layer", len(macs), wrong)
    wrong = [node.path for node in own if shapes.get(node.path, graph.shape_out(node)) != graph.shape_out(node)]
    yield _listed(case, "output of each layer", len(shapes), wrong)


def _of(counted: dict[str, dict[object, int]], model: object, path: str) -> list[int]:
    return list(counted.get(f"{type(model).__name__}.{path}", {}).values())


def _params(graph: Graph) -> int:
    return sum(product(parameter.shape) for parameter in graph.parameters)


def _finding(case: Case, what: str, theirs: int, ours: int) -> Finding:
    status = AGREES if theirs == ours else REFUTED
    return Finding("flop_counter", case.spec.name, status, what, f"{theirs:,}", f"{ours:,}")


def _listed(case: Case, what: str, count: int, wrong: list[str]) -> Finding:
    status = REFUTED if wrong else AGREES
    return Finding("flop_counter", case.spec.name, status, what, f"{count} layers", ", ".join(wrong[:5]) or "all equal")

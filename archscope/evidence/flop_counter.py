"""torch's own counter on the module: parameters, output shapes by hooks, and FlopCounterMode, on meta tensors.

On the meta device it misses nothing that a convolution, a matrix product or attention does; on the CPU it does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from archscope.core.arithmetic import product
from archscope.evidence import AGREES, REFUTED, Case, Finding
from archscope.graph.graph import Graph, Node

NEEDS = ("torch",)


def examine(case: Case) -> Iterator[Finding]:
    """Params, MACs in total and of every module, and the output shape of every layer, against the graph's."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    graph = case.graph
    model = case.model().requires_grad_(requires_grad=False)  # else its module tracker fails on parameters as inputs
    shapes: dict[str, tuple[int, ...]] = {}
    names = {path for path, _ in model.named_modules()} & _named_once(model)
    for path, module in model.named_modules():
        module.register_forward_hook(lambda _m, _i, out, path=path: _note(shapes, path, out))
    counter = FlopCounterMode(display=False, depth=100)
    args, named = case.inputs()
    with torch.no_grad(), counter:
        model(*args, **named)
    yield _finding(case, "params", sum(p.numel() for p in model.parameters()), _params(graph))
    own = [node for node in graph.nodes if not node.side]
    macs = {id(node): node.op.macs(*graph.shapes_in(node)) or 0 for node in own}
    yield _finding(case, "macs", counter.get_total_flops() // 2, sum(macs.values()))
    counted = counter.get_flop_counts()
    ours = _by_module(graph, own, macs)
    checked = sorted(names & shapes.keys())
    wrong = [path for path in checked if sum(_of(counted, model, path)) // 2 != ours[path]]
    yield _listed(case, "macs of each module", len(checked), wrong)
    layers = [node for node in own if node.path in shapes and node.path in names]
    wrong = [node.path for node in layers if shapes[node.path] != graph.shape_out(node)]
    yield _listed(case, "output of each layer", len(layers), wrong)


def _note(shapes: dict[str, tuple[int, ...]], path: str, out: Any) -> None:
    shapes[path] = tuple(getattr(out, "shape", ()))


def _named_once(model: Any) -> set[str]:
    """The modules with one name: of the others the counter keeps the last name, whichever ran."""
    names: dict[int, list[str]] = {}
    for path, module in model.named_modules(remove_duplicate=False):
        names.setdefault(id(module), []).append(path)
    return {paths[0] for paths in names.values() if len(paths) == 1 and paths[0]}


def _by_module(graph: Graph, nodes: list[Node], macs: dict[int, int]) -> Counter[str]:
    """The MACs within each module, by its path."""
    found: Counter[str] = Counter()
    for node in nodes:
        paths, scope = {node.path}, node.scope
        while scope >= 0:
            paths.add(graph.scopes[scope].path)
            scope = graph.scopes[scope].parent
        for path in paths:
            found[path] += macs[id(node)]
    return found


def _of(counted: dict[str, dict[object, int]], model: object, path: str) -> list[int]:
    return list(counted.get(f"{type(model).__name__}.{path}", {}).values())


def _params(graph: Graph) -> int:
    return sum(product(parameter.shape) for parameter in graph.parameters)


def _finding(case: Case, what: str, theirs: int, ours: int) -> Finding:
    status = AGREES if theirs == ours else REFUTED
    return Finding("flop_counter", case.name, status, what, f"{theirs:,}", f"{ours:,}")


def _listed(case: Case, what: str, count: int, wrong: list[str]) -> Finding:
    status = REFUTED if wrong else AGREES
    return Finding("flop_counter", case.name, status, what, f"{count} of them", ", ".join(wrong[:5]) or "all equal")

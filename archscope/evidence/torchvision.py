"""torchvision's network of the same name: weights metadata, state-dict keys and shapes, equal outputs; of a module of
its own, the metadata.

``num_params`` of the metadata counts GoogLeNet without its auxiliary heads and Inception v3 with its one; ``_ops`` are
billions of multiply-accumulates, though the documentation heads them GFLOPS.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from archscope.core.arithmetic import product
from archscope.evidence import AGREES, REFUTED, Case, Finding, Unavailable
from archscope.graph.graph import Graph
from archscope.graph.lowering import lower
from archscope.spec.knobs import turned
from archscope.spec.network import Spec
from archscope.spec.options import Options

NEEDS = ("torch", "torchvision")


def examine(case: Case) -> Iterator[Finding]:
    """Metadata, state dict and outputs. Unavailable where torchvision has no such network."""
    if case.spec is None:
        yield from _of_module(case)
        return
    name = case.spec.torchvision
    if not name:
        raise Unavailable("torchvision has no such network")
    import torch
    import torchvision

    if name not in torchvision.models.list_models(module=torchvision.models):  # a table may say anything
        raise Unavailable(f"torchvision has no {name!r}")
    with torch.device("meta"):
        theirs = _built(torchvision.models, name)
    found = _state_dict(case, theirs.state_dict())
    yield found
    if found.status != AGREES:
        return  # it is another network: of its numbers and outputs nothing is to be expected
    yield from _metadata(case, case.spec, torchvision.models.get_model_weights(name))
    yield _outputs(case, case.spec, torchvision.models, name)


def _of_module(case: Case) -> Iterator[Finding]:
    """The metadata of its own weights, against what was captured of its own module."""
    home, _, name = case.address.partition("(")[0].rpartition(":")
    if not home.startswith("torchvision.models"):
        raise Unavailable("it is none of torchvision's networks")
    if case.address.partition("(")[2] not in {"", ")", "init_weights=False)", "weights=None)"}:
        raise Unavailable("its metadata is of the network without arguments")
    from torchvision import models

    from archscope.capturing.walk import Manner, walked

    weights = list(models.get_model_weights(name))
    sides = [getattr(each.transforms(), "crop_size", [0])[0] for each in weights]
    given = case.graph.tensors[case.graph.inputs[0]].shape[-1]
    at = sides.index(given) if given in sides else 0
    params = sum(product(each.shape) for each in case.graph.parameters)
    without = params - sum(product(each.shape) for each in case.graph.idle_parameters())
    theirs = weights[at].meta["num_params"]
    ours = params if theirs == params else without
    why = "" if without == params else f"{'with' if ours == params else 'without'} what only runs in training"
    yield _finding(case, "num_params", f"{theirs:,}", f"{ours:,}", ours == theirs, why)
    side = sides[at]
    if not side:
        raise Unavailable("its metadata says no input size")
    graph = case.graph if side == given else walked(case.module, (3, side, side), Manner())
    yield _published_macs(case, weights[at].meta["_ops"], _macs(graph), side)


def _published_macs(case: Case, theirs: float, ours: int, side: int) -> Finding:
    agrees = round(ours / 1e9, 3) == theirs
    return _finding(case, "_ops", f"{theirs} G", f"{ours:,}", agrees, f"multiply-accumulates at {side}×{side}")


def _built(models: Any, name: str) -> Any:
    options = {"init_weights": False} if name in {"googlenet", "inception_v3"} else {}
    return models.get_model(name, weights=None, **options).eval()


def _state_dict(case: Case, theirs: dict[str, Any]) -> Finding:
    ours = {each.key: each.shape for each in case.graph.parameters}
    ours |= {each.key: each.shape for each in case.graph.buffers}
    wrong = sorted(key for key in theirs.keys() | ours.keys() if key not in ours or key not in theirs)
    wrong += [key for key in ours if key in theirs and tuple(theirs[key].shape) != ours[key]]
    computed = f"{len(wrong)} keys differ: {', '.join(wrong[:4])}" if wrong else f"{len(ours)} keys"
    return _finding(case, "state dict", f"{len(theirs)} keys", computed, not wrong)


def _metadata(case: Case, spec: Spec, weights: Any) -> Iterator[Finding]:
    graph, chosen = case.graph, weights["IMAGENET1K_V1"]
    with_heads = sum(product(each.shape) for each in graph.parameters)
    heads = {index for node in graph.nodes if node.side for index in node.parameters.values()}
    without = with_heads - sum(product(graph.parameters[index].shape) for index in heads)
    theirs = chosen.meta["num_params"]
    why = "" if with_heads == without else f"{'with' if theirs == with_heads else 'without'} auxiliary heads"
    ours = with_heads if theirs == with_heads else without
    yield _finding(case, "num_params", f"{theirs:,}", f"{ours:,}", ours == theirs, why)
    side = chosen.transforms().crop_size[0]
    macs = _macs(lower(replace(spec, input_shape=(spec.input_shape[0], side, side))))
    yield _published_macs(case, chosen.meta["_ops"], macs, side)


def _finding(case: Case, what: str, theirs: str, ours: str, agrees: bool, why: str = "") -> Finding:
    return Finding("torchvision", case.name, AGREES if agrees else REFUTED, what, theirs, ours, why)


def _logits(spec: Spec) -> Spec:
    """Without the table's soft-max, which is no layer of torchvision's."""
    return turned(spec, Options(softmax=False))


def _macs(graph: Graph) -> int:
    return sum(node.op.macs(*graph.shapes_in(node)) or 0 for node in graph.nodes if not node.side)


def _outputs(case: Case, spec: Spec, models: Any, name: str) -> Finding:
    """Both networks with the same random weights on the same random image, in eval mode on the CPU."""
    import torch

    from archscope.targets.torch_module import module_of

    generator = torch.Generator().manual_seed(0)
    theirs, ours = _built(models, name), module_of(lower(_logits(spec))).eval()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    image = torch.rand(case.graph.tensors[case.graph.inputs[0]].shape, generator=generator)
    with torch.no_grad():
        equal = torch.equal(theirs(image), ours(image))
    computed = "equal, bit for bit" if equal else "different"
    return _finding(case, "outputs", "on one random image", computed, equal)

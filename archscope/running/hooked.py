"""What layers of a network make of an image: maps taken while it runs, and where it looks for a class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from archscope.core.errors import Problem, UsageError, nearest
from archscope.graph.graph import Graph

if TYPE_CHECKING:
    import torch
    from torch import nn


class Maps(NamedTuple):
    """The output of a layer for one image: (channels, height, width)."""

    name: str
    values: torch.Tensor


class ClassMap(NamedTuple):
    """Where a network looks for a class: (height, width) of the last maps, from 0 to 1; the class and its share.

    name: what the class is called, where that is known.
    """

    layer: str
    values: torch.Tensor
    number: int
    share: float
    name: str = ""

    @property
    def title(self) -> str:
        """``class 3``, ``class 3 (cat)``."""
        return f"class {self.number} ({self.name})" if self.name else f"class {self.number}"


def pools(graph: Graph) -> list[str]:
    """The names of the layers that make maps smaller without weights, auxiliary heads aside."""
    found = []
    for node in graph.nodes:
        before, after = graph.shapes_in(node)[0], graph.shape_out(node)
        pooled = node.op.window is not None and not node.op.weight_layer and not node.side
        if pooled and len(after) == 4 and after[2:] != before[2:] and after[2] * after[3] > 1:
            found.append(node.name)
    return found


def chosen(graph: Graph, names: Sequence[str]) -> dict[str, str]:
    """The modules of layers and blocks, by the names that were given. Raises UsageError for what makes no maps."""
    known: dict[str, tuple[str, tuple[int, ...], bool]] = {}
    for scope in graph.scopes[1:]:
        if scope.outputs:
            shape = graph.tensors[scope.outputs[0]].shape
            known |= dict.fromkeys((scope.path, scope.name or scope.path), (scope.path, shape, not scope.side))
    for node in graph.nodes:
        is_module = node.op.torch(*graph.shapes_in(node)).is_module and not node.side
        known |= dict.fromkeys((node.path, node.name), (node.path, graph.shape_out(node), is_module))
    found = {}
    for name in names:
        if name not in known:
            helps = nearest(name, known)
            raise UsageError(Problem("unknown-layer", f"{graph.name} has no layer {name!r}", help=helps))
        path, shape, able = known[name]
        if len(shape) != 4:
            message = f"{name} makes a vector, and maps are drawn of layers with height and width"
            raise UsageError(Problem("no-maps", message))
        if not able:
            message = f"{name} is no module that runs in inference"
            raise UsageError(Problem("no-maps", message, help="name the block that it is in"))
        found[name] = path
    return found


def maps_of(model: nn.Module, image: torch.Tensor, layers: dict[str, str]) -> list[Maps]:
    """What layers make of one image (1, channels, height, width); layers: modules by name, in the order wanted."""
    import torch

    taken: dict[str, torch.Tensor] = {}
    handles = []
    for name, path in layers.items():

        def keep(_: nn.Module, __: Any, result: torch.Tensor, name: str = name) -> None:
            taken[name] = result.detach()[0].clone()  # what follows may work in place

        handles.append(model.get_submodule(path).register_forward_hook(keep))
    try:
        with torch.inference_mode():
            model.eval()(image)
    finally:
        for handle in handles:
            handle.remove()
    return [Maps(name, taken[name]) for name in layers]


def class_map(model: nn.Module, image: torch.Tensor, graph: Graph, wanted: int | None) -> ClassMap:
    """Grad-CAM (arXiv:1610.02391) on the last maps, weighted by the class's mean gradient; what is below 0 is cut.

    For a network that ends in a global average pool and one FC layer it is the class activation map of
    arXiv:1512.04150, up to a factor. wanted: the class; the most likely one for None. Raises UsageError for a class
    that there is not, and for a network without maps. Where the network makes a map of scores, their mean counts.
    """
    import torch

    last = _last_maps(graph)
    kept: list[torch.Tensor] = []

    def keep(_: nn.Module, __: Any, result: torch.Tensor) -> torch.Tensor:
        kept.append(result)
        return result.clone()  # what follows may work in place

    handle = model.get_submodule(last).register_forward_hook(keep)
    try:
        with torch.enable_grad():
            scores = model.eval()(image.requires_grad_())[0]
            logits = scores.flatten(1).mean(1) if scores.dim() > 1 else scores
            number = int(logits.argmax()) if wanted is None else wanted
            if not 0 <= number < len(logits):
                expected = f"a whole number from 0 to {len(logits) - 1}, or top"
                raise UsageError(Problem("bad-value", f"{graph.name} has no class {number}", expected=expected))
            (gradient,) = torch.autograd.grad(logits[number], kept[0])
    finally:
        handle.remove()
    weighted = (kept[0] * gradient.mean((2, 3), keepdim=True)).sum(1)[0].clamp(min=0).detach()
    largest = weighted.max()
    share = float(logits.softmax(0)[number].detach())
    return ClassMap(last, weighted / largest if largest > 0 else weighted, number, share)


def _last_maps(graph: Graph) -> str:
    """The module, a layer or a block, that makes the last maps larger than one position."""
    blocks = {scope.outputs[0]: scope.path for scope in graph.scopes[1:] if scope.outputs}
    for node in reversed(graph.nodes):
        shape = graph.shape_out(node)
        path = node.path if node.op.torch(*graph.shapes_in(node)).is_module else blocks.get(node.outputs[0], "")
        if path and not node.side and len(shape) == 4 and shape[2] * shape[3] > 1:
            return path
    raise UsageError(Problem("no-maps", f"{graph.name} has no layer that makes maps"))

"""Weights into a built module: torchvision's through its own API, or a state dict from a file."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from archscope.core.errors import ArchscopeError, Problem, UnknownName, Unsupported
from archscope.graph.graph import Graph
from archscope.spec.knobs import with_input_transform
from archscope.spec.naming import named
from archscope.spec.network import Spec

if TYPE_CHECKING:
    import torch

    Weights = Mapping[str, torch.Tensor]


def with_transform(spec: Spec) -> Spec:
    """The spec with the input transform that torchvision applies together with its weights, where it has one."""
    return named(with_input_transform(spec)) if spec.transform_input else spec


def load_weights(model: torch.nn.Module, graph: Graph, spec: Spec | None, weights: str) -> None:
    """Loads ``"torchvision"``, or the state dict in the file ``weights``, into the module made of ``graph``.

    Every key must fit, but for heads with another number of classes: these stay random, and a warning lists them.
    Weights of auxiliary heads that the network was asked to do without are left out. FC weights go into the
    convolutions of a dense network. Raises Unsupported where torchvision has no such network or the keys differ,
    UnknownName for a file that is not there, ArchscopeError for what cannot be downloaded or read.
    """
    state = _torchvision(spec) if weights == "torchvision" else _file(weights)
    own = model.state_dict()
    fitting = _reshaped(_without_missing_heads(state, own), own)
    heads = _head_keys(graph)
    random = sorted(key for key in heads if key in fitting and fitting[key].shape != own[key].shape)
    kept = {key: value for key, value in fitting.items() if key not in random}
    wrong = _differences(kept, own, random)
    if wrong:
        message = f"the weights of {weights} do not fit {graph.name}: {'; '.join(wrong[:5])}"
        raise Unsupported(Problem("weights-do-not-fit", message))
    model.load_state_dict(kept, strict=False)
    if random:
        warnings.warn(f"not loaded, since the number of classes differs: {', '.join(random)}", stacklevel=3)


def _torchvision(spec: Spec | None) -> Weights:
    if spec is None or not spec.torchvision:
        name = "a graph" if spec is None else spec.name
        raise Unsupported(Problem("no-weights", f"torchvision has no weights for {name}", help=_accepting(spec)))
    import torchvision

    chosen = torchvision.models.get_model_weights(spec.torchvision).DEFAULT
    try:
        state: Weights = chosen.get_state_dict(progress=False, check_hash=True)
    except OSError as error:
        message = f"cannot download {chosen.url}: {error}"
        raise ArchscopeError(
            Problem("no-download", message, help="give the path of a downloaded file instead")
        ) from error
    return state


def _accepting(spec: Spec | None) -> str:
    """The network of the same paper that does take torchvision's weights."""
    from archscope import catalog
    from archscope.spec.compiler import networks

    if spec is None:
        return ""
    stem = spec.name.partition("_")[0]
    able = [
        name
        for name, entry in catalog.everything().items()
        if name.partition("_")[0] == stem and networks(entry.table)[name].get("torchvision")
    ]
    return f"{', '.join(able)} accepts them" if able else ""


def _file(path: str) -> Weights:
    import torch

    if not Path(path).is_file():
        raise UnknownName(
            Problem("unknown-weights", f"weights is {path!r}", expected="torchvision, or the path of a state dict")
        )
    try:
        # weights_only refuses to unpickle anything but tensors and plain values.
        state: Weights = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError) as error:
        first = str(error).split("\n", maxsplit=1)[0]
        raise ArchscopeError(Problem("unreadable-weights", f"{path!r} is no state dict: {first}")) from error
    if not isinstance(state, Mapping) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise ArchscopeError(
            Problem("unreadable-weights", f"{path!r} holds no state dict, but a {type(state).__name__}")
        )
    return state


def _without_missing_heads(state: Weights, own: Weights) -> dict[str, torch.Tensor]:
    """Without the auxiliary heads that the module was built without."""
    ours = {key.partition(".")[0] for key in own}
    heads = {key.partition(".")[0] for key in state} - ours
    return {
        key: value
        for key, value in state.items()
        if key.partition(".")[0] not in heads or not key.lower().startswith("aux")
    }


def _reshaped(state: dict[str, torch.Tensor], own: Weights) -> dict[str, torch.Tensor]:
    """FC matrices as kernels, for a module whose FC layers are convolutions: the same numbers in the same order."""
    return {
        key: value.reshape(own[key].shape)
        if key in own and value.dim() == 2 and own[key].dim() == 4 and value.numel() == own[key].numel()
        else value
        for key, value in state.items()
    }


def _head_keys(graph: Graph) -> set[str]:
    """State-dict keys of the last layers with weights, of the network and of each auxiliary head."""
    last: dict[int, list[int]] = {}
    for node in graph.nodes:
        if node.op.weight_layer:
            last[_head(graph, node.scope)] = list(node.parameters.values())
    return {graph.parameters[index].key for indices in last.values() for index in indices}


def _head(graph: Graph, scope: int) -> int:
    """The auxiliary head that a scope lies in; 0 for the network itself."""
    while scope > 0 and (not graph.scopes[scope].side or graph.scopes[graph.scopes[scope].parent].side):
        scope = graph.scopes[scope].parent
    return max(scope, 0)


def _differences(state: Weights, own: Weights, random: list[str]) -> list[str]:
    missing = [f"{key} is missing" for key in own if key not in state and key not in random]
    unknown = [f"{key} has no place" for key in state if key not in own]
    shapes = [
        f"{key} is {tuple(state[key].shape)} and must be {tuple(own[key].shape)}"
        for key in state
        if key in own and state[key].shape != own[key].shape
    ]
    return [*missing, *unknown, *shapes]

"""Weights into a built module: torchvision's through its own API, or a state dict from a file."""

from __future__ import annotations

import pickle
import re
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archscope.core.errors import ArchscopeError, Problem, UnknownName, Unsupported
from archscope.graph.graph import Graph
from archscope.spec.knobs import with_input_transform
from archscope.spec.naming import named
from archscope.spec.network import Spec
from archscope.targets.stored import refuse_costly

if TYPE_CHECKING:
    import torch

    Weights = Mapping[str, torch.Tensor]


def with_transform(spec: Spec) -> Spec:
    """The spec with the input transform that torchvision applies together with its weights, where it has one."""
    return named(with_input_transform(spec)) if spec.transform_input else spec


def load_weights(
    model: torch.nn.Module,
    graph: Graph,
    spec: Spec | None,
    weights: str,
    relatives: Callable[[str], list[str]] = lambda _: [],
) -> None:
    """Loads ``"torchvision"``, or the state dict in the file ``weights``, into the module made of ``graph``.

    Every key must fit, but for heads with another number of classes: these stay random, and a warning lists them.
    Weights of auxiliary heads that the network was asked to do without are left out. FC weights go into the
    convolutions of a dense network. relatives: the networks named like one that torchvision has weights for.

    Raises Unsupported where torchvision has no such network or the keys differ, UnknownName for a file that is not
    there, ArchscopeError for what cannot be downloaded or read.
    """
    state = _torchvision(spec, relatives) if weights == "torchvision" else _file(weights)
    own = model.state_dict()
    fitting = _reshaped(_without_missing_heads(state, own), own)
    heads = _head_keys(graph)
    random = sorted(key for key in heads if key in fitting and _of_other_classes(fitting[key], own[key]))
    kept = {key: value for key, value in fitting.items() if key not in random}
    wrong = _differences(kept, own, random)
    if wrong:
        listed = [*wrong[:5], f"and {len(wrong) - 5} more"] if len(wrong) > 5 else wrong
        message = f"the weights of {weights} do not fit {graph.name}: {'; '.join(listed)}"
        raise Unsupported(Problem("weights-do-not-fit", message))
    model.load_state_dict(kept, strict=False)
    if random:
        warnings.warn(f"not loaded, since the number of classes differs: {', '.join(random)}", stacklevel=3)


def require_cached(spec: Spec) -> None:
    """Raises Unsupported where torchvision's weights are not in torch's cache, and says what fetches them."""
    if not spec.torchvision:
        return  # load_weights says which networks have some
    import torch

    url = _own_weights(spec).url
    path = Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]
    if not path.is_file():
        message = f"torchvision's weights of {spec.name} are not in {str(path.parent)!r}"
        raise Unsupported(Problem("not-downloaded", message, help=f"--download fetches {url}"))


def _own_weights(spec: Spec) -> Any:
    """Torchvision's weights for a network. Raises Unsupported where its table names one that torchvision has not."""
    import torchvision

    try:
        return torchvision.models.get_model_weights(spec.torchvision).DEFAULT
    except ValueError as error:
        message = f"torchvision has no {spec.torchvision!r}, whose weights {spec.name} should take"
        raise Unsupported(Problem("no-weights", message)) from error


def _torchvision(spec: Spec | None, relatives: Callable[[str], list[str]]) -> Weights:
    if spec is None:
        raise Unsupported(Problem("no-weights", "a graph does not say which of torchvision's weights are its own"))
    if not spec.torchvision:
        able = ", ".join(relatives(spec.name))
        message = f"torchvision has no weights for {spec.name}"
        raise Unsupported(Problem("no-weights", message, help=f"{able} accepts them" if able else ""))
    from http.client import HTTPException

    chosen = _own_weights(spec)
    try:
        state: Weights = chosen.get_state_dict(progress=False, check_hash=True)
    except (OSError, HTTPException, RuntimeError) as error:  # the last for a file whose hash is wrong
        message = f"cannot download {chosen.url}: {error}"
        extra = ", with transform_input=True" if spec.transform_input else ""
        help_line = f"give the path of a downloaded file instead{extra}"
        raise ArchscopeError(Problem("no-download", message, help=help_line)) from error
    return state


def _file(path: str) -> Weights:
    import torch

    if not Path(path).is_file():
        what = ", a directory" if Path(path).is_dir() else ""
        message = f"weights is {path!r}{what}"
        raise UnknownName(Problem("unknown-weights", message, expected="torchvision, or the path of a state dict"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a format that torch no longer writes: it is read, or it is refused
            with Path(path).open("rb") as file:
                refuse_costly(file, older=True)
                # weights_only refuses to unpickle anything but tensors and plain values.
                state: Weights = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file makes torch raise whatever comes
        raise ArchscopeError(Problem("unreadable-weights", f"{path!r} is no state dict: {_reason(error)}")) from error
    if not isinstance(state, Mapping) or not all(
        isinstance(key, str) and isinstance(value, torch.Tensor) for key, value in state.items()
    ):
        kind = type(state).__name__
        raise ArchscopeError(Problem("unreadable-weights", f"{path!r} holds no state dict, but a {kind}"))
    return state


def _reason(error: Exception) -> str:
    """Why torch did not read a file. Its own words for what it refuses explain how to run it; ours do not."""
    if not isinstance(error, pickle.UnpicklingError):
        return str(error).split("\n", maxsplit=1)[0] or type(error).__name__
    call = re.search(r"GLOBAL ([\w.]+)", str(error))
    return f"it would run {call[1]}, and was not opened" if call else "it is damaged, or holds more than tensors"


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


def _of_other_classes(given: torch.Tensor, wanted: torch.Tensor) -> bool:
    """Whether two weights or biases of a last layer differ in their number of outputs, and in nothing else."""
    return given.shape[:1] != wanted.shape[:1] and given.shape[1:] == wanted.shape[1:]


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

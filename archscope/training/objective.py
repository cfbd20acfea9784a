"""What a training makes small: cross-entropy of the main head, and of auxiliary ones by their names and weight."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from archscope.core.errors import Problem, Unsupported

if TYPE_CHECKING:
    import torch

MAIN = "logits"
"""The name of the main head, as torchvision's outputs have it."""


class Losses(NamedTuple):
    """The losses of a batch. total: what is made small; heads: cross-entropy by head; correct: of the main head."""

    total: torch.Tensor
    heads: dict[str, torch.Tensor]
    correct: torch.Tensor


def heads_of(outputs: Any) -> dict[str, torch.Tensor]:
    """The logits of each head by name, the main one first: of a tensor, a named tuple or a mapping.

    Raises Unsupported for a tuple without names, and where nothing is called ``logits``.
    """
    import torch

    if isinstance(outputs, torch.Tensor):
        return {MAIN: outputs}
    named = outputs._asdict() if hasattr(outputs, "_asdict") else outputs
    if not isinstance(named, Mapping):
        message = f"not supported: a forward that returns {type(outputs).__name__}, whose parts have no names"
        raise Unsupported(Problem("unnamed-outputs", message, help=f"a tensor, or a named tuple with {MAIN!r}"))
    found = {name: each for name, each in named.items() if isinstance(each, torch.Tensor)}
    if MAIN not in found:
        message = f"not supported: outputs {', '.join(found) or 'of no tensor'}, none of them called {MAIN!r}"
        raise Unsupported(Problem("no-logits", message))
    return {MAIN: found.pop(MAIN), **found}


def losses_of(outputs: Any, labels: torch.Tensor, aux_weight: float, smoothing: float = 0.0) -> Losses:
    """The losses of what a forward returned: main + aux_weight × each auxiliary one.

    labels: int64 [N]. Heads are [N, classes].
    """
    from torch.nn.functional import cross_entropy

    heads = heads_of(outputs)
    found = {name: cross_entropy(each, labels, label_smoothing=smoothing) for name, each in heads.items()}
    total = found[MAIN]
    for name, loss in found.items():
        total = total if name == MAIN else total + aux_weight * loss
    correct = (heads[MAIN].argmax(1) == labels).sum()
    return Losses(total, {name: loss.detach() for name, loss in found.items()}, correct)

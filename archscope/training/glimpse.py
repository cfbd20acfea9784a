"""What one forward and backward pass shows of a model, by layer and by parameter; nothing is updated."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from archscope.training.objective import MAIN, heads_of

if TYPE_CHECKING:
    import torch
    from torch import nn


@dataclass
class Layer:
    """A module without parts, in its first call. Numbers are of its output.

    units: channels, or features. rms: of all values; spread: how much a value differs between examples, the root of its
    mean variance; dead: the share of its units that are 0 for every example and place; gradient: rms of the loss's by
    it, None where none comes. finite_in, finite_out: whether all values are numbers.
    """

    path: str
    kind: str
    units: int
    rms: float
    spread: float
    dead: float
    finite_in: bool
    finite_out: bool
    gradient: float | None = None


class Weight(NamedTuple):
    """A parameter and its gradient's norm, None where none came. ran: whether its module did."""

    key: str
    norm: float
    gradient: float | None
    trainable: bool
    ran: bool


class Answers(NamedTuple):
    """What a head says for a batch. sums_to_one: every row is a distribution. least: its smallest value.
    zeros: the share that is exactly 0.

    attached: whether a gradient can flow into it. shared: of the parameters
    that its own loss reaches, how many the main head's reaches as well; None for a single head.
    """

    head: str
    outputs: int
    loss: float
    sums_to_one: bool
    least: float
    zeros: float
    attached: bool
    shared: int | None = None


@dataclass
class Glimpse:
    """All of it, for one batch in train mode."""

    layers: list[Layer] = field(default_factory=list)
    weights: list[Weight] = field(default_factory=list)
    heads: list[Answers] = field(default_factory=list)

    @property
    def main(self) -> Answers:
        """The main head."""
        return self.heads[0]


def glimpse(model: nn.Module, x: torch.Tensor, labels: torch.Tensor, aux_weight: float) -> Glimpse:
    """Looks at a model on a batch; its buffers change, its parameters do not, and its gradients are gone after it."""
    import torch

    found = Glimpse()
    model.train()
    model.zero_grad(set_to_none=True)
    with watched(model, found.layers) as ran:
        heads = heads_of(model(x))
    found.heads = [_answers(name, logits, labels) for name, logits in heads.items()]
    if len(heads) > 1 and _fit(heads, labels):
        found.heads = _with_shared(found.heads, heads)
    total = _total(heads, labels, aux_weight)
    if total is not None and total.requires_grad and bool(torch.isfinite(total)):
        torch.autograd.backward(total)
    homes = {id(own): path in ran for path, module in model.named_modules() for own in module.parameters(recurse=False)}
    found.weights = [
        Weight(key, _norm(each), None if each.grad is None else _norm(each.grad), each.requires_grad, homes[id(each)])
        for key, each in model.named_parameters()
    ]
    model.zero_grad(set_to_none=True)
    return found


@contextmanager
def watched(model: nn.Module, layers: list[Layer]) -> Iterator[set[str]]:
    """While this lasts, every first call of a module without parts adds a layer; gives the paths of all that ran."""
    ran: set[str] = set()
    handles = [
        module.register_forward_hook(partial(_note, layers, ran, path)) for path, module in model.named_modules()
    ]
    try:
        yield ran
    finally:
        for handle in handles:
            handle.remove()


def _note(layers: list[Layer], ran: set[str], path: str, module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
    import torch

    first = path not in ran
    ran.add(path)
    if not first or not isinstance(output, torch.Tensor) or not output.is_floating_point():
        return
    if next(module.children(), None) is not None:
        return
    values = output.detach().float()
    inputs = [each for each in args if isinstance(each, torch.Tensor)]
    in_place = any(each.data_ptr() == output.data_ptr() for each in inputs)
    finite = bool(torch.isfinite(values).all())
    layer = Layer(
        path=path,
        kind=type(module).__name__,
        units=values.shape[1] if values.dim() > 1 else 1,
        rms=float(values.square().mean().sqrt()),
        spread=float(values.var(0, correction=0).mean().sqrt()) if len(values) > 1 else 0.0,
        dead=_dead(values),
        finite_in=in_place or all(bool(torch.isfinite(each).all()) for each in inputs),
        finite_out=finite,
    )
    layers.append(layer)
    if output.requires_grad:
        output.register_hook(partial(_note_gradient, layer))  # type: ignore[no-untyped-call]  # torch's own


def _note_gradient(layer: Layer, gradient: torch.Tensor) -> None:
    layer.gradient = float(gradient.detach().float().square().mean().sqrt())


def _dead(values: torch.Tensor) -> float:
    """The share of channels, or of features, that are 0 everywhere."""
    if values.dim() < 2:
        return 0.0
    return float((values == 0).transpose(0, 1).flatten(1).all(1).float().mean())


def _answers(name: str, logits: torch.Tensor, labels: torch.Tensor) -> Answers:
    from torch.nn.functional import cross_entropy

    values = logits.detach().float()
    loss = float(cross_entropy(values, labels)) if _fit({name: values}, labels) else float("nan")
    sums = values.flatten(1).sum(1) if values.dim() > 1 else values
    one = bool(((sums - 1).abs() < 1e-3).all()) and bool((values >= 0).all())
    zeros = float((values == 0).float().mean())
    return Answers(name, values.shape[-1], loss, one, float(values.min()), zeros, logits.requires_grad)


def _with_shared(found: list[Answers], heads: dict[str, torch.Tensor]) -> list[Answers]:
    """The answers with how many parameters each head's loss reaches that the main one's does, too."""
    reached = {name: _leading_to(logits) for name, logits in heads.items()}
    return [each._replace(shared=len(reached[each.head] & reached[MAIN])) for each in found]


def _leading_to(result: torch.Tensor) -> set[int]:
    """The parameters that a result was computed from, by their ids, as far as gradients are recorded."""
    found: set[int] = set()
    seen: set[Any] = set()
    waiting = [result.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if type(node).__name__ == "AccumulateGrad":
            found.add(id(node.variable))  # type: ignore[attr-defined]  # the type says that it has one
        waiting += [before for before, _ in node.next_functions]
    return found


def _fit(heads: dict[str, torch.Tensor], labels: torch.Tensor) -> bool:
    """Whether every head has a row per example and an output per class."""
    return all(each.dim() == 2 and int(labels.max()) < each.shape[1] for each in heads.values())


def _total(heads: dict[str, torch.Tensor], labels: torch.Tensor, aux_weight: float) -> torch.Tensor | None:
    from torch.nn.functional import cross_entropy

    if not _fit(heads, labels):
        return None
    total = cross_entropy(heads[MAIN], labels)
    for name, logits in heads.items():
        total = total if name == MAIN else total + aux_weight * cross_entropy(logits, labels)
    return total


def _norm(values: torch.Tensor) -> float:
    return float(values.detach().float().norm())

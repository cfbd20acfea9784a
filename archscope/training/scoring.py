"""How well a model does on a split, in evaluation: loss, accuracy, and which class is taken for which."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from archscope.training.machine import Machine
from archscope.training.objective import MAIN, heads_of

if TYPE_CHECKING:
    import torch
    from torch import nn

    from archscope.training.data import Examples

TOP = 5


class Scores(NamedTuple):
    """Of a split. loss: mean cross-entropy of the main head, in nats; confusion: int64 [classes, outputs], rows are
    labels; among: how many times the class is among the ``top`` likeliest.
    """

    loss: float
    confusion: torch.Tensor
    top: int
    among: int

    @property
    def size(self) -> int:
        """How many examples there are."""
        return int(self.confusion.sum())

    @property
    def correct(self) -> int:
        """How many are said to be what they are."""
        return int(self.confusion.diagonal().sum())

    @property
    def accuracy(self) -> float:
        """The share that is right."""
        return self.correct / self.size


def scores_of(model: nn.Module, examples: Examples, machine: Machine) -> Scores:
    """The scores of a model, which is left in the mode it was in. Each process takes its share of the examples."""
    was_training = model.training
    model.eval()
    scores = counted(model, examples, machine)
    model.train(was_training)
    return scores


def counted(model: nn.Module, examples: Examples, machine: Machine) -> Scores:
    """The scores of a model in the mode that it is in."""
    return scores_from(_answers(model, examples, machine), int(examples.labels.max()) + 1, total=machine.total)


def scores_from(
    answers: Iterable[tuple[torch.Tensor, torch.Tensor]],
    classes: int,
    top: int = TOP,
    total: Callable[[torch.Tensor], torch.Tensor] = lambda values: values,
) -> Scores:
    """The scores of answers, batch by batch: logits or logarithms of probabilities [n, outputs], and labels [n].

    total: the sum of a tensor over all processes.
    """
    import torch
    from torch.nn.functional import cross_entropy

    confusion, sums = torch.empty(0), torch.empty(0)
    for given, labels in answers:
        outputs = given.shape[1]
        if not len(confusion):
            confusion = torch.zeros(max(classes, outputs), outputs, dtype=torch.int64, device=given.device)
            sums = torch.zeros(2, dtype=torch.float64, device=given.device)
        likelier = (given > given.gather(1, labels[:, None])).sum(1)
        losses = cross_entropy(given, labels, reduction="sum")
        sums += torch.stack([losses.double(), (likelier < top).sum().double()])
        places = labels * outputs + given.argmax(1)
        confusion += torch.bincount(places, minlength=confusion.numel()).view_as(confusion)
    loss, among = total(sums).tolist()
    confusion = total(confusion).cpu()
    return Scores(loss / int(confusion.sum()), confusion, top, round(among))


def _answers(model: nn.Module, examples: Examples, machine: Machine) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Logits of the main head and labels, of this process's share."""
    import torch

    for indices in torch.split(machine.share(torch.arange(len(examples))), machine.at_once):
        x, labels = machine.moved(examples.batch(indices), examples.labels[indices])
        with torch.no_grad(), machine.precision():
            yield heads_of(model(x))[MAIN].float(), labels

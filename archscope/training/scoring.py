"""How well a model does on a split, in evaluation: loss, accuracy, and which class is taken for which."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from archscope.training.machine import Machine
from archscope.training.objective import MAIN, heads_of

if TYPE_CHECKING:
    import torch
    from torch import nn

    from archscope.training.data import Examples


class Scores(NamedTuple):
    """Of a split. loss: mean cross-entropy of the main head; confusion: int64 [classes, outputs], rows are labels."""

    loss: float
    correct: int
    size: int
    confusion: torch.Tensor

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
    import torch
    from torch.nn.functional import cross_entropy

    sums = torch.zeros(2, dtype=torch.float64, device=machine.device)
    confusion = None
    for indices in torch.split(machine.share(torch.arange(len(examples))), machine.at_once):
        x, labels = machine.moved(examples.batch(indices), examples.labels[indices])
        with torch.no_grad(), machine.precision():
            logits = heads_of(model(x))[MAIN].float()
        if confusion is None:
            classes, outputs = int(examples.labels.max()) + 1, logits.shape[1]
            confusion = torch.zeros(max(classes, outputs), outputs, dtype=torch.int64, device=machine.device)
        said = logits.argmax(1)
        sums += torch.stack([cross_entropy(logits, labels, reduction="sum").double(), (said == labels).sum().double()])
        confusion += torch.bincount(labels * logits.shape[1] + said, minlength=confusion.numel()).view_as(confusion)
    if confusion is None:
        raise AssertionError("a split has an example")
    loss, correct = machine.total(sums).tolist()
    return Scores(loss / len(examples), round(correct), len(examples), machine.total(confusion).cpu())

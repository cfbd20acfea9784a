"""How well a trained network does on a split: accuracy, per class, and which class is taken for which."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from archscope.core.errors import ArchscopeError, Problem
from archscope.training.augmentation import Augmentation
from archscope.training.data import Listed, Stored, batches
from archscope.training.examples import Kept, Read
from archscope.training.pictures import SKIP, read_pictures
from archscope.training.predicting import AT_ONCE, dense_probabilities, probabilities
from archscope.training.preprocessing import Preprocessing
from archscope.training.scoring import TOP, scores_from

if TYPE_CHECKING:
    import torch
    from torch import nn

ALL = "all"
"""Every picture of a data set, whatever its splits."""

_Z = 1.959964
"""The 97.5th percentile of the normal distribution."""


class ClassScore(NamedTuple):
    """Of one class: its examples, how many of them are said to be it, and how many of all are.

    mistaken: the class that most of the others are taken for, with how many; empty where there is none.
    """

    name: str
    examples: int
    correct: int
    said: int
    mistaken: str = ""
    mistaken_count: int = 0

    @property
    def recall(self) -> float | None:
        """Of the examples of the class, the share that is said to be it; None without an example."""
        return self.correct / self.examples if self.examples else None

    @property
    def precision(self) -> float | None:
        """Of those said to be of the class, the share that is; None where none is said to be."""
        return self.correct / self.said if self.said else None


class Tally(NamedTuple):
    """What is said of a split.

    confusion: examples by their class (rows) and by what is said. loss: the mean cross-entropy, in nats. among: in how
    many cases the class is among the ``top`` likeliest.
    """

    classes: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]
    loss: float
    top: int
    among: int

    @property
    def examples(self) -> int:
        """How many there are."""
        return sum(map(sum, self.confusion))

    @property
    def correct(self) -> int:
        """How many are said to be what they are."""
        return sum(row[index] for index, row in enumerate(self.confusion))

    @property
    def accuracy(self) -> float:
        """The share that is right."""
        return self.correct / self.examples

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the accuracy (Wilson 1927)."""
        return wilson(self.correct, self.examples)

    @property
    def per_class(self) -> tuple[ClassScore, ...]:
        """The scores of each class, in the order of the classes."""
        said = [sum(column) for column in zip(*self.confusion, strict=True)]
        return tuple(_of_class(self.classes, index, row, said[index]) for index, row in enumerate(self.confusion))


def wilson(right: int, count: int) -> tuple[float, float]:
    """The 95 % interval of a share of which ``right`` of ``count`` are seen.

    >>> tuple(round(each, 4) for each in wilson(8, 10))
    (0.4902, 0.9433)
    """
    middle = (right + _Z**2 / 2) / (count + _Z**2)
    spread = _Z / (count + _Z**2) * (right * (count - right) / count + _Z**2 / 4) ** 0.5
    return max(0.0, middle - spread), min(1.0, middle + spread)


def tally_of(said: Iterable[tuple[torch.Tensor, torch.Tensor]], classes: Sequence[str], top: int = TOP) -> Tally:
    """The tally of probabilities [n, classes] with labels [n], batch by batch."""
    import torch

    logs = ((given.clamp_min(torch.finfo(given.dtype).tiny).log(), labels) for given, labels in said)
    found = scores_from(logs, len(classes), min(top, len(classes)))
    return Tally(tuple(classes), tuple(map(tuple, found.confusion.tolist())), found.loss, found.top, found.among)


def said_of(
    model: nn.Module,
    part: Stored | Listed,
    how: Sequence[Preprocessing],
    classes: int,
    *,
    dense: bool = False,
    num_workers: int = 0,
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Probabilities and labels of a split, batch by batch; the mean of those of each way to preprocess it.

    num_workers: processes that read pictures ahead; whole pictures (``dense``) are read here.
    """
    import torch

    labels = torch.tensor(part.labels, dtype=torch.int64)
    plan = torch.split(torch.arange(len(labels)), AT_ONCE)
    if dense:
        for indices in plan:
            pictures = _pictures(part, indices.tolist())
            given = [dense_probabilities(model, pictures, each, classes) for each in how]
            yield torch.stack(given).mean(0), labels[indices]
        return
    views = [batches(_examples(part, labels, each), plan, None, num_workers) for each in how]
    for indices, *views_of in zip(plan, *views, strict=True):
        given = [probabilities(model, x, classes) for x, _ in views_of]
        yield torch.stack(given).mean(0), labels[indices]


def in_classes_of(part: Any, classes: Sequence[str], name: str) -> Any:
    """The part with the labels of a run: classes of one name are the same, whatever their order.

    Raises ArchscopeError for a class that the run does not know.
    """
    foreign = [each for each in part.classes if each not in classes]
    if foreign:
        message = f"{name} has the class {foreign[0]!r}, which the run does not know"
        raise ArchscopeError(Problem("unknown-class", message, expected=", ".join(classes)))
    places = [classes.index(each) for each in part.classes]
    return part._replace(labels=tuple(places[label] for label in part.labels), classes=tuple(classes))


def whole(parts: Sequence[Any]) -> Any:
    """All splits of a data set as one."""
    import torch

    first = parts[0]
    labels = tuple(label for part in parts for label in part.labels)
    if isinstance(first, Stored):
        return first._replace(pictures=torch.cat([part.pictures for part in parts]), labels=labels)
    skipped = tuple(sorted({each for part in parts for each in part.skipped}))
    return first._replace(paths=tuple(path for part in parts for path in part.paths), labels=labels, skipped=skipped)


def _of_class(classes: Sequence[str], index: int, row: Sequence[int], said: int) -> ClassScore:
    others = [0 if other == index else count for other, count in enumerate(row)]
    most = max(others)
    mistaken = classes[others.index(most)] if most else ""
    return ClassScore(classes[index], sum(row), row[index], said, mistaken, most)


def _examples(part: Stored | Listed, labels: torch.Tensor, how: Preprocessing) -> Kept | Read:
    if isinstance(part, Stored):
        return Kept(part.pictures, labels, how, Augmentation(), 0)
    return Read(part.paths, labels, how, Augmentation(), 0)


def _pictures(part: Stored | Listed, indices: Sequence[int]) -> list[torch.Tensor]:
    if isinstance(part, Stored):
        return list(part.pictures[list(indices)])
    return read_pictures([part.paths[each] for each in indices], lambda picture: picture, SKIP)

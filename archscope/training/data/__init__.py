"""Data sets, one per file; the file's name is the data set's, with ``-`` for ``_``. The folder is the register.

A module here defines ``splits(request) -> {"train": …, "validation": …, "test": …}``, each a :class:`Stored` or a
:class:`Listed`; ``test`` may be missing. It may define ``ARGUMENT``, what stands behind a colon in ``folder:PATH``, in
words. Nothing is downloaded unless the request says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from archscope.core.errors import ArchscopeError, Problem, UsageError, unknown_name
from archscope.training.augmentation import Augmentation, augmentation_of
from archscope.training.downloads import data_root
from archscope.training.examples import Kept, Read, in_memory
from archscope.training.pictures import unreadable
from archscope.training.preprocessing import NORMALIZATIONS, Preprocessing, checked_choices
from archscope.training.splitting import stratified

if TYPE_CHECKING:
    import torch

HELD_OUT = 0.2
"""The share of every class that is held out where a data set does not say it."""


class Examples(Protocol):
    """One split, ready to be taken in batches."""

    @property
    def labels(self) -> torch.Tensor:
        """The class of each: int64 [N]."""

    @property
    def read_each_time(self) -> bool:
        """Whether pictures are read from files for every batch, so that processes which do it ahead pay."""

    def __len__(self) -> int:
        """How many there are."""

    def batch(self, indices: torch.Tensor, epoch: int | None = None) -> torch.Tensor:
        """The examples at ``indices``, preprocessed: float32 [n, C, H, W]; augmented as in ``epoch`` if one is given.

        What comes out depends on the seed of the data, the epoch and the index alone: neither on the other examples of
        the batch nor on the process.
        """


@dataclass(frozen=True)
class Data:
    """A data set as a network takes it.

    shape: of one example, (C, H, W). test: None where there is none besides validation; its pictures are not read
    before it is used. skipped: files that were left out since they cannot be read.
    """

    name: str
    classes: tuple[str, ...]
    train: Examples
    validation: Examples
    test: Examples | None
    shape: tuple[int, int, int]
    preprocessing: Preprocessing
    augmentation: Augmentation
    seed: int
    skipped: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.classes) < 2:
            message = f"{self.name} has one class only, {', '.join(map(repr, self.classes))}"
            raise ArchscopeError(Problem("one-class", message))
        for split, examples in self.splits.items():
            refuse_outside(self.name, split, examples.labels.tolist(), len(self.classes))

    @property
    def splits(self) -> dict[str, Examples]:
        """The splits by name: train, validation and, where there is one, test."""
        named = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: examples for name, examples in named.items() if examples is not None}


class Request(NamedTuple):
    """What is asked of a data set. argument: what stands behind the colon. root: where downloads lie."""

    argument: str
    input_shape: tuple[int, int, int]
    seed: int
    root: Path
    download: bool = False
    skip_corrupt: bool = False


class Stored(NamedTuple):
    """Pictures of one size in memory, uint8 [N, c, h, w], with their labels."""

    pictures: torch.Tensor
    labels: tuple[int, ...]
    classes: tuple[str, ...]

    def at(self, indices: Sequence[int]) -> Stored:
        """The part at these indices."""
        pictures = self.pictures[list(indices)]
        return self._replace(pictures=pictures, labels=tuple(self.labels[each] for each in indices))


class Listed(NamedTuple):
    """Pictures in files, with their labels."""

    paths: tuple[Path, ...]
    labels: tuple[int, ...]
    classes: tuple[str, ...]
    skipped: tuple[str, ...] = ()

    def at(self, indices: Sequence[int]) -> Listed:
        """The part at these indices."""
        paths = tuple(self.paths[each] for each in indices)
        return self._replace(paths=paths, labels=tuple(self.labels[each] for each in indices))


def named() -> list[str]:
    """The data sets, by name."""
    return sorted(path.stem.replace("_", "-") for path in Path(__file__).parent.glob("*.py") if path.stem != "__init__")


def parts(whole: Any, request: Request, share: float = HELD_OUT) -> dict[str, Any]:
    """A train and a validation split of a Stored or a Listed, stratified by class, by the seed of the request."""
    train, held = stratified(whole.labels, share, request.seed)
    return {"train": whole.at(train), "validation": whole.at(held)}


def listed(pairs: Any, classes: Sequence[str]) -> Listed:
    """Of ``pairs[n] == (path, label)``, as a data set of torchvision gives them that loads nothing."""
    paths, labels = zip(*(pairs[index] for index in range(len(pairs))), strict=True)
    return Listed(tuple(paths), tuple(map(int, labels)), tuple(classes))


def splits_of(name: str, request: Request) -> dict[str, Any]:
    """The splits of a data set as they are stored, each a Stored or a Listed; without the files that cannot be read,
    where they are to be left out. Raises as :func:`open_data` does.
    """
    found = _module(name).splits(request._replace(argument=name.partition(":")[2]))
    if request.skip_corrupt:
        found = {split: _readable(part) if isinstance(part, Listed) else part for split, part in found.items()}
    return dict(found)


def refuse_outside(name: str, split: str, labels: Sequence[int], classes: int) -> None:
    """Raises ArchscopeError for a split without an example, and for a label that is no class."""
    if not labels:
        raise ArchscopeError(Problem("no-data", f"{name} has no example to use for {split}"))
    outside = [index for index, label in enumerate(labels) if not 0 <= label < classes]
    if outside:
        first, several = outside[0], "a label" if len(outside) == 1 else f"{len(outside):,} labels"
        message = (
            f"{name} has {several} outside its {classes:,} classes: {labels[first]}, of example {first} for {split}"
        )
        raise ArchscopeError(Problem("label-out-of-range", message, expected=f"0 to {classes - 1}"))


def open_data(  # noqa: PLR0913  its keywords are the flags of the command
    name: str,
    *,
    input_shape: Sequence[int],
    augment: Sequence[str] = (),
    normalize: str = "data",
    resize: str = "squash",
    scale_jitter: str | None = None,
    seed: int = 0,
    download: bool = False,
    root: str | Path | None = None,
    skip_corrupt: bool = False,
) -> Data:
    """A data set, split and ready for a network that takes ``input_shape``, (C, H, W).

    name: one of :func:`named`, ``folder:PATH``. augment: what is done at random to training pictures, see
    :mod:`archscope.training.augmentation`. normalize: by the mean and deviation of the training ``data``, of
    ``imagenet``, by ``half`` or ``none``. resize: ``squash``, or ``short``, the shorter side, and cut out the centre.
    scale_jitter: ``256:512``, the shorter side is drawn between these in training and lies in the middle of them
    else (VGG, section 3). seed: of splits and augmentation. root: where downloads lie.

    Raises UnknownName for a data set that there is not, UsageError for choices that make no sense, and ArchscopeError
    for one that is not there, cannot be read, or has fewer than two classes.
    """
    checked_choices(normalize, resize, input_shape)
    shape = (int(input_shape[0]), int(input_shape[1]), int(input_shape[2]))
    chosen = augmentation_of(augment, scale_jitter, shape)
    plan = Preprocessing(shape[0], shape[1:], "short" if chosen.scales else resize, chosen.evaluation_side(shape))
    found = splits_of(name, Request("", shape, seed, data_root(root), download, skip_corrupt))
    for split, part in found.items():
        refuse_outside(name, split, part.labels, len(part.classes))
    train = _examples(found["train"], plan, chosen, seed)
    validation = _examples(found["validation"], plan, Augmentation(), seed)
    plan = _with_statistics(plan, normalize, train)
    return Data(
        name=name,
        classes=found["train"].classes,
        train=_normalised_by(plan, train),
        validation=_normalised_by(plan, validation),
        test=_unread(found["test"], plan, Augmentation(), seed) if "test" in found else None,
        shape=shape,
        preprocessing=plan,
        augmentation=chosen,
        seed=seed,
        skipped=tuple(each for part in found.values() for each in getattr(part, "skipped", ())),
    )


def batches(
    examples: Examples, plan: Iterable[torch.Tensor], epoch: int | None = None, num_workers: int = 0
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Batches of examples with their labels, in the order of ``plan``, the indices of each batch.

    num_workers: processes that make batches ahead, of pictures that are read from files. What comes out is the same.
    """
    if not num_workers or not examples.read_each_time:
        for indices in plan:
            yield examples.batch(indices, epoch), examples.labels[indices]
        return
    from torch.utils.data import DataLoader

    ahead: Any = DataLoader(
        _Ahead(examples, epoch),  # type: ignore[arg-type]  # whole batches are its items
        batch_size=None,
        sampler=list(plan),
        num_workers=num_workers,
    )
    yield from ahead


@dataclass(frozen=True)
class _Ahead:
    """Batches as the items of a data set, for processes that make them."""

    examples: Examples
    epoch: int | None

    def __getitem__(self, indices: Any) -> tuple[torch.Tensor, torch.Tensor]:
        return self.examples.batch(indices, self.epoch), self.examples.labels[indices]


def _examples(part: Stored | Listed, plan: Preprocessing, chosen: Augmentation, seed: int) -> Kept | Read:
    """The examples of a split, in memory where they take little of it."""
    unread = _unread(part, plan, chosen, seed)
    return in_memory(unread) if isinstance(unread, Read) else unread


def _unread(part: Stored | Listed, plan: Preprocessing, chosen: Augmentation, seed: int) -> Kept | Read:
    import torch

    labels = torch.tensor(part.labels, dtype=torch.int64)
    if isinstance(part, Stored):
        return Kept(part.pictures, labels, plan, chosen, seed)
    return Read(part.paths, labels, plan, chosen, seed)


def _with_statistics(plan: Preprocessing, normalize: str, train: Kept | Read) -> Preprocessing:
    """The mean and the deviation that are asked for, per channel that the network takes."""
    mean, std = NORMALIZATIONS[normalize] or train.statistics()
    return replace(plan, mean=mean, std=std)


def _normalised_by(plan: Preprocessing, examples: Kept | Read) -> Kept | Read:
    """The examples with the mean and the deviation of ``plan``; what is resized already stays so."""
    return replace(examples, preprocessing=replace(examples.preprocessing, mean=plan.mean, std=plan.std))


def _readable(part: Listed) -> Listed:
    """The part without the files that cannot be read."""
    broken = set(unreadable(part.paths))
    kept = part.at([index for index, path in enumerate(part.paths) if path not in broken])
    return kept._replace(skipped=tuple(sorted(map(str, broken))))


def _module(name: str) -> Any:
    known = named()
    kind, colon, _ = name.partition(":")
    if kind not in known:
        raise unknown_name("data", kind, known)
    module = import_module(f"archscope.training.data.{kind.replace('-', '_')}")
    if colon and not hasattr(module, "ARGUMENT"):
        raise UsageError(Problem("bad-value", f"--data is {name!r}, and {kind} takes nothing behind a colon"))
    return module


def native_side(name: str) -> int | None:
    """Pixels a side of a data set's pictures, where all have that size and its module says so. Raises UnknownName."""
    side: int | None = getattr(_module(name), "SIDE", None)
    return side

"""The examples of a split: pictures in memory, or in files that are read when they are needed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from archscope.training.augmentation import Augmentation, augmented, framed
from archscope.training.pictures import SKIP, read_picture, read_pictures
from archscope.training.preprocessing import Preprocessing, normalised, resized, statistics
from archscope.training.sampling import draws, stream

if TYPE_CHECKING:
    import torch

KEPT_BYTES = 2**29
"""Pictures that take no more than this when they are resized are resized once; larger sets, each time."""

_SAMPLE = 4096
"""Training pictures that the mean and the deviation are taken of, at most."""


@dataclass(frozen=True, eq=False)
class Kept:
    """Examples in memory. pictures: uint8 [N, c, h, w], as they are stored; labels: int64 [N]."""

    pictures: torch.Tensor
    labels: torch.Tensor
    preprocessing: Preprocessing
    augmentation: Augmentation
    seed: int

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def read_each_time(self) -> bool:
        """False: they are in memory."""
        return False

    def batch(self, indices: torch.Tensor, epoch: int | None = None) -> torch.Tensor:
        """As :class:`archscope.training.data.Examples` has it."""
        if epoch is None or not self.augmentation:
            return self._ready[indices] if self._ready is not None else self._plain(self.pictures[indices])
        numbers = _draws(self.seed, epoch, len(self), self.augmentation.draws)[indices]
        frames = self._frames(indices, numbers)
        return normalised(augmented(frames, self.augmentation, numbers), self.preprocessing)

    def statistics(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Mean and deviation per channel of the training pictures, resized; of 4,096 of them at most."""
        return statistics(resized(self.pictures[_sample(len(self), self.seed)], self.preprocessing))

    def _frames(self, indices: torch.Tensor, numbers: torch.Tensor) -> torch.Tensor:
        """Pictures at the size that comes out, uint8, before what happens to single pixels."""
        if self.augmentation.frames_at_random:
            return framed(self.pictures[indices], self.preprocessing, self.augmentation, numbers)
        if self._resized is not None:
            return self._resized[indices]
        return resized(self.pictures[indices], self.preprocessing)

    def _plain(self, pictures: torch.Tensor) -> torch.Tensor:
        return normalised(resized(pictures, self.preprocessing), self.preprocessing)

    @cached_property
    def _resized(self) -> torch.Tensor | None:
        """All of them resized, where that takes little memory."""
        return resized(self.pictures, self.preprocessing) if self._fits(1) else None

    @cached_property
    def _ready(self) -> torch.Tensor | None:
        """All of them as they go in, where that takes little memory."""
        return self._plain(self.pictures) if self._fits(4) else None

    def _fits(self, item: int) -> bool:
        return item * _bytes(len(self), self.preprocessing) <= KEPT_BYTES


@dataclass(frozen=True, eq=False)
class Read:
    """Examples in files. paths: of N pictures; labels: int64 [N]."""

    paths: tuple[Path, ...]
    labels: torch.Tensor
    preprocessing: Preprocessing
    augmentation: Augmentation
    seed: int

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def read_each_time(self) -> bool:
        """True: for every batch anew, so that processes which do it ahead pay."""
        return True

    def batch(self, indices: torch.Tensor, epoch: int | None = None) -> torch.Tensor:
        """As :class:`archscope.training.data.Examples` has it. Raises UnreadablePicture for files that are none."""
        import torch

        chosen = [self.paths[at] for at in indices.tolist()]
        if epoch is None or not self.augmentation:
            return normalised(torch.stack(read_pictures(chosen, self._resized, SKIP)), self.preprocessing)
        numbers = _draws(self.seed, epoch, len(self), self.augmentation.draws)[indices]
        if self.augmentation.frames_at_random:
            frames = [self._framed(path, own) for path, own in zip(chosen, numbers, strict=True)]
        else:
            frames = read_pictures(chosen, self._resized, SKIP)
        return normalised(augmented(torch.stack(frames), self.augmentation, numbers), self.preprocessing)

    def statistics(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Mean and deviation per channel of the training pictures, resized; of 4,096 of them at most."""
        import torch

        chosen = [self.paths[at] for at in _sample(len(self), self.seed).tolist()]
        return statistics(torch.stack(read_pictures(chosen, self._resized, SKIP)))

    def _framed(self, path: Path, numbers: torch.Tensor) -> torch.Tensor:
        picture = read_picture(path).unsqueeze(0)
        return framed(picture, self.preprocessing, self.augmentation, numbers.unsqueeze(0))[0]

    def _resized(self, picture: torch.Tensor) -> torch.Tensor:
        return resized(picture, self.preprocessing)


def in_memory(examples: Read) -> Kept | Read:
    """All of them read and resized once, where that takes little memory and is the same each time; else as they are.

    Raises UnreadablePicture, naming the files that are none.
    """
    import torch

    how = examples.preprocessing
    if examples.augmentation.frames_at_random or _bytes(len(examples), how) > KEPT_BYTES:
        return examples
    pictures = torch.stack(read_pictures(examples.paths, lambda picture: resized(picture, how), SKIP))
    as_they_are = replace(how, resize="squash")
    return Kept(pictures, examples.labels, as_they_are, examples.augmentation, examples.seed)


def _bytes(examples: int, how: Preprocessing) -> int:
    """Of that many pictures when they are resized, 8 bits per value."""
    return examples * how.channels * how.size[0] * how.size[1]


def _sample(examples: int, seed: int) -> torch.Tensor:
    import torch

    if examples <= _SAMPLE:
        return torch.arange(examples)
    return torch.randperm(examples, generator=stream("statistics", seed))[:_SAMPLE].sort().values


@lru_cache(maxsize=4)
def _draws(seed: int, epoch: int, examples: int, each: int) -> torch.Tensor:
    return draws(seed, epoch, examples, each)

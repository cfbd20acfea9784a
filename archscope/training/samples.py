"""A part of a split, evenly spread over it, and what its pictures are like."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import torch

    from archscope.training.data import Examples


class Pixels(NamedTuple):
    """Of the inputs of a split: mean and deviation per channel, and the standard error of that mean over images."""

    mean: tuple[float, ...]
    std: tuple[float, ...]
    error: tuple[float, ...]


@dataclass(frozen=True)
class Sample:
    """A sample of a split, spread over it."""

    whole: Examples
    count: int

    @cached_property
    def labels(self) -> torch.Tensor:
        """Of the sample."""
        return self.whole.labels[spread(len(self.whole), self.count)]

    @property
    def read_each_time(self) -> bool:
        """As a split has it."""
        return self.whole.read_each_time

    def __len__(self) -> int:
        return min(self.count, len(self.whole))

    def batch(self, indices: torch.Tensor, epoch: int | None = None) -> torch.Tensor:
        """As a split has it."""
        return self.whole.batch(spread(len(self.whole), self.count)[indices], epoch)


def spread(examples: int, most: int) -> torch.Tensor:
    """Indices of at most so many examples, evenly spread."""
    import torch

    count = min(examples, most)
    return torch.arange(count) * examples // count


def inputs(examples: Examples, most: int) -> torch.Tensor:
    """At most so many inputs of a split, evenly spread, not augmented."""
    return examples.batch(spread(len(examples), most))


def pixels_of(x: torch.Tensor) -> Pixels:
    """What inputs [N, C, H, W] are like."""
    own = x.flatten(2).mean(2)
    error = own.std(0) / math.sqrt(len(x))
    return Pixels(*(tuple(each.tolist()) for each in (own.mean(0), x.transpose(0, 1).flatten(1).std(1), error)))

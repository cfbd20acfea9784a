"""What is random about data is a function of the seed and the epoch: a resumed run sees what it would have seen."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def order(seed: int, epoch: int, examples: int) -> torch.Tensor:
    """The order of an epoch: each index below ``examples`` once, int64 [examples]."""
    import torch

    return torch.randperm(examples, generator=stream("order", seed, epoch))


def draws(seed: int, epoch: int, examples: int, each: int) -> torch.Tensor:
    """Numbers from 0 up to, not including, 1 for every example of an epoch: float32 [examples, each].

    They belong to the example, whatever the batch, the process or the order that it comes in.
    """
    import torch

    return torch.rand(examples, each, generator=stream("augmentation", seed, epoch))


def stream(purpose: str, seed: int, epoch: int = 0) -> torch.Generator:
    """A generator of its own for each purpose, seed and epoch."""
    import torch

    digest = blake2b(f"{purpose}:{seed}:{epoch}".encode(), digest_size=7).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest, "big"))

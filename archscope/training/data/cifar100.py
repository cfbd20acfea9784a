"""60,000 colour pictures of 32×32 in a hundred classes (Krizhevsky 2009), stored as CIFAR-10 is; by torchvision."""

from __future__ import annotations

from archscope.training.data import Request, Stored
from archscope.training.data.cifar10 import in_batches

SIDE = 32


def splits(request: Request) -> dict[str, Stored]:
    """A tenth of the 50,000 training pictures is held out: uint8 [N, 3, 32, 32]."""
    from torchvision.datasets import CIFAR100

    return in_batches("cifar100", CIFAR100, request)

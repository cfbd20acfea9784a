"""70,000 pictures of clothes of 28×28 greys, in ten classes (arXiv:1708.07747), stored as MNIST is; by torchvision."""

from __future__ import annotations

from archscope.training.data import Request, Stored
from archscope.training.data.mnist import in_idx_files

SIDE = 28


def splits(request: Request) -> dict[str, Stored]:
    """A tenth of the 60,000 training pictures is held out: uint8 [N, 1, 28, 28]."""
    from torchvision.datasets import FashionMNIST

    return in_idx_files("fashion-mnist", FashionMNIST, request)

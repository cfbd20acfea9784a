"""60,000 colour pictures of 32×32 in ten classes (Krizhevsky 2009), 10,000 of them the test set; by torchvision."""

from __future__ import annotations

from functools import partial
from typing import Any

from archscope.training.data import Request, Stored, parts
from archscope.training.downloads import found

SIDE = 32
HELD_OUT = 0.1


def splits(request: Request) -> dict[str, Stored]:
    """A tenth of the 50,000 training pictures is held out: uint8 [N, 3, 32, 32]."""
    from torchvision.datasets import CIFAR10

    return in_batches("cifar10", CIFAR10, request)


def in_batches(name: str, kind: Any, request: Request) -> dict[str, Stored]:
    """The splits of a data set that is stored as CIFAR is; torchvision reads files whose checksums are right."""
    import torch

    def half(train: bool) -> Stored:
        own = found(name, partial(kind, train=train), request.root, request.download)
        pictures = torch.from_numpy(own.data).permute(0, 3, 1, 2).contiguous()
        return Stored(pictures, tuple(own.targets), tuple(own.classes))

    return {**parts(half(train=True), request, HELD_OUT), "test": half(train=False)}

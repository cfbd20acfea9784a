"""70,000 handwritten digits of 28×28 greys (LeCun et al. 1998), of which 10,000 are the test set; by torchvision."""

from __future__ import annotations

from functools import partial
from typing import Any

from archscope.training.data import Request, Stored, parts
from archscope.training.downloads import found

SIDE = 28
HELD_OUT = 0.1


def splits(request: Request) -> dict[str, Stored]:
    """A tenth of the 60,000 training pictures is held out: uint8 [N, 1, 28, 28]."""
    from torchvision.datasets import MNIST

    return in_idx_files("mnist", MNIST, request)


def in_idx_files(name: str, kind: Any, request: Request) -> dict[str, Stored]:
    """The splits of a data set that is stored as MNIST is."""

    def half(train: bool) -> Stored:
        own = found(name, partial(kind, train=train), request.root, request.download)
        return Stored(own.data.unsqueeze(1), tuple(own.targets.tolist()), tuple(own.classes))

    return {**parts(half(train=True), request, HELD_OUT), "test": half(train=False)}

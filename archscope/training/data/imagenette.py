"""13,394 photographs in ten easy classes of ImageNet, by fast.ai; ``imagenette:160px`` and ``:320px`` are smaller."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from archscope.core.errors import Problem, UsageError
from archscope.training.data import Listed, Request, listed
from archscope.training.downloads import found

ARGUMENT = "the pictures' shorter side: 160px, 320px or full"
_SIZES = ("160px", "320px", "full")


def splits(request: Request) -> dict[str, Listed]:
    """The official ones: 9,469 to train on, 3,925 for validation. A class bears the first of its names."""
    from torchvision.datasets import Imagenette

    size = request.argument or "full"
    if size not in _SIZES:
        raise UsageError(Problem("bad-value", f"--data is 'imagenette:{size}'", expected=", ".join(_SIZES)))

    def part(split: str) -> Listed:
        def make(root: Path, download: bool) -> Any:
            return Imagenette(root, split, size, download=download, loader=Path)

        own = found("imagenette", make, request.root, request.download)
        return listed(own, [names[0] for names in own.classes])

    return {"train": part("train"), "validation": part("val")}

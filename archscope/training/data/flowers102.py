"""8,189 photographs of 102 kinds of flowers (Nilsback and Zisserman 2008) with their own splits; by torchvision."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from archscope.training.data import Listed, Request, listed
from archscope.training.downloads import found


def splits(request: Request) -> dict[str, Listed]:
    """The official ones: 1,020 to train on, 1,020 for validation, 6,149 for the test."""
    from torchvision.datasets import Flowers102

    def part(split: str) -> Listed:
        def make(root: Path, download: bool) -> Any:
            return Flowers102(root, split, download=download, loader=Path)

        return listed(found("flowers102", make, request.root, request.download), Flowers102.classes)

    return {"train": part("train"), "validation": part("val"), "test": part("test")}

"""Small data sets in the forms in which the real ones lie on a disk, for tests of several files."""

from __future__ import annotations

import hashlib
import pickle
import struct
from pathlib import Path

import numpy as np
from PIL import Image


def save_picture(path: Path, seed: int = 0, size: tuple[int, int] = (12, 10), mode: str = "RGB") -> Path:
    """A picture of noise, (width, height)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(values).convert(mode).save(path)
    return path


def flat_colour(path: Path, colour: tuple[int, int, int], size: tuple[int, int] = (12, 10)) -> Path:
    """A picture of one colour."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)
    return path


def class_folders(root: Path, classes: dict[str, int]) -> Path:
    """A folder of that many pictures per class, each of its own size."""
    for name, count in classes.items():
        for index in range(count):
            save_picture(root / name / f"{index:03}.png", index, (9 + index % 5, 8 + index % 3))
    return root


def idx_files(folder: Path, counts: dict[str, int]) -> list[np.ndarray]:
    """MNIST's files, of ``counts["train"]`` and ``counts["t10k"]`` pictures; the pictures of each."""
    folder.mkdir(parents=True)
    written = []
    for half, count in counts.items():
        pictures = np.random.default_rng(count).integers(0, 256, (count, 28, 28), dtype=np.uint8)
        labels = (np.arange(count) % 10).astype(np.uint8)
        (folder / f"{half}-images-idx3-ubyte").write_bytes(
            struct.pack(">IIII", 2051, count, 28, 28) + pictures.tobytes()
        )
        (folder / f"{half}-labels-idx1-ubyte").write_bytes(struct.pack(">II", 2049, count) + labels.tobytes())
        written.append(pictures)
    return written


def cifar_batches(folder: Path, lists: list[list[list[str]]], key: str, classes: int) -> None:
    """CIFAR's files of two pictures per class each; their checksums are put into torchvision's ``lists``."""
    folder.mkdir(parents=True)
    for entries in lists:
        for entry in entries:
            pictures = np.random.default_rng(len(entry[0])).integers(0, 256, (2 * classes, 3072), dtype=np.uint8)
            content = pickle.dumps({"data": pictures, key: [index % classes for index in range(2 * classes)]})
            (folder / entry[0]).write_bytes(content)
            entry[1] = hashlib.md5(content, usedforsecurity=False).hexdigest()

"""The caller's module stays as it was: attributes, buffers, hooks, mode, caches, and the state of random generators."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

_ABSENT = object()


@contextmanager
def as_it_was(module: nn.Module) -> Iterator[None]:
    """Whatever a forward leaves in a module is taken back: attributes, and entries of its lists and dictionaries.

    Tensors need no copy: a forward that is captured never touches the module's own.
    """
    kept = [_kept(each.__dict__) for each in module.modules()]
    try:
        yield
    finally:
        for containers in kept:
            for container, copy in containers:
                if not _same(container, copy):
                    _refill(container, copy)


@contextmanager
def random_as_it_was() -> Iterator[None]:
    """The generators of torch, of the standard library and of NumPy, if it is loaded, go on as if nothing was drawn."""
    numpy = sys.modules.get("numpy")
    torchs, pythons, numpys = torch.get_rng_state(), random.getstate(), numpy.random.get_state() if numpy else None
    try:
        yield
    finally:
        torch.set_rng_state(torchs)
        random.setstate(pythons)
        if numpy:
            numpy.random.set_state(numpys)


def _kept(attributes: dict[str, Any]) -> list[tuple[Any, Any]]:
    """The attributes of a module and the containers among them, each with a copy."""
    containers = [value for value in attributes.values() if isinstance(value, dict | list | set)]
    return [(attributes, dict(attributes)), *((each, _copy(each)) for each in containers)]


def _copy(container: Any) -> Any:
    if isinstance(container, dict):
        return dict(container)
    return list(container) if isinstance(container, list) else set(container)


def _same(container: Any, copy: Any) -> bool:
    """Whether a container still holds the very objects that its copy holds."""
    if len(container) != len(copy):
        return False
    if isinstance(container, dict):
        return all(copy.get(key, _ABSENT) is value for key, value in container.items())
    if isinstance(container, list):
        return all(mine is its for mine, its in zip(container, copy, strict=True))
    return bool(container == copy)


def _refill(container: Any, copy: Any) -> None:
    container.clear()
    if isinstance(container, list):
        container.extend(copy)
    else:
        container.update(copy)

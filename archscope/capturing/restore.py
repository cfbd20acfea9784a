"""The caller's module stays as it was: attributes, buffers, hooks, mode, caches, and the state of random generators."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from operator import is_
from typing import Any

import torch
from torch import nn

_CONTAINERS = (dict, list, set)


@contextmanager
def as_it_was(modules: Iterable[nn.Module]) -> Iterator[None]:
    """Whatever a forward leaves in modules is taken back: attributes, and entries of their lists and dictionaries.

    Tensors need no copy: a forward that is captured never touches the module's own.
    """
    kept: list[tuple[Any, Any]] = []
    empty: list[Any] = []
    for module in modules:
        attributes = module.__dict__
        kept.append((attributes, attributes.copy()))
        for value in attributes.values():
            if isinstance(value, _CONTAINERS):
                if value:
                    kept.append((value, _copy(value)))
                else:
                    empty.append(value)
    try:
        yield
    finally:
        for container, copy in kept:
            if not _same(container, copy):
                _refill(container, copy)
        for container in empty:
            if container:
                container.clear()


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


def _copy(container: Any) -> Any:
    if isinstance(container, dict):
        return dict(container)
    return list(container) if isinstance(container, list) else set(container)


def _same(container: Any, copy: Any) -> bool:
    """Whether a container still holds the very objects that its copy holds, in their order."""
    if len(container) != len(copy):
        return False
    if isinstance(container, dict):
        return all(map(is_, container, copy)) and all(map(is_, container.values(), copy.values()))
    if isinstance(container, list):
        return all(map(is_, container, copy))
    return bool(container == copy)


def _refill(container: Any, copy: Any) -> None:
    container.clear()
    if isinstance(container, list):
        container.extend(copy)
    else:
        container.update(copy)

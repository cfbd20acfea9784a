"""Where each module of a network was constructed: the line of the user's source that called its class."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn

from archscope.capturing.places import Place, constructing_place, span_of
from archscope.core.source import Span


class Constructions:
    """The modules that were made while this watched, and the places; they are kept, so that no other gets their id."""

    def __init__(self) -> None:
        self.made: dict[int, tuple[nn.Module, Place]] = {}

    def spans(self, root: nn.Module) -> dict[str, Span]:
        """For each module of a network, by its path, the line that constructed it, where the user's code did."""
        found = {}
        for path, module in root.named_modules():
            made = self.made.get(id(module))
            span = span_of(made[1]) if made is not None else None
            if span is not None:
                found[path] = span
        return found


@contextmanager
def constructions() -> Iterator[Constructions]:
    """While this lasts, notes where modules are constructed."""
    watching = Constructions()
    original = nn.Module.__init__

    def noted(module: nn.Module, *args: Any, **kwargs: Any) -> None:
        original(module, *args, **kwargs)
        place = constructing_place(module)
        if place is not None:
            watching.made[id(module)] = (module, place)

    nn.Module.__init__ = noted  # type: ignore[method-assign, assignment]  # undone below
    try:
        yield watching
    finally:
        nn.Module.__init__ = original  # type: ignore[method-assign]  # as it was

"""What speaks for or against a training, one kind of evidence per file; the folder is the register.

A module here defines ``RANK``, where it stands among the others, and ``examine(seen) -> signs``. Each sign has its
number. A ``fault`` proves that something is wrong and names it; what is ``odd`` is worth a look and proves nothing.
Thresholds are constants in these files. They were fixed on other seeds than those that are reported.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import NamedTuple, Protocol

from archscope.training.observing import Observed

FINE, ODD, FAULT = "fine", "odd", "fault"

ENOUGH_STEPS = 50
"""Fewer say nothing about a learning rate, and leave running statistics behind."""


class Sign(NamedTuple):
    """A piece of evidence. what: in words, with its number; cause: of a fault, in a few words; mend: what would help.

    name: the file that it comes from, filled in by :func:`signs_of`.
    """

    status: str
    what: str
    cause: str = ""
    mend: str = ""
    name: str = ""


class Kind(Protocol):
    """What a module of this folder looks like."""

    RANK: int

    def examine(self, seen: Observed) -> Iterable[Sign]:
        """The signs of this kind."""


def named() -> list[str]:
    """The kinds of signs, by name."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem != "__init__")


def signs_of(seen: Observed) -> Iterator[Sign]:
    """All signs, in the order of their ranks."""
    kinds: dict[str, Kind] = {name: import_module(f"archscope.training.signs.{name}") for name in named()}
    for name in sorted(kinds, key=lambda each: kinds[each].RANK):
        for sign in kinds[name].examine(seen):
            yield sign._replace(name=name.replace("_", "-"))


def listed(names: Iterable[str], most: int = 3) -> str:
    """Names in a sentence: the first few, and how many more.

    >>> listed(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    every = list(names)
    shown = ", ".join(every[:most])
    return shown if len(every) <= most else f"{shown} and {len(every) - most} more"


def in_words(probability: float) -> str:
    """A probability as people read it.

    >>> in_words(0.023), in_words(3e-12), in_words(0.0)
    ('p = 0.023', 'p = 3e-12', 'p < 1e-99')
    """
    return "p < 1e-99" if probability < 1e-99 else f"p = {probability:.2g}"

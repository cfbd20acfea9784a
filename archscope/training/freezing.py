"""Parameters that are not trained, by patterns of their names."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from typing import TYPE_CHECKING

from archscope.core.errors import Problem, UnknownName, nearest

if TYPE_CHECKING:
    from torch import nn


def freeze(model: nn.Module, patterns: Sequence[str]) -> None:
    """Freezes the parameters that a pattern fits: ``features.*``, or ``features``, which means all in it.

    Raises UnknownName for a pattern that fits none.
    """
    for pattern in patterns:
        fitting = [
            each
            for key, each in model.named_parameters(remove_duplicate=False)
            if fnmatch.fnmatchcase(key, pattern) or key.startswith(f"{pattern}.")
        ]
        if not fitting:
            keys = [key for key, _ in model.named_parameters()]
            known = sorted({key.partition(".")[0] for key in keys})
            message = f"no parameter is called {pattern!r}"
            raise UnknownName(Problem("unknown-parameter", message, None, ", ".join(known), nearest(pattern, keys)))
        for each in fitting:
            each.requires_grad_(False)

"""1,797 handwritten digits of 8×8 pixels and 17 greys, in scikit-learn: the optical recognition set of UCI."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from archscope.core.errors import ArchscopeError, Problem
from archscope.training.data import Request, Stored, parts

SIDE = 8

_FILE = "datasets/data/digits.csv.gz"
"""A line per digit: 64 greys from 0 to 16, and the class. To import scikit-learn for it takes longer than an epoch."""


def splits(request: Request) -> dict[str, Stored]:
    """A fifth is held out for validation: 8-bit greys, uint8 [1797, 1, 8, 8].

    Raises ArchscopeError where scikit-learn, or the file in it, is not there.
    """
    import numpy as np
    import torch

    rows = torch.from_numpy(np.loadtxt(_path(), delimiter=","))
    greys = rows[:, :-1].mul(255 / 16).round().to(torch.uint8).view(-1, 1, SIDE, SIDE)
    whole = Stored(greys, tuple(rows[:, -1].int().tolist()), tuple(map(str, range(10))))
    return parts(whole, request)


def _path() -> Path:
    spec = find_spec("sklearn")
    path = Path(((spec and spec.submodule_search_locations) or [""])[0], _FILE)
    if spec is None or not path.is_file():
        message = "digits are a file of scikit-learn, which is not there"
        raise ArchscopeError(Problem("no-data", message, help="pip install scikit-learn"))
    return path

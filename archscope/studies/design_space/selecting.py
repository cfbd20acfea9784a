"""Which rows are kept: the first by some order, or those that no other one beats; chunk by chunk, or all at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np

PIVOTS = 8
"""Points that a chunk is held against before its front is worked out: they beat most of it."""


class Key(NamedTuple):
    """A column to order by. best: ``least`` or ``most``."""

    column: str
    best: str = "least"


class Choice(NamedTuple):
    """What is kept of all rows. pareto: those that none beats in these; sort, top: the first so many by these."""

    pareto: tuple[Key, ...] = ()
    sort: tuple[Key, ...] = ()
    top: int | None = None

    @property
    def bounds(self) -> bool:
        """Whether it keeps few rows, however many there are."""
        return bool(self.pareto) or self.top is not None


@dataclass(frozen=True, slots=True)
class Rows:
    """Designs and their numbers: the variant of each, and per column its values, whole numbers."""

    variants: np.ndarray[Any, Any]
    columns: dict[str, np.ndarray[Any, Any]]

    def __len__(self) -> int:
        return len(self.variants)

    def at(self, positions: Any) -> Rows:
        """Those at some positions, or where a mask holds."""
        return Rows(self.variants[positions], {name: values[positions] for name, values in self.columns.items()})


def joined(parts: Sequence[Rows]) -> Rows:
    """Rows one after another."""
    import numpy as np

    if len(parts) == 1:
        return parts[0]
    columns = {name: np.concatenate([part.columns[name] for part in parts]) for name in parts[0].columns}
    return Rows(np.concatenate([part.variants for part in parts]), columns)


def of_chunk(rows: Rows, choice: Choice) -> Rows:
    """The rows of a chunk that may be among the best of all; the others cannot, whatever comes."""
    if choice.pareto:
        return rows.at(front(_costs(rows, choice.pareto)))
    return _first(rows, choice) if choice.top is not None else rows


def of_all(rows: Rows, choice: Choice) -> Rows:
    """The rows that are kept in the end, in order, of those that chunks have left."""
    if choice.pareto:
        rows = rows.at(front(_costs(rows, choice.pareto)))
    return _first(rows, choice)


def _first(rows: Rows, choice: Choice) -> Rows:
    """The first rows by the order that is asked for; equal ones in the order of the points."""
    import numpy as np

    top = len(rows) if choice.top is None else choice.top
    if not choice.sort:
        return rows.at(slice(top))
    if 0 < top < len(rows):
        leading = _costs(rows, choice.sort[:1])[0]
        rows = rows.at(leading <= np.partition(leading, top - 1)[top - 1])
    costs = [_ranks(cost) for cost in _costs(rows, choice.sort)]
    return rows.at(np.lexsort(costs[::-1])[:top])


def _costs(rows: Rows, keys: Sequence[Key]) -> list[np.ndarray[Any, Any]]:
    """Per key the less the better."""
    return [rows.columns[key.column] if key.best == "least" else -rows.columns[key.column] for key in keys]


def _ranks(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Numbers of the same order that an int64 holds."""
    import numpy as np

    if values.dtype != object:
        return values
    ranks: np.ndarray[Any, Any] = np.unique(values, return_inverse=True)[1]
    return ranks


def front(costs: Sequence[np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
    """The positions, in order, of the points that none beats: none is as good in all costs and better in one."""
    import numpy as np

    if not len(costs[0]):
        return np.arange(0)
    kept = np.arange(len(costs[0]))
    table = np.stack([_ranks(cost) for cost in costs], axis=1)
    scale = np.maximum(table.max(axis=0), 1).astype(float)
    for _ in range(PIVOTS):
        near = (table[kept] / scale).sum(axis=1)
        pivot = table[kept[int(near.argmin())]]
        left = kept[~_beaten(table[kept], pivot)]
        if len(left) == len(kept):
            break
        kept = left
    points, which = np.unique(table[kept], axis=0, return_inverse=True)
    unbeaten: np.ndarray[Any, Any] = kept[_unbeaten(points)[which.reshape(-1)]]
    return unbeaten


def _beaten(table: np.ndarray[Any, Any], pivot: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    import numpy as np

    beaten: np.ndarray[Any, Any] = np.all(table >= pivot, axis=1)
    beaten &= np.any(table > pivot, axis=1)
    return beaten


def _unbeaten(points: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """A mask of those that no other one beats. The points differ and are sorted: only one before can beat another."""
    import numpy as np

    if points.shape[1] == 2:  # in order of the first: better than all before in the second
        least = np.minimum.accumulate(points[:, 1])
        return np.concatenate([np.ones(1, bool), points[1:, 1] < least[:-1]])
    mask = np.zeros(len(points), bool)
    left = np.arange(len(points))
    while len(left):
        first, left = left[0], left[1:]
        mask[first] = True
        left = left[(points[left] < points[first]).any(axis=1)]
    return mask

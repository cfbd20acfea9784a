"""Where points have had to part: what one chunk has found out, the next one need not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from archscope.studies.design_space.grids import Points

if TYPE_CHECKING:
    import numpy as np

MOST = 64
"""Partings that are remembered."""


class Partings:
    """Axes on which some numbers make another structure than the others: a batch of 1, or a width without projections.

    They only save time: points that part in another way are taken apart when that shows.
    """

    def __init__(self) -> None:
        self.known: list[tuple[str, tuple[int, ...]]] = []

    def learn(self, points: Points, where: np.ndarray[Any, Any]) -> None:
        """Remembers a parting, if the numbers of one axis make it."""
        import numpy as np

        for name, value in points.values.items():
            if isinstance(value, int) or len(self.known) >= MOST:
                continue
            numbers, mask = np.broadcast_arrays(value, where)
            inside, outside = np.unique(numbers[mask]), np.unique(numbers[~mask])
            found = (name, tuple(inside.tolist()))
            if found not in self.known and not np.isin(inside, outside).any():
                self.known.append(found)
                return

    def apart(self, points: Points) -> list[Points]:
        """The points, taken apart where others have parted."""
        import numpy as np

        parts = [points]
        for name, numbers in self.known:
            split: list[Points] = []
            for part in parts:
                mask = np.isin(part.values[name], numbers)
                split += part.parted(mask) if mask.any() and not mask.all() else [part]
            parts = split
        return parts

"""A quantity over time as a chart of block characters: how live bytes rise in forward and fall in backward."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, pairwise

BLOCKS = " ▁▂▃▄▅▆▇█"


def chart(values: Sequence[int], phases: Sequence[str], label: str, *, width: int, height: int = 8) -> list[str]:
    r"""Lines of a chart of ``values`` over time, about ``width`` characters wide.

    phases: of each value; where one begins it is named below the axis, and has room for its name. label: of the largest
    value, at the top left. Several values that fall into one column show as the largest of them, so that no peak is
    lost.

    >>> print("\n".join(chart([1, 2, 4, 2], ["up", "up", "up", "down"], "4 B", width=16, height=2)))
    4 B ┤    █
      0 ┤▄▄████████
        └up───down─
    """
    runs = [(phase, [value for value, _ in run]) for phase, run in groupby(zip(values, phases, strict=True), _phase)]
    margin = max(len(label), 1)
    least = sum(len(phase) + 1 for phase, _ in runs)
    spare = max(0, width - margin - 2 - least)
    top = max(values) or 1
    columns: list[int] = []
    axis = ""
    for phase, own in runs:
        share = len(phase) + 1 + spare * len(own) // len(values)
        edges = [len(own) * n // share for n in range(share + 1)]
        columns += [max(own[a : max(b, a + 1)]) for a, b in pairwise(edges)]
        axis += phase + "─" * (share - len(phase))
    heights = [-(-value * height * 8 // top) for value in columns]
    lines = []
    for level in range(height - 1, -1, -1):
        name = label if level == height - 1 else "0" if level == 0 else ""
        cells = "".join(BLOCKS[min(8, max(0, each - 8 * level))] for each in heights)
        lines.append(f"{name:>{margin}} ┤{cells}".rstrip())
    return [*lines, f"{'':>{margin}} └{axis}"]


def _phase(pair: tuple[int, str]) -> str:
    return pair[1]

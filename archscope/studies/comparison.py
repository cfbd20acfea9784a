"""Where do networks differ? Stages aligned by how far the image has shrunk; differences that add up exactly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

from archscope.core.arithmetic import product
from archscope.core.errors import Problem, UsageError
from archscope.core.showing import shown_as_html, shown_as_text
from archscope.studies.profiling import NEVER_RAN, Profile, Row

QUANTITIES = ("params", "macs", "activations")
HEAD = "head"


class Stage(NamedTuple):
    """Layers whose outputs have shrunk equally: ``1/4`` of the input's side, or ``head`` for vectors.

    shapes: per network the resolutions that fall in it; layers: per network how many of its layers do; values: per
    quantity and network the sum over them.
    """

    name: str
    shapes: tuple[str, ...]
    layers: tuple[int, ...]
    values: dict[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Networks side by side. The stages of a quantity add up to its total, so their differences add up as well."""

    networks: tuple[str, ...]
    profiles: tuple[Profile, ...]
    stages: tuple[Stage, ...]
    totals: dict[str, tuple[int, ...]]

    _repr_html_ = shown_as_html
    __str__ = shown_as_text

    def share(self, stage: Stage, quantity: str, network: int) -> float:
        """Which part of a network's total a stage holds, from 0 to 1."""
        total = self.totals[quantity][network]
        return stage.values[quantity][network] / total if total else 0.0

    def difference(self, stage: Stage, quantity: str, network: int) -> int:
        """How much more of a quantity a stage of a network has than the first network's."""
        return stage.values[quantity][network] - stage.values[quantity][0]

    def total_difference(self, quantity: str, network: int) -> int:
        """How much more of a quantity a network has than the first one: what the stages' differences add up to."""
        return self.totals[quantity][network] - self.totals[quantity][0]


def compared(profiles: Sequence[Profile]) -> Comparison:
    """The comparison of two or more profiles that have the columns of :data:`QUANTITIES` and ``output_shape``.

    Raises UsageError for fewer than two, or for profiles in different settings.
    """
    if len(profiles) < 2:
        raise UsageError(Problem("too-few", "a comparison needs two networks or more"))
    if len({profile.setting for profile in profiles}) > 1:
        raise UsageError(Problem("mixed-settings", "these profiles are of different batch, dtype or mode"))
    grouped = [rows_by_stage(profile) for profile in profiles]
    stages = tuple(_stage(key, grouped) for key in stage_order(grouped))
    totals = {
        name: tuple(sum(stage.values[name][n] for stage in stages) for n in range(len(profiles))) for name in QUANTITIES
    }
    return Comparison(tuple(profile.network for profile in profiles), tuple(profiles), stages, totals)


def rows_by_stage(profile: Profile) -> dict[str, list[Row]]:
    """The layers by how far the image has shrunk at their output, in running order; see :class:`Stage`."""
    rows: dict[str, list[Row]] = {}
    for row in profile.rows:
        shape = row.values["output_shape"]
        key = NEVER_RAN if shape is None else _key(shape, profile.input_shape)
        rows.setdefault(key, []).append(row)
    return rows


def stage_order(grouped: Iterable[Mapping[str, Sequence[Row]]]) -> list[str]:
    """The stages that any of several networks has, from the input to the head."""
    return sorted({key for each in grouped for key in each}, key=_position)


def _key(shape: tuple[int, ...], input_shape: tuple[int, ...]) -> str:
    """``head`` for a vector or a single position, else the nearest power of two by which the side has shrunk."""
    axes = shape[1:]
    if not axes or product(axes) == 1:
        return HEAD
    shrunk = Fraction(product(input_shape[1:]), product(axes))
    halvings = 0
    while shrunk >= Fraction(2) * 4**halvings:
        halvings += 1
    return f"1/{2**halvings}" if halvings else "1"


def _position(key: str) -> int:
    return {HEAD: 10**9, NEVER_RAN: 10**10}.get(key) or int(key.rpartition("/")[2])


def _stage(key: str, grouped: Sequence[dict[str, list[Row]]]) -> Stage:
    shapes = tuple(_resolutions(each.get(key, [])) for each in grouped)
    values = {
        name: tuple(sum(_known(row, name) for row in each.get(key, [])) for each in grouped) for name in QUANTITIES
    }
    return Stage(key, shapes, tuple(len(each.get(key, [])) for each in grouped), values)


def _known(row: Row, quantity: str) -> int:
    value: Any = row.values[quantity]
    if value is None:
        raise UsageError(
            Problem("unknown-count", f"{quantity} of {row.name} ({row.op}) is not known: nothing can be compared")
        )
    return int(value)


def _resolutions(rows: list[Row]) -> str:
    seen = dict.fromkeys("×".join(str(size) for size in (row.values["output_shape"] or ())[1:]) for row in rows)
    return ", ".join(each for each in seen if each)

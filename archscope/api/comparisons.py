"""``compare``: networks side by side, stage by stage."""

from __future__ import annotations

from typing import Any, Unpack

from archscope.api.profiles import profile
from archscope.spec.options import Changes
from archscope.studies.comparison import QUANTITIES, Comparison, compared


def compare(*networks: Any, batch: int = 1, mode: str = "eval", **changes: Unpack[Changes]) -> Comparison:
    """Two networks or more: params, MACs and activations by stage, whose differences add up to those of the totals.

    networks: what :func:`archscope.profile` takes, each; batch, mode and changes hold for all. Raises UsageError for
    fewer than two, and what profile raises.
    """
    columns = ("output_shape", *QUANTITIES)
    return compared([profile(each, batch, mode=mode, columns=columns, **changes) for each in networks])

"""What no op captures: an operator of somebody's own, whose counts archscope does not know and does not guess."""

from __future__ import annotations

from dataclasses import dataclass

from archscope.ops import Observed


@dataclass(frozen=True, slots=True)
class Unknown(Observed):
    """An operator by its ``function``'s name, with the ``shapes`` that it was seen to return. Every count is missing.

    >>> Unknown("mine::swirl", ((1, 64, 28, 28),)).macs((1, 64, 28, 28)) is None
    True
    """

"""Does it learn? The verdict on a training, from its signs."""

from __future__ import annotations

from typing import NamedTuple

from archscope.training.observing import Observed
from archscope.training.signs import ENOUGH_STEPS, FAULT, FINE, Sign, signs_of

LEARNS, FAILS, UNDECIDED = "learns", "does not learn", "undecided"

EXIT_CODES = {LEARNS: 0, FAILS: 1, UNDECIDED: 3}


class Verdict(NamedTuple):
    """What it comes to. signs: all the evidence, in order; causes: of what is proved to be wrong, the first first."""

    verdict: str
    signs: tuple[Sign, ...]
    causes: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """Of the command: 0 learns, 1 does not, 3 undecided."""
        return EXIT_CODES[self.verdict]


def verdict_on(seen: Observed) -> Verdict:
    """The verdict on a training.

    A proved fault means that it does not learn as it should. Without one it learns if held-out accuracy is above chance
    and the loss falls, does not learn if neither is so after enough steps, and is undecided else.
    """
    signs = tuple(signs_of(seen))
    causes = tuple(dict.fromkeys(sign.cause for sign in signs if sign.status == FAULT))
    if causes:
        return Verdict(FAILS, signs, causes)
    shown = {sign.name: sign.status == FINE for sign in signs}
    better, falling = shown.get("held-out", False), shown.get("trend", False)
    if better and falling:
        return Verdict(LEARNS, signs, ())
    short = len(seen.curve) < ENOUGH_STEPS
    return Verdict(UNDECIDED if better or falling or short else FAILS, signs, ())

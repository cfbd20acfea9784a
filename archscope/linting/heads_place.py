"""An auxiliary head that starts from another module than the paper's, or is missing."""

from __future__ import annotations

from collections.abc import Iterator

from archscope.linting import WARNING, Found, Subject

LEVEL = WARNING
SOURCE = "arXiv:1409.4842, section 5 (after 4a and 4d); microsoft/CNTK#1302 (17×17×768 for 8×8×1280)"


def examine(subject: Subject) -> Iterator[Found]:
    """Heads that are attached elsewhere than in the network that the name promises."""
    for each in subject.differences:
        if each.aspect == "attached":
            yield Found(
                f"the auxiliary head {each.what}",
                "it trains other layers than the paper's head does: those behind the place get none of its gradient",
                f"attach it after {each.spec}",
                place=each.where,
            )

"""``evaluate``: how well a trained network does on a split of data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from archscope.api.trained import trained
from archscope.core.errors import Problem, UsageError

if TYPE_CHECKING:
    from archscope.training.data import Request
    from archscope.training.evaluating import Tally
    from archscope.training.preprocessing import Preprocessing
    from archscope.training.runs import Run


class Evaluation(NamedTuple):
    """How well a run's network does. scales: shorter sides that probabilities are averaged over, one or more.

    split: ``train``, ``validation``, ``test`` or ``all``. skipped: files that were left out since they cannot be read.
    """

    run: str
    checkpoint: str
    data: str
    split: str
    scales: tuple[int, ...]
    dense: bool
    skipped: tuple[str, ...]
    tally: Tally


def evaluate(  # noqa: PLR0913  a public verb: its keywords are the flags of the command
    run: str | Path,
    data: str | None = None,
    *,
    split: str | None = None,
    scales: Sequence[int] = (),
    dense: bool = False,
    checkpoint: str | None = None,
    device: str = "auto",
    download: bool = False,
    root: str | Path | None = None,
    skip_corrupt: bool = False,
    num_workers: int = 0,
    trust_code: bool = False,
) -> Evaluation:
    """How well the network of a run does: accuracy with its interval, per class, and the confusion of classes.

    run: the folder that a training wrote. data: as in training; that of the run when left out, split as it was.
    split: of it; ``test`` where there is one, else ``validation`` of the run's own data and ``all`` of other data.
    scales: shorter sides of the pictures, whose probabilities are averaged. dense: FC layers as convolutions slid over
    whole pictures, scores averaged over the places (arXiv:1409.1556, section 3.2); else the centre is cut out.
    checkpoint, device, trust_code: as of :func:`archscope.predict`. download, root, skip_corrupt: as in training.
    num_workers: processes that read pictures from files ahead.

    Raises UsageError for a split or a scale that there is not, ArchscopeError for data with classes that the run does
    not know, and what :func:`archscope.api.trained.trained` and the data set raise.
    """
    from archscope.training.data import Request, refuse_outside
    from archscope.training.downloads import data_root
    from archscope.training.evaluating import in_classes_of, said_of, tally_of

    _checked_workers(num_workers, dense=dense)
    asked = trained(run, checkpoint=checkpoint, device=device, trust_code=trust_code, dense=dense)
    own = asked.run
    ways = _ways(own.preprocessing, scales, dense=dense)
    name = data if data is not None else str(own.data["name"])
    shape = (own.preprocessing.channels, *own.preprocessing.size)
    request = Request("", shape, own.data["seed"], data_root(root), download, skip_corrupt)
    chosen, part = _part(own, name, split, request)
    refuse_outside(name, chosen, part.labels, len(part.classes))
    known = in_classes_of(part, own.classes, name)
    said = said_of(asked.model, known, ways, len(own.classes), dense=dense, num_workers=num_workers)
    sides = tuple(way.short_side for way in ways) if scales or dense else ()
    skipped = tuple(getattr(part, "skipped", ()))
    return Evaluation(str(run), asked.checkpoint, name, chosen, sides, dense, skipped, tally_of(said, own.classes))


def _checked_workers(count: int, *, dense: bool) -> None:
    if count < 0:
        raise UsageError(Problem("bad-value", f"num_workers is {count}", expected="a whole number from 0 on"))
    if count and dense:
        message = "whole pictures of any sizes are read in this process, and num_workers is " + str(count)
        raise UsageError(Problem("bad-value", message, help="--dense without --num-workers"))


def _ways(how: Preprocessing, scales: Sequence[int], *, dense: bool) -> list[Preprocessing]:
    """How pictures are preprocessed: as in training, or at each of the scales."""
    from archscope.training.runs import MOST_PIXELS

    least = max(how.size)
    for side in scales:
        if not least <= side <= MOST_PIXELS:
            message = f"the scale {side} is not between {least}, the network's input, and {MOST_PIXELS:,} pixels"
            raise UsageError(Problem("bad-value", message))
    if not scales:
        return [how.at_short_side(how.short_side) if dense else how]
    return [how.at_short_side(side) for side in scales]


def _part(own: Run, name: str, split: str | None, request: Request) -> tuple[str, Any]:
    """The split that is asked for, or that suits the data, as it is stored."""
    from archscope.training.data import splits_of
    from archscope.training.evaluating import ALL, whole

    found = splits_of(name, request)
    usual = "test" if "test" in found else "validation" if name == own.data["name"] else ALL
    chosen = usual if split is None else split
    if chosen == ALL:
        return ALL, whole(list(found.values()))
    if chosen not in found:
        raise UsageError(Problem("bad-value", f"{name} has no split {chosen!r}", expected=", ".join([*found, ALL])))
    return chosen, found[chosen]

"""``predict``: what a trained network says of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from archscope.api.trained import trained
from archscope.core.errors import Problem, UsageError

if TYPE_CHECKING:
    from archscope.training.predicting import Prediction


def predict(
    run: str | Path,
    images: str | Path | Sequence[str | Path],
    *,
    top: int = 5,
    checkpoint: str | None = None,
    device: str = "auto",
    trust_code: bool = False,
) -> tuple[Prediction, ...]:
    """The ``top`` likeliest classes of each picture, with their probabilities, by the network of a run.

    run: the folder that a training wrote. images: paths of pictures; each is preprocessed as the training did.
    checkpoint: ``best``, by validation, or ``last``; the best there is when left out. device: ``auto``, ``cpu`` or
    ``cuda``. trust_code: whether a run of a module's address may import and run that module.

    Raises UnreadablePicture, naming the files that are no pictures, and what :func:`archscope.api.trained.trained`
    raises.
    """
    from archscope.training.predicting import AT_ONCE, likeliest, prepared, probabilities

    paths = [Path(images)] if isinstance(images, str | Path) else [Path(each) for each in images]
    if not paths:
        raise UsageError(Problem("missing-argument", "predict needs a picture"))
    if top < 1:
        raise UsageError(Problem("bad-value", f"top is {top}", expected="a whole number from 1"))
    asked = trained(run, checkpoint=checkpoint, device=device, trust_code=trust_code)
    how, classes = asked.run.preprocessing, asked.run.classes
    found: list[Prediction] = []
    for start in range(0, len(paths), AT_ONCE):
        chosen = paths[start : start + AT_ONCE]
        given = probabilities(asked.model, prepared(chosen, how), len(classes))
        found += [likeliest(str(path), each, classes, top) for path, each in zip(chosen, given, strict=True)]
    return tuple(found)

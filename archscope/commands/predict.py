"""``archscope predict runs/digits picture.png``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from archscope.api.predictions import predict as predicted
from archscope.commands import (
    CheckpointFlag,
    ForceFlag,
    FormatFlag,
    OutputFlag,
    RunArgument,
    TrainDeviceFlag,
    TrustCodeFlag,
    emit,
    refuse_written,
)
from archscope.commands._watching import watched
from archscope.formats import Field, Sheet

if TYPE_CHECKING:
    from archscope.training.predicting import Prediction


def predict(
    run: RunArgument,
    images: Annotated[list[str], typer.Argument(help="Pictures, in files.", metavar="IMAGE…")],
    top: Annotated[int, typer.Option("--top", min=1, help="How many classes of each picture.", metavar="N")] = 5,
    checkpoint: CheckpointFlag = None,
    device: TrainDeviceFlag = "auto",
    trust_code: TrustCodeFlag = False,
    format_: FormatFlag = None,
    output: OutputFlag = None,
    force: ForceFlag = False,
) -> None:
    """The likeliest classes of pictures, with their probabilities, by a trained network.

    Each picture is preprocessed exactly as the run's training did it.

    Examples:

        archscope predict runs/digits seven.png

        archscope predict runs/digits seven.png eight.png --top 3 --format json
    """
    refuse_written(output, force=force)
    with watched(f"looking at {len(images)} picture{'s' * (len(images) != 1)}"):
        found = predicted(run, images, top=top, checkpoint=checkpoint, device=device, trust_code=trust_code)
    emit(_sheet(run, found), format_, output, force=force)


def _sheet(run: str, found: Sequence[Prediction]) -> Sheet:
    """A line per class, the likeliest first, under the name of the picture."""
    fields = (
        Field("image", "image", heading=True),
        Field("class", "class", least=12),
        Field("probability", "probability", "share"),
    )
    rows, headings = list[tuple[str, str, float]](), dict[int, str]()
    for each in found:
        headings[len(rows)] = each.image
        rows += [(each.image, name, share) for name, share in zip(each.classes, each.probabilities, strict=True)]
    data = {"run": run, "images": [_plain(each) for each in found]}
    pictures = f"{len(found)} pictures" if len(found) > 1 else "1 picture"
    return Sheet("predict", f"{run}: {pictures}", fields, tuple(rows), data=data, headings=headings)


def _plain(found: Prediction) -> dict[str, object]:
    classes = [
        {"class": name, "probability": share} for name, share in zip(found.classes, found.probabilities, strict=True)
    ]
    return {"image": found.image, "classes": classes}

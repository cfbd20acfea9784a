"""``archscope evaluate runs/digits``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from archscope.api.evaluations import evaluate as evaluated
from archscope.commands import (
    CheckpointFlag,
    DataRootFlag,
    DownloadFlag,
    ForceFlag,
    FormatFlag,
    NumWorkersFlag,
    OutputFlag,
    RunArgument,
    SkipCorruptFlag,
    TrainDeviceFlag,
    TrustCodeFlag,
    emit,
    refuse_written,
)
from archscope.commands._watching import watched
from archscope.core.errors import Problem, UsageError
from archscope.formats import Field, Sheet, spelled

if TYPE_CHECKING:
    from archscope.api.evaluations import Evaluation
    from archscope.training.evaluating import ClassScore


def evaluate(
    run: RunArgument,
    data: Annotated[
        str | None,
        typer.Option("--data", help="A data set, folder:PATH; that of the run unless given.", metavar="NAME"),
    ] = None,
    split: Annotated[
        str | None, typer.Option("--split", help="train, validation, test or all.", metavar="SPLIT")
    ] = None,
    scales: Annotated[
        str | None,
        typer.Option("--scales", help="Shorter sides, averaged over: 256,384.", metavar="LIST"),
    ] = None,
    dense: Annotated[bool, typer.Option("--dense", help="FC layers as convolutions, over whole pictures.")] = False,
    confusion: Annotated[bool, typer.Option("--confusion", help="Which class is taken for which, in full.")] = False,
    checkpoint: CheckpointFlag = None,
    device: TrainDeviceFlag = "auto",
    download: DownloadFlag = False,
    data_root: DataRootFlag = None,
    skip_corrupt: SkipCorruptFlag = False,
    num_workers: NumWorkersFlag = 0,
    trust_code: TrustCodeFlag = False,
    format_: FormatFlag = None,
    output: OutputFlag = None,
    force: ForceFlag = False,
) -> None:
    """How well a trained network does: accuracy with its interval, per class, and what is taken for what.

    The run's own data are split as in training: the test split where there is one, else validation. Of other data
    without a test split, all is evaluated; classes are matched by their names.

    Examples:

        archscope evaluate runs/digits

        archscope evaluate runs/digits --confusion

        archscope evaluate runs/digits --data folder:more --scales 32,40,48 --dense
    """
    refuse_written(output, force=force)
    with watched(f"evaluating {run}"):
        found = evaluated(
            run, data, split=split, scales=_sides(scales), dense=dense, checkpoint=checkpoint, device=device,
            download=download, root=data_root, skip_corrupt=skip_corrupt, num_workers=num_workers,
            trust_code=trust_code,
        )  # fmt: skip
    emit(_confusion(found) if confusion else _per_class(found), format_, output, force=force)


def _sides(text: str | None) -> list[int]:
    """The sides that ``256,384`` says. Raises UsageError for anything else."""
    if text is None:
        return []
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and len(part) < 10 for part in parts):
        raise UsageError(Problem("bad-value", f"--scales is {text!r}", expected="pixels, such as 256,384"))
    return [int(part) for part in parts]


def _per_class(found: Evaluation) -> Sheet:
    fields = (
        Field("class", "class", least=12),
        Field("examples", "examples", "count"),
        Field("correct", "correct", "count", keep=2),
        Field("recall", "recall", "share"),
        Field("precision", "precision", "share"),
        Field("mistaken", "mostly mistaken for", keep=1, least=12),
    )
    rows = tuple(
        (each.name, each.examples, each.correct, each.recall, each.precision, _mistaken(each))
        for each in found.tally.per_class
    )
    return _sheet(found, fields, rows)


def _confusion(found: Evaluation) -> Sheet:
    """A line per class, a column per class that is said."""
    classes = found.tally.classes
    fields = (Field("class", "class \\ said", least=8), *(Field(name, name, "count") for name in classes))
    rows = tuple((name, *row) for name, row in zip(classes, found.tally.confusion, strict=True))
    return _sheet(found, fields, rows)


def _sheet(found: Evaluation, fields: tuple[Field, ...], rows: tuple[tuple[Any, ...], ...]) -> Sheet:
    notes, closing = _notes(found), _closing(found)
    return Sheet("evaluate", _title(found), fields, rows, notes=notes, closing=closing, data=_data(found))


def _title(found: Evaluation) -> str:
    part = "all splits" if found.split == "all" else f"the {found.split} split"
    return f"{found.run} on {found.data}, {part}: {found.tally.examples:,} examples"


def _mistaken(score: ClassScore) -> str:
    return f"{score.mistaken} ({score.mistaken_count:,})" if score.mistaken_count else ""


def _notes(found: Evaluation) -> tuple[str, ...]:
    """How it was asked."""
    how = [f"the {found.checkpoint} checkpoint"]
    how += [f"shorter side {', '.join(map(str, found.scales))}"] if found.scales else []
    how += ["FC layers as convolutions over whole pictures"] if found.dense else []
    count = len(found.skipped)
    left = "1 file that cannot be read was" if count == 1 else f"{count:,} files that cannot be read were"
    return ("; ".join(how), *([f"{left} left out"] if count else []))


def _closing(found: Evaluation) -> tuple[str, ...]:
    tally = found.tally
    low, high = (f"{100 * each:.1f}" for each in tally.interval)
    accuracy = spelled(tally.accuracy, "share")
    among = spelled(tally.among / tally.examples, "share")
    top = f"top {tally.top} {among}, " if tally.top < len(tally.classes) else ""
    right = f"{tally.correct:,} of {tally.examples:,} right"
    return (f"accuracy {accuracy} ({right}; 95 % interval {low} to {high} %), {top}loss {tally.loss:.4f}",)


def _data(found: Evaluation) -> dict[str, object]:
    tally = found.tally
    return {
        **{name: value for name, value in found._asdict().items() if name != "tally"},
        "examples": tally.examples,
        "correct": tally.correct,
        "accuracy": tally.accuracy,
        "interval": tally.interval,
        "loss": tally.loss,
        f"top_{tally.top}": tally.among / tally.examples,
        "per_class": [
            {**each._asdict(), "recall": each.recall, "precision": each.precision} for each in tally.per_class
        ],
        "confusion": tally.confusion,
    }

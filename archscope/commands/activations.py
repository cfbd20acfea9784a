"""``archscope activations vgg16 photo.jpg -o maps.png``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archscope.api import maps
from archscope.api.maps import Subject
from archscope.commands import ForceFlag, takes_network
from archscope.commands._watching import watched
from archscope.core.errors import Problem, UsageError, printable
from archscope.core.writing import refuse_taken, write_whole
from archscope.spec.options import Changes

if TYPE_CHECKING:
    from archscope.running.scaling import Scale


WeightsFlag = Annotated[
    str | None,
    typer.Option(
        "--weights", help="torchvision, random, a state dict, or a run's folder; none: the pools.", metavar="FROM"
    ),
]
DownsampleFlag = Annotated[
    str,
    typer.Option(
        "--downsample",
        help="Instead of the pools: max, avg, gaussian, nearest, linear, area, cubic, lanczos.",
        metavar="NAMES",
    ),
]
ClassFlag = Annotated[
    str,
    typer.Option("--class-map", help="Where it looks for a class: a number, top, or a run's class.", metavar="CLASS"),
]


LayersFlag = Annotated[
    str, typer.Option("--layers", help="Layers and blocks, separated by commas; the pools else.", metavar="NAMES")
]
ScaleFlag = Annotated[
    str, typer.Option("--scale", help="channel, layer, percentile:1,99, zscore or symmetric.", metavar="SCALE")
]


@takes_network
def activations(
    network: Annotated[str, typer.Argument(help="A name or a table file: ./mine.toml:B.", metavar="NETWORK")],
    image: Annotated[Path, typer.Argument(help="An image that Pillow reads.", metavar="IMAGE")],
    changes: Changes,
    output: Annotated[Path, typer.Option("--output", "-o", help="The picture: .png, .pdf or .svg.", metavar="FILE")],
    weights: WeightsFlag = None,
    layers: LayersFlag = "",
    scale: ScaleFlag = "channel",
    downsample: DownsampleFlag = "",
    class_map: ClassFlag = "",
    unit: Annotated[
        str, typer.Option("--unit", help="What a unit sees: a layer, row and column, pool3:10,12.", metavar="UNIT")
    ] = "",
    download: Annotated[bool, typer.Option("--download", help="Fetch torchvision's weights if need be.")] = False,
    force: ForceFlag = False,
) -> None:
    """An image as it passes through a network: the channels of its layers, with what their numbers are.

    With weights a grid of channels per layer. Without, the image through the pools alone, in grey and in colour, or
    made smaller in other ways side by side, with the share of edge energy that each keeps. The image keeps its aspect;
    what was cut off is printed. With a training run's folder as weights, the network is the run's, with the run's
    changes, and the image is prepared as in its validation.

    Examples:

        archscope activations vgg16 photo.jpg -o pools.png

        archscope activations squeezenet1_1 photo.jpg --weights random --layers conv1,pool1 --scale zscore -o maps.png

        archscope activations vgg16 photo.jpg --downsample max,avg,lanczos -o smaller.png

        archscope activations squeezenet1_1 photo.jpg --weights random --class-map top -o class.png

        archscope activations vgg11 photo.jpg --weights runs/digits --class-map top -o trained.png

        archscope activations vgg16 photo.jpg --unit pool3:10,12 -o field.png
    """
    from archscope.running.scaling import scale_of

    kind = _kind(output)
    _check_together(weights, {"--downsample": downsample, "--class-map": class_map, "--unit": unit, "--layers": layers})
    refuse_taken(output, force=force)
    chosen = scale_of(scale)
    with watched(f"running {network}"):
        subject = maps.subject_of(network, image, weights, **changes)
        if unit:
            content, said = _field(subject, unit, kind)
        elif class_map:
            content, said = _class(subject, weights or "random", class_map, kind, download=download)
        elif weights is None:
            content, said = _pools(subject, downsample, kind)
        else:
            content, said = _maps(subject, weights, layers, chosen, kind, download=download)
    write_whole(output, content, force=force)
    run = [subject.asked.words] if subject.asked is not None else []
    for line in [subject.image.note, *run, *said, f"wrote {output}"]:
        typer.echo(printable(line))


def _kind(output: Path) -> str:
    from archscope.running.pictures import ENDINGS

    if output.suffix not in ENDINGS:
        message = f"the name {str(output)!r} does not say a format"
        raise UsageError(Problem("bad-value", message, expected=f"a name that ends in {', '.join(ENDINGS)}"))
    return ENDINGS[output.suffix]


def _check_together(weights: str | None, given: dict[str, str]) -> None:
    """Raises UsageError for flags of different pictures, and for those that need weights, or none."""
    flags = [flag for flag, value in given.items() if value]
    if len(flags) > 1:
        raise UsageError(Problem("bad-value", f"{' and '.join(flags)} are different pictures", help="ask for one"))
    needs = [flag for flag in flags if flag in {"--class-map", "--layers"}]
    if needs and weights is None:
        message = f"{needs[0]} needs a network with weights"
        raise UsageError(
            Problem("no-weights", message, help="--weights torchvision, random, a state dict, or a run's folder")
        )
    if weights is not None and flags and not needs:
        raise UsageError(Problem("bad-value", f"{flags[0]} is of the image alone, and --weights changes nothing"))


def _title(subject: Subject, what: str) -> str:
    return f"{subject.image.note.partition(' (')[0]} · {subject.spec.name} · {what}"


def _of_weights(subject: Subject, weights: str) -> str:
    if subject.asked is not None:
        return subject.asked.title
    return {"random": "random weights, seed 0", "torchvision": "torchvision's weights"}.get(weights, Path(weights).name)


def _maps(
    subject: Subject, weights: str, layers: str, scale: Scale, kind: str, *, download: bool
) -> tuple[bytes, list[str]]:
    from archscope.running import pictures
    from archscope.running.scaling import scaled

    found = maps.maps_in(
        subject, [name.strip() for name in layers.split(",") if name.strip()], weights, download=download
    )
    words = f"{_of_weights(subject, weights)}, scaled by {scale.kind}"
    said = [pictures.caption(each, scaled(each.values, scale)[1]) for each in found]
    return pictures.maps_picture(_title(subject, words), found, scale, kind), said


def _pools(subject: Subject, downsample: str, kind: str) -> tuple[bytes, list[str]]:
    from archscope.running.pictures import percent, reductions_picture
    from archscope.running.reductions import checked_methods

    methods = checked_methods(downsample) if downsample else []
    rows = maps.pooled_images(subject, methods)
    said = [
        f"{name}: " + ", ".join(f"{each.name} keeps {percent(each.edges)} of the edges" for each in row[1:])
        for name, row in rows
    ]
    what = "made smaller" if methods else "its pools alone"
    return reductions_picture(_title(subject, what), rows, kind), said


def _class(subject: Subject, weights: str, wanted: str, kind: str, *, download: bool) -> tuple[bytes, list[str]]:
    from archscope.running.pictures import class_picture, percent

    found = maps.class_map_of(subject, weights, wanted, download=download)
    title = _title(subject, f"Grad-CAM, {_of_weights(subject, weights)}")
    said = f"{found.title} with {percent(found.share)}, seen by the maps of {found.layer}"
    return class_picture(title, subject.image.pixels, found, kind), [said]


def _field(subject: Subject, unit: str, kind: str) -> tuple[bytes, list[str]]:
    from archscope.running.pictures import field_picture

    found = maps.unit_field(subject, unit)
    status = "" if found.exact else "at most "
    size, place = f"{found.width}×{found.height} pixels", f"column {found.left} and row {found.top}"
    words = f"{found.name} sees {status}{size}, from {place} on"
    box = (found.left, found.top, found.width, found.height)
    return field_picture(_title(subject, "receptive field"), subject.image.pixels, box, words, kind), [words]

"""``archscope draw googlenet -o googlenet.svg``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from archscope.api import pictures
from archscope.commands import ForceFlag, takes_network
from archscope.commands._watching import watched
from archscope.core.errors import Problem, UsageError, printable
from archscope.core.writing import refuse_taken, write_whole
from archscope.spec.options import Changes

ENDINGS = {".svg": "svg", ".mmd": "mermaid", ".dot": "dot", ".png": "png", ".pdf": "pdf"}


@takes_network
def draw(
    network: Annotated[
        str, typer.Argument(help="A name, a table file (./mine.toml:B) or a module's address.", metavar="NETWORK")
    ],
    changes: Changes,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write to a file: .svg, .mmd, .dot; .png or .pdf.", metavar="FILE"),
    ] = None,
    style: Annotated[str, typer.Option("--style", help="boxes, or volumes: maps to scale.", metavar="STYLE")] = "boxes",
    depth: Annotated[
        int | None, typer.Option("--depth", min=0, help="Blocks deeper than this are one box each.", metavar="N")
    ] = None,
    highlight: Annotated[
        str, typer.Option("--highlight", help="Colour by params, macs or memory.", metavar="COLUMN")
    ] = "",
    force: ForceFlag = False,
) -> None:
    """A network as a picture: sequence downwards, branches side by side, repeats once with their number.

    Without a file the SVG is printed.

    Examples:

        archscope draw googlenet -o googlenet.svg --force

        archscope draw resnet152 -o resnet152.svg --highlight params --force

        archscope draw vgg16 --style volumes -o vgg16.svg --force
    """
    kind = _kind(output)
    if output is None:
        sys.stdout.write(pictures.draw(network, kind, style=style, depth=depth, highlight=highlight, **changes))
        return
    refuse_taken(output, force=force)
    drawn = "svg" if kind in {"png", "pdf"} else kind
    with watched(f"drawing {network}"):
        text = pictures.draw(network, drawn, style=style, depth=depth, highlight=highlight, **changes)
        content: str | bytes = text
        if drawn != kind:
            from archscope.drawings.raster import raster

            content = raster(text, kind)
    write_whole(output, content, force=force)
    typer.echo(f"wrote {printable(str(output))}")


def _kind(output: Path | None) -> str:
    """What the file's name asks for. Raises UsageError where its ending says nothing."""
    if output is None:
        return "svg"
    if output.suffix not in ENDINGS:
        message = f"the name {str(output)!r} does not say a format"
        raise UsageError(Problem("bad-value", message, expected=f"a name that ends in {', '.join(ENDINGS)}"))
    return ENDINGS[output.suffix]

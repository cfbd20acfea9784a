"""``archscope report vgg16 googlenet -o report.html``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from archscope import catalog
from archscope.commands import BatchFlag, Flags, ForceFlag, takes_network
from archscope.commands._watching import watched
from archscope.core.errors import Problem, UsageError, printable
from archscope.core.writing import refuse_taken, write_whole

ENDINGS = (".html", ".htm")


@takes_network
def report(
    networks: Annotated[
        list[str] | None,
        typer.Argument(
            help="Networks; a table's name or file stands for all of its; modules by their addresses.",
            metavar="NETWORK...",
            show_default=False,
        ),
    ] = None,
    *,
    changes: Flags,
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write: .html.", metavar="FILE")] = Path(
        "report.html"
    ),
    batch: BatchFlag = 1,
    sweep: Annotated[
        list[Path] | None,
        typer.Option("--sweep", help="Draw what archscope sweep -o wrote: .csv, .json, .parquet.", metavar="FILE"),
    ] = None,
    run: Annotated[
        list[Path] | None,
        typer.Option("--run", help="Show what archscope train --out wrote; may be repeated.", metavar="FOLDER"),
    ] = None,
    force: ForceFlag = False,
) -> None:
    """Networks as a page to look at: one HTML file that works without a network connection.

    The papers' tables with computed numbers and refuted cells, each network drawn with the derivation of every layer,
    charts of params, MACs, memory and receptive field, the step from the first network to each other, the live memory
    of a training step, and a table of all layers to sort and filter. With --run the verdict of a training, its
    evidence, and its curves of loss and accuracy; a page of runs or sweeps alone needs no network.

    Examples:

        archscope report vgg16 googlenet -o report.html --force

        archscope report --run runs/digits -o run.html

        archscope report resnet18 --batch 8 -o resnet18.html --force
    """
    if output.suffix not in ENDINGS:
        message = f"the name {str(output)!r} says no page of HTML"
        raise UsageError(Problem("bad-value", message, expected=f"a name that ends in {' or '.join(ENDINGS)}"))
    refuse_taken(output, force=force)
    from archscope.api import reports

    names = catalog.named_networks(networks) if networks else []
    with watched(f"reporting {' and '.join(names) or 'runs'}"):
        text = reports.report(names, batch=batch, sweeps=sweep or [], runs=run or [], **changes)
    write_whole(output, text, force=force)
    typer.echo(f"wrote {printable(str(output))}, {len(text.encode('utf-8')) / 1e6:.1f} MB")

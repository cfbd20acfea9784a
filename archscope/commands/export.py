"""``archscope export googlenet -o googlenet.py``, ``.toml`` or ``.onnx``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from archscope.api import exports
from archscope.commands import Flags, ForceFlag, takes_network
from archscope.commands._watching import watched
from archscope.core.errors import Problem, UsageError, printable
from archscope.core.writing import refuse_taken, write_whole


@takes_network
def export(
    network: Annotated[
        str, typer.Argument(help="A name, a table file (./mine.toml:B) or a module's address.", metavar="NETWORK")
    ],
    changes: Flags,
    to: Annotated[
        str | None,
        typer.Option("--to", help=f"{', '.join(exports.TARGETS)}; python unless a file says.", metavar="TARGET"),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write to a file; its ending says the target.", metavar="FILE"),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option("--weights", help="For onnx: torchvision, or a state dict's file; random else.", metavar="FROM"),
    ] = None,
    force: ForceFlag = False,
) -> None:
    """A network as a file for others: a Python module that imports only torch, a table, or ONNX.

    A table holds all changes in its cells, and reads back as the same network; one of a module's address too, where it
    is layers and branches that join. ONNX files are checked, and run beside torch, before they are written.

    Examples:

        archscope export googlenet --to python

        archscope export vgg11 --width 1/4 -o vgg11.py --force

        archscope export resnet50 --bn none --to toml

        archscope export torchvision.models:resnet18 --to toml
    """
    target = _target(to, output)
    if output is not None:
        refuse_taken(output, force=force)
    if output is None and target == "onnx":
        raise UsageError(Problem("bad-value", "an ONNX file is no text to print", help="-o net.onnx"))
    with watched(f"exporting {network}"):
        content = exports.export(network, target, weights=weights, **changes)
    if output is None:
        sys.stdout.write(str(content))
        return
    write_whole(output, content, force=force)
    typer.echo(f"wrote {printable(str(output))}")


def _target(to: str | None, output: Path | None) -> str:
    """The target that is asked for, or that the file's name says. Raises UsageError where they do not fit."""
    if output is None:
        return to or "python"
    said = next((name for name, suffix in exports.TARGETS.items() if output.suffix == suffix), None)
    endings = ", ".join(exports.TARGETS.values())
    if to is None and said is None:
        message = f"the name {str(output)!r} does not say a target"
        raise UsageError(Problem("bad-value", message, expected=f"--to, or a name that ends in {endings}"))
    if to in exports.TARGETS and to != said:
        message = f"the name {str(output)!r} does not fit --to {to}"
        raise UsageError(Problem("bad-value", message, expected=f"a name that ends in {exports.TARGETS[to]}"))
    return to or said or ""

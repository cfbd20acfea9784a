"""``archscope export googlenet -o googlenet.py``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from archscope.api import exports
from archscope.commands import takes_network
from archscope.core.errors import Problem, UsageError, printable
from archscope.core.writing import refuse_taken, write_whole
from archscope.spec.options import Changes


@takes_network
def export(
    network: Annotated[str, typer.Argument(help="A name or a table file: ./mine.toml:B.", metavar="NETWORK")],
    changes: Changes,
    to: Annotated[str | None, typer.Option("--to", help=f"{' or '.join(exports.TARGETS)}.", metavar="TARGET")] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write to a file; its ending says the target.", metavar="FILE"),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that is there.")] = False,
) -> None:
    """A network as a file for others: a Python module that imports only torch.

    Examples:

        archscope export googlenet --to python

        archscope export vgg11 --width 1/4 -o vgg11.py --force
    """
    target = _target(to, output)
    if output is not None:
        refuse_taken(output, force=force)
    text = exports.export(network, target, **changes)
    if output is None:
        sys.stdout.write(text)
        return
    write_whole(output, text, force=force)
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

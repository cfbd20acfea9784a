"""``archscope annotate ./net.py:Net``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from archscope.api.annotations import annotate as annotated
from archscope.commands import BatchFlag, ForceFlag, FormatFlag, OutputFlag, emit
from archscope.commands._watching import watched
from archscope.formats import Field, Sheet, spelled
from archscope.studies.annotation import Line


def annotate(
    module: Annotated[
        str, typer.Argument(help="./net.py:Net, package.module:Name; its code is imported and run.", metavar="ADDRESS")
    ],
    input_: Annotated[
        list[str] | None, typer.Option("--input", help="One example: 3x224x224, ids:128:int64.", metavar="CxHxW")
    ] = None,
    batch: BatchFlag = 2,
    mode: Annotated[str, typer.Option("--mode", help="train, or eval without heads.", metavar="MODE")] = "train",
    format_: FormatFlag = None,
    output: OutputFlag = None,
    force: ForceFlag = False,
) -> None:
    """The source of a module, with the output shape and the params of what each line makes beside it.

    Shape comments that are wrong are pointed out; then the exit code is 1.

    Examples:

        archscope annotate torchvision.models:alexnet --input 3x224x224
    """
    with watched(f"reading {module}"):
        source, lines = annotated(module, input_, batch=batch, mode=mode)
    emit(_sheet(source.name, lines), format_, output, force=force)
    if any(line.wrong for line in lines):
        raise typer.Exit(1)


def _sheet(name: str, lines: Sequence[Line]) -> Sheet:
    """The lines of the definitions in which anything is known, and what is known beside them."""
    fields = (
        Field("line", "line", "count"),
        Field("source", "source", least=40),
        Field("output", "output"),
        Field("calls", "calls", "count", keep=2),
        Field("params", "params", "count", keep=1),
        Field("remark", "remark", least=12),
    )
    shown = _around(lines)
    rows = tuple(
        (
            line.number,
            line.text.replace("\t", "    "),
            _outputs(line),
            line.calls if line.calls > 1 else "",
            line.params or "",
            "; ".join(line.wrong),
        )
        for line in shown
    )
    wrong = sum(bool(line.wrong) for line in lines)
    title = f"{name}: {wrong} wrong shape comment{'s' * (wrong != 1)}" if wrong else name
    data = {"source": name, "lines": [line._asdict() for line in lines]}
    notes = ("output: without the batch; calls: layers and blocks that the line makes or runs, if not one",)
    return Sheet("annotate", title, fields, rows, notes=notes, data=data)


def _around(lines: Sequence[Line]) -> list[Line]:
    """The lines from the first to the last one that anything is known of, with the definition that they stand in."""
    known = [line.number for line in lines if line.calls or line.wrong]
    if not known:
        return list(lines)
    first = known[0]
    while first > 1 and not lines[first - 1].text.startswith(("class ", "def ", "@")):
        first -= 1
    return list(lines[first - 1 : known[-1]])


def _outputs(line: Line) -> str:
    """One shape, or several: all of up to three, else the first and the last."""
    shapes = [spelled(shape, "shape") or "one number" for shape in line.outputs]
    return f"{shapes[0]} … {shapes[-1]}" if len(shapes) > 3 else ", ".join(shapes)

"""``archscope ops``."""

from __future__ import annotations

from dataclasses import fields as fields_of

from archscope import ops as register
from archscope.commands import ForceFlag, FormatFlag, OutputFlag, emit
from archscope.formats import Field, Sheet


def ops(
    format_: FormatFlag = None,
    output: OutputFlag = None,
    force: ForceFlag = False,
) -> None:
    """What may stand in a cell: every op's notation, the words that may follow it, and what it is in torch.

    Examples:

        archscope ops

        archscope ops --format markdown
    """
    rows = [
        (op.notation, ", ".join(_words(op)), _meaning(op)) for op in register.everything() if op.notation is not None
    ]
    fields = (
        Field("notation", "notation"),
        Field("words", "may be followed by", keep=2, least=16),
        Field("means", "means", keep=1, least=14),
    )
    names = [each.name for each in fields]
    notes = (
        "conv3-64/2 is a convolution with kernel_size 3, out_channels 64 and stride 2",
        "brackets hold what may be left out; a pair such as 1×7 is height × width",
        "a number may be an expression of {in}, the incoming channels: conv3-{in} groups={in}",
    )
    data = {"ops": [dict(zip(names, row, strict=True)) for row in rows]}
    emit(Sheet("ops", f"{len(rows)} ops", fields, tuple(rows), notes=notes, data=data), format_, output, force=force)


def _meaning(op: type[register.Op]) -> str:
    """The first line of its docstring, as plain text."""
    return (op.__doc__ or "").strip().split("\n")[0].replace("``", "")


def _words(op: type[register.Op]) -> list[str]:
    notation = op.notation or ""
    options = [
        f"{field.name}=" for field in fields_of(op) if f"{{{field.name}}}" not in notation and field.type != "bool"
    ]
    return [*op.words, *options]

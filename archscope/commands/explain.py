"""``archscope explain vgg16 conv3_2``."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import typer

from archscope import formats
from archscope.commands import (
    BatchFlag,
    Flags,
    ForceFlag,
    FormatFlag,
    ModeFlag,
    OutputFlag,
    emit,
    takes_network,
    terminal_width,
)
from archscope.commands._watching import watched
from archscope.formats import Field, Sheet
from archscope.reports.equations import name_of, value_of
from archscope.studies.explaining.breakdown import LayerRow
from archscope.studies.explaining.derivation import Step
from archscope.studies.explaining.explanation import Explanation, Section
from archscope.studies.explaining.formulas import Formula

CLOSED_FORMS = "closed forms"
"""The section that has the symbols of a block's or a network's formulas below it."""


@takes_network
def explain(
    network: Annotated[
        str, typer.Argument(help="A name (see archscope list) or a table file: ./mine.toml:B.", metavar="NETWORK")
    ],
    changes: Flags,
    what: Annotated[
        str | None,
        typer.Argument(
            help="A layer, a block, a row or cell of the table, or depth; left out, the network.", metavar="WHAT"
        ),
    ] = None,
    instead: Annotated[
        str, typer.Option("--instead", help="Cells in the place of WHAT; ; parts several.", metavar="CELLS")
    ] = "",
    everything: Annotated[bool, typer.Option("--all", help="The derivation of every layer, a line each.")] = False,
    batch: BatchFlag = 1,
    mode: ModeFlag = "eval",
    format_: FormatFlag = None,
    output: OutputFlag = None,
    force: ForceFlag = False,
) -> None:
    """Where a number comes from: the rule in symbols, the numbers put in, the result.

    Examples:

        archscope explain vgg16 conv3_2

        archscope explain googlenet inception3a

        archscope explain vgg16

        archscope explain vgg16 depth

        archscope explain vgg16 conv3_2,conv3_3 --instead conv5-256

        archscope explain vgg16 --all
    """
    from archscope.api import explanations

    with watched(f"explaining {network}"):
        found = explanations.explain(
            network, what, instead=instead, everything=everything, batch=batch, mode=mode, **changes
        )
    name = format_ or (formats.of_file(output) if output is not None else "terminal")
    if found.kind == "layers":
        sheet = _slide(found)
    elif name == "terminal":
        sheet = _board(found, terminal_width() if output is None else None)
    else:
        sheet = _table(found, raw=name == "csv")
    emit(sheet, format_, output, force=force)


def _title(found: Explanation) -> str:
    name = {"layers": f"{found.network}, layer by layer", "network": found.network}.get(
        found.kind, f"{found.name} of {found.network}"
    )
    return " · ".join(part for part in (name, found.source) if part)


def _board(found: Explanation, width: int | None) -> Sheet:
    """The explanation as it stands on a board: equations below one another, of which the last line is the result."""
    labels = [_labels(step, section)[0] for section in found.sections for step in section.steps]
    labels += [label for label, _ in found.facts]
    room = None if width is None else max(20, width - max(map(len, labels), default=0) - 2)
    rows = [row for label, text in found.facts for row in _labelled(label, _wrapped(text, room))]
    rows += _labelled("with", _legend(found)) if found.kind == "layer" else []
    headings = {}
    for section in found.sections:
        headings[len(rows)] = section.name
        rows += _section(section, room)
        if section.name == CLOSED_FORMS:
            rows += _labelled("with", _legend(found))
        for note in section.notes:
            rows += _labelled("", _wrapped(note, room))
    return Sheet(
        name="explanation",
        title=_title(found),
        fields=(Field("what", ""), Field("text", "")),
        rows=tuple(rows),
        notes=_notes(found),
        data=_data(found),
        headings=headings,
    )


def _section(section: Section, room: int | None) -> Iterator[tuple[str, str]]:
    """The rows of a section's steps; a label that follows on its like is not repeated."""
    left = max((len(_labels(step, section)[1]) for step in section.steps), default=0)
    before = ""
    for step in section.steps:
        label, head = _labels(step, section)
        yield from _labelled("" if label == before else label, list(_equations(step, head, left, room)))
        before = label


def _labelled(label: str, lines: Sequence[str]) -> list[tuple[str, str]]:
    return [(label if not n else "", line) for n, line in enumerate(lines)]


def _labels(step: Step, section: Section) -> tuple[str, str]:
    """What stands in front of a step, and in front of its first equals sign."""
    name = name_of(step.quantity)
    if not step.label:
        return name, step.left
    alone = len({each.quantity for each in section.steps}) == 1
    return (step.label, step.left) if alone else (name, f"{step.label} {step.left}".rstrip())


def _legend(found: Explanation) -> list[str]:
    """The symbols with their numbers, one a line."""
    left = max((len(term.symbol) for term in found.terms), default=0)
    sizes = [f"{term.symbol:<{left}} = {term.value:,}".replace("-", "−") for term in found.terms]
    longest = max(map(len, sizes), default=0)
    return [f"{size:<{longest}}  {term.means}" for size, term in zip(sizes, found.terms, strict=True)]


def _equations(step: Step, label: str, left: int, room: int | None) -> Iterator[str]:
    """The lines of a step: rule, numbers, result; those with a label of their own in one line, if there is room."""
    parts = [*dict.fromkeys(part for part in (step.symbols, step.numbers, value_of(step)) if part)]
    head, indent = (f"{each:<{left}} = " if left else "= " for each in (label, ""))
    line = head + " = ".join(parts)
    if step.label and (room is None or len(line) <= room):
        parts = [" = ".join(parts)]
    remarks = list(step.remarks)
    last = parts[-1]
    if remarks and (room is None or len(indent) + len(last) + 3 + len(remarks[0]) <= room):
        last += f"   {remarks.pop(0)}"
    for n, part in enumerate((*parts[:-1], last)):
        yield from _broken(part, head if n == 0 else indent, room)
    for remark in remarks:
        yield from (" " * len(indent) + text for text in _wrapped(remark, room and room - len(indent)))


def _broken(text: str, head: str, room: int | None) -> Iterator[str]:
    """A line, broken in front of + and − that stand between terms where it is too long."""
    line = head
    for part in re.split(r" (?=[+−] )", text):
        glue = " " if line not in {head, " " * len(head)} else ""
        if room is not None and glue and len(line) + 1 + len(part) > room:
            yield line
            line, glue = " " * len(head), ""
        line += glue + part
    yield line


def _wrapped(text: str, room: int | None) -> list[str]:
    return [text] if room is None else textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False)


def _table(found: Explanation, *, raw: bool) -> Sheet:
    """The explanation as a table, a step a row. raw: values as numbers, not spelled."""
    rows = []
    for section in found.sections:
        for step in section.steps:
            value = step.value if raw else value_of(step)
            left = f"{step.left} = " if step.left and step.symbols else ""
            remark = "; ".join(step.remarks)
            name = " ".join(part for part in (name_of(step.quantity), step.label) if part)
            rows.append((section.name, name, f"{left}{step.symbols}", step.numbers, value, remark))
    fields = (
        Field("section", "of"), Field("quantity", "quantity"), Field("symbols", "rule"), Field("numbers", "numbers"),
        Field("value", "result", "text"), Field("remarks", "remarks"),
    )  # fmt: skip
    facts = [f"{label}: {text}" for label, text in found.facts]
    legend = [", ".join(f"{term.symbol} = {term.value:,}: {term.means}" for term in found.terms)]
    notes = [note for section in found.sections for note in section.notes]
    told = tuple(text for text in (*facts, *legend, *notes, *_notes(found)) if text)
    return Sheet("explanation", _title(found), fields, tuple(rows), notes=told, data=_data(found))


def _slide(found: Explanation) -> Sheet:
    """All layers as a lecture slide has them; those that neither have weights nor make a new size are left out."""
    shown = [row for row in found.rows if row.weights or row.macs or row.resizes]
    lines = tuple(
        (row.name, row.op, row.shape, _formula(row.weights), _plus(row.biases), _formula(row.macs)) for row in shown
    )
    formulas = ([getattr(row, name) for row in found.rows] for name in ("weights", "biases", "macs"))
    sums = [sum(each.value for each in column if each is not None) for column in formulas]
    fields = (
        Field("layer", "layer", least=8), Field("op", "op", keep=2, least=8), Field("output", "output", "shape"),
        Field("weights", "weights"), Field("biases", "biases"), Field("macs", "MACs", keep=1),
    )  # fmt: skip
    left_out = len(found.rows) - len(shown)
    notes = (
        f"weights + biases = params: {sums[0]:,} + {sums[1]:,} = {sums[0] + sums[1]:,}",
        "weights: (height·width·channels of the kernel)·outputs; MACs: (outputs)·(what each multiplies and adds up)",
        *((f"left out: {left_out} layers without weights that keep the size",) if left_out else ()),
    )
    return Sheet(
        name="explanation",
        title=_title(found),
        fields=fields,
        rows=lines,
        total=("total", "", "", f"{sums[0]:,}", f"+ {sums[1]:,}", f"{sums[2]:,}"),
        notes=(*notes, *_notes(found)),
        data=_data(found),
    )


def _formula(found: Formula | None) -> str:
    if found is None:
        return ""
    value = f"{found.value:,}"
    return value if found.numbers == value else f"{found.numbers} = {value}"


def _plus(found: Formula | None) -> str:
    return "" if found is None else f"+ {found.value:,}"


def _notes(found: Explanation) -> tuple[str, ...]:
    return (f"changed from the paper: {', '.join(found.changes)}",) if found.changes else ()


def _data(found: Explanation) -> dict[str, Any]:
    """Everything as plain values."""
    data: dict[str, Any] = {"network": found.network, "part": found.kind, "name": found.name, "source": found.source}
    data["place"] = found.place._asdict() if found.place is not None else None
    data["facts"] = dict(found.facts)
    data["terms"] = [term._asdict() for term in found.terms]
    data["sections"] = [
        {"name": section.name, "steps": [step._asdict() for step in section.steps], "notes": list(section.notes)}
        for section in found.sections
    ]
    data["layers"] = [_layer(row) for row in found.rows]
    data["changes"] = list(found.changes)
    return data


def _layer(row: LayerRow) -> dict[str, Any]:
    formulas = {name: getattr(row, name) for name in ("weights", "biases", "macs")}
    plain = {name: each and each._asdict() for name, each in formulas.items()}
    return {"path": row.path, "name": row.name, "op": row.op, "shape": list(row.shape), **plain}

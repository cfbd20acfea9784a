"""``as_html``, ``as_text``: results as tables, networks as drawings. Notebooks ask for them by ``_repr_html_``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from html import escape
from typing import Any

from archscope import formats
from archscope.analyses import Total
from archscope.api.pictures import draw
from archscope.core.errors import Problem, UsageError
from archscope.formats import Field, Sheet, Spanning, spelled
from archscope.graph.graph import Graph
from archscope.spec.network import Spec
from archscope.studies.comparison import QUANTITIES, Comparison
from archscope.studies.design_space.columnfiles import Columns
from archscope.studies.explaining.explanation import Explanation
from archscope.studies.memory_use import PARTS, MemoryUse
from archscope.studies.profiling import Profile

SHOWN = 60
"""Rows of a sweep that are shown: half of them its first, half its last."""


def as_html(result: Any) -> str:
    """A result as a piece of HTML without scripts: a table, or for a Spec or a Graph the drawing as SVG.

    Every text of it is escaped: cells and names come from files of strangers. Raises UsageError for what is no result.
    """
    if isinstance(result, Spec | Graph):
        return f'<div style="overflow:auto;max-height:70vh">{draw(result)}</div>'
    return _table(sheet_of(result))


def as_text(result: Any) -> str:
    """A result as text, as the command line prints it into a pipe. Raises UsageError for what is no result."""
    if isinstance(result, Spec):
        shape = spelled(result.input_shape, "shape")
        return " · ".join(part for part in (result.name, result.title, result.paper, f"input {shape}") if part)
    if isinstance(result, Graph):
        counts = f"{len(result.nodes)} layers, {len(result.parameters)} parameters"
        return " · ".join(part for part in (result.name, result.title, result.source, counts) if part)
    return formats.render(sheet_of(result), "terminal").rstrip("\n")


def sheet_of(result: Any) -> Sheet:
    """A result as a sheet: a layout of its own, else a row for each of its fields. Raises UsageError for no result."""
    for kind, layout in _LAYOUTS.items():
        if isinstance(result, kind):
            return layout(result)
    if is_dataclass(result) or hasattr(result, "_asdict"):
        return _record(result)
    raise UsageError(Problem("bad-value", f"{type(result).__name__} is no result of archscope"))


def _profile(profile: Profile) -> Sheet:
    heads = (Field("layer", "layer"), Field("op", "op"), *(Field(c.name, c.head, c.unit) for c in profile.columns))
    rows = tuple((row.name, row.op, *(row.values[c.name] for c in profile.columns)) for row in profile.rows)
    totals = [profile.totals[column.name] for column in profile.columns]
    total = (_total(each, column.unit) for each, column in zip(totals, profile.columns, strict=True))
    setting, shape = profile.setting, spelled(profile.input_shape, "shape")
    notes = [f"input {shape}, batch {setting.batch}, {setting.dtype}, {setting.mode}", *_changes(profile.changes)]
    notes += [
        f"{c.head}: not known for {', '.join(t.missing)}"
        for c, t in zip(profile.columns, totals, strict=True)
        if t.missing
    ]
    notes += [f"{column.head}: {column.means}" for column in profile.columns]
    title = " · ".join(part for part in (profile.network, profile.title, profile.source) if part)
    return Sheet("profile", title, heads, rows, ("total", "", *total), tuple(notes))


def _total(total: Total, unit: str) -> str:
    mark = "" if total.status != "bound" else "≤ " if total.at_most else "≥ "
    return "" if total.value is None else f"{mark}{spelled(total.value, unit)}"


def _comparison(found: Comparison) -> Sheet:
    heads = [Field("quantity", "quantity"), Field("stage", "stage")]
    heads += [Field(name, name, "count") for name in found.networks]
    rows = [(quantity, stage.name, *stage.values[quantity]) for quantity in QUANTITIES for stage in found.stages] + [
        (quantity, "total", *found.totals[quantity]) for quantity in QUANTITIES
    ]
    rows.sort(key=lambda row: QUANTITIES.index(row[0]))
    setting = found.profiles[0].setting
    notes = (
        f"batch {setting.batch}, {setting.dtype}, {setting.mode}",
        "stage: the side of the maps as a part of the input's",
    )
    return Sheet("comparison", " and ".join(found.networks), tuple(heads), tuple(rows), None, notes)


def _memory(use: MemoryUse) -> Sheet:
    moments = {"inference": use.inference, "inference, ideal": use.ideal, "training": use.training}
    heads = (
        Field("peak", "peak"),
        Field("at", "at"),
        *(Field(part, part, "bytes") for part in PARTS),
        Field("bytes", "all", "bytes"),
    )
    rows = tuple(
        (name, f"{each.phase} {each.layer}".strip(), *(each.parts.get(part, 0) for part in PARTS), each.bytes)
        for name, each in moments.items()
    )
    notes = (
        f"input {spelled(use.input_shape, 'shape')}, batch {use.setting.batch}, {use.setting.dtype}",
        *_changes(use.changes),
    )
    notes += (f"lower bounds: no rule for {', '.join(use.missing)}",) if use.missing else ()
    return Sheet("memory", f"memory of {use.network}", heads, rows, None, notes)


def _explanation(found: Explanation) -> Sheet:
    heads = (
        Field("of", "of"),
        Field("quantity", "quantity"),
        Field("rule", "rule"),
        Field("numbers", "numbers"),
        Field("value", "value"),
    )
    rows = [(section.name, *_step(step)) for section in found.sections for step in section.steps]
    notes = [f"{name}: {text}" for name, text in found.facts] + _changes(found.changes)
    notes += [note for section in found.sections for note in section.notes]
    title = " · ".join(part for part in (found.name, found.network, found.source) if part)
    return Sheet("explanation", title, heads, tuple(rows), None, tuple(dict.fromkeys(notes)))


def _step(step: Any) -> tuple[str, str, str, str]:
    rule = f"{step.left} = {step.symbols}" if step.left and step.symbols else step.symbols
    return step.label or step.quantity, rule, step.numbers, spelled(step.value, step.unit)


def _columns(columns: Columns) -> Sheet:
    arrays = {name: list(values) for name, values in columns.items()}
    length = len(next(iter(arrays.values()), []))
    kept = range(length) if length <= SHOWN else [*range(SHOWN // 2), *range(length - SHOWN // 2, length)]
    rows = tuple(tuple(_plain(values[n]) for values in arrays.values()) for n in kept)
    heads = tuple(
        Field(name, name, "text" if any(isinstance(v, str) for v in arrays[name][:1]) else "count") for name in arrays
    )
    notes = [f"{columns.points:,} designs, {columns.fitting:,} that fit, {length:,} kept"]
    notes += [f"the first and the last {SHOWN // 2} of them"] if length > SHOWN else []
    return Sheet("sweep", "designs", heads, rows, None, tuple(notes))


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def _record(result: Any) -> Sheet:
    """A row for each field with a value that people read: texts, numbers, and tuples of them."""
    names = [each.name for each in fields(result)] if is_dataclass(result) else list(result._fields)
    rows = [(name.replace("_", " "), _said(getattr(result, name))) for name in names]
    kept = tuple((name, said) for name, said in rows if said)
    return Sheet("result", type(result).__name__, (Field("what", ""), Field("value", "")), kept)


def _said(value: Any) -> str:
    """A value in words; nothing for one that has no short form."""
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, Mapping):
        parts = {name: _said(own) for name, own in value.items()}
        return ", ".join(f"{name} {said}" for name, said in parts.items() if said)
    if isinstance(value, tuple | list):
        return ", ".join(said for said in map(_said, value) if said)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or is_dataclass(value) or callable(value):
        return ""
    return f"{value:,}" if isinstance(value, int) else str(value)


def _changes(changes: Iterable[str]) -> list[str]:
    words = ", ".join(changes)
    return [f"changed from the paper: {words}"] if words else []


_LAYOUTS: dict[type, Callable[[Any], Sheet]] = {
    Profile: _profile, Comparison: _comparison, MemoryUse: _memory, Explanation: _explanation, Columns: _columns,
}  # fmt: skip


def _table(sheet: Sheet) -> str:
    """A sheet as an HTML table: its title as caption, numbers to the right, its total and notes below."""
    heads = "".join(f'<th scope="col" style="{_side(each)}">{escape(each.head)}</th>' for each in sheet.fields)
    body = "".join(f"<tr>{_cells(row, sheet.fields)}</tr>" for row in sheet.rows)
    total = f"<tfoot><tr>{_cells(sheet.total, sheet.fields, 'th')}</tr></tfoot>" if sheet.total is not None else ""
    notes = "".join(f"<div>{escape(spelled(note, 'text'))}</div>" for note in (*sheet.notes, *sheet.closing))
    caption = f'<caption style="text-align:left;font-weight:bold">{escape(spelled(sheet.title, "text"))}</caption>'
    return (
        f'<div style="overflow-x:auto"><table>{caption}<thead><tr>{heads}</tr></thead>'
        f"<tbody>{body}</tbody>{total}</table>"
        f'<div style="font-size:smaller">{notes}</div></div>'
    )


def _cells(row: tuple[Any, ...], heads: tuple[Field, ...], tag: str = "td") -> str:
    cells = []
    for value, each in zip(row, heads, strict=True):
        text = "" if value == "" else spelled(str(value) if isinstance(value, Spanning) else value, each.unit)
        cells.append(f'<{tag} style="{_side(each)}">{escape(text)}</{tag}>')
    return "".join(cells)


def _side(field: Field) -> str:
    return f"text-align:{'left' if field.unit in {'text', 'bar'} else 'right'}"

"""The rows of a sweep as columns: arrays, or a file (csv, json, parquet) that is written some rows at a time."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import IO, TYPE_CHECKING, Any

from archscope.core.errors import Problem, Unsupported, UsageError
from archscope.core.showing import shown_as_html
from archscope.studies.design_space.answers import Answer, Reason
from archscope.studies.design_space.designs import Axis, written
from archscope.studies.design_space.selecting import Rows
from archscope.studies.frames import frame

if TYPE_CHECKING:
    import numpy as np

    from archscope.studies.frames import Frame

FORMATS = ("csv", "json", "parquet")


class Columns(dict[str, Any]):
    """What a sweep has found, as NumPy arrays by name.

    points: designs looked at. fitting: those of them that met the condition. unusable: why others cannot be built,
    with their number and the first of them. missing: per column that is a bound the ops without a
    rule, which make it a lower one; without any it is an upper one.
    """

    def __init__(self, found: Answer) -> None:
        rows = found.rows if found.rows is not None else found.sample.at(slice(0))
        super().__init__(columns_of(found, rows))
        self.points: int = found.points
        self.fitting: int = found.fitting
        self.unusable: tuple[Reason, ...] = found.unusable
        self.missing: dict[str, tuple[str, ...]] = found.missing

    _repr_html_ = shown_as_html

    def to_pandas(self) -> Frame:
        """The columns as a DataFrame. Raises Unsupported without pandas."""
        return frame(dict(self))


def columns_of(answer: Answer, rows: Rows) -> dict[str, np.ndarray[Any, Any]]:
    """Rows as columns for NumPy: texts are objects, fractions floats, numbers beyond int64 Python ints."""
    import numpy as np

    space = answer.question.space
    names = ("network", *(each.name for each in space.words))
    texts = (space.networks, *(each.words for each in space.words))
    columns: dict[str, np.ndarray[Any, Any]] = {
        name: np.array(words, object)[at]
        for name, words, at in zip(names, texts, space.positions(rows.variants), strict=True)
    }
    for axis in space.axes:
        numbers = rows.columns[axis.name]
        columns[axis.name] = numbers / axis.denominator if axis.knob.exact else numbers
    return columns | {name: rows.columns[name] for name in answer.question.columns}


def plain_rows(answer: Answer, rows: Rows) -> Iterator[tuple[Any, ...]]:
    """Rows one by one as plain values; a fraction as the text that reads back exactly."""
    columns = {name: values.tolist() for name, values in columns_of(answer, rows).items()}
    for axis in answer.question.space.axes:
        if axis.knob.exact:
            columns[axis.name] = _written(axis, rows.columns[axis.name].tolist())
    return zip(*columns.values(), strict=True)


def _written(axis: Axis, numbers: Sequence[int]) -> list[str]:
    texts = {number: written(Fraction(number, axis.denominator)) for number in set(numbers)}
    return [texts[number] for number in numbers]


def write_csv(answer: Answer, file: IO[str]) -> None:
    """Raw numbers under the columns' names."""
    writer = csv.writer(file, lineterminator="\n")
    for number, rows in enumerate(answer.batches()):
        if not number:
            writer.writerow(columns_of(answer, rows))
        writer.writerows(plain_rows(answer, rows))


def write_json(answer: Answer, file: IO[str], head: dict[str, Any]) -> None:
    """The head's entries, and then the rows, each an object in a line of its own."""
    file.write(f'{json.dumps(head, indent=2, ensure_ascii=False)[:-2]},\n  "rows": [')
    exact = {axis.name for axis in answer.question.space.axes if axis.knob.exact}
    between = ""
    for rows in answer.batches():
        names = list(columns_of(answer, rows))
        for row in plain_rows(answer, rows):
            values = {name: _number(x) if name in exact else x for name, x in zip(names, row, strict=True)}
            file.write(f"{between}\n    {json.dumps(values, ensure_ascii=False)}")
            between = ","
    file.write("\n  ]\n}\n")


def _number(text: str) -> float | str:
    """A decimal as a number; 1/3, which is none, as a text."""
    return text if "/" in text else float(text)


def write_parquet(answer: Answer, path: str) -> None:
    """A row group per chunk. Raises Unsupported without pyarrow, UsageError for numbers beyond parquet's."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        help_line = 'pip install "archscope[parquet]"'
        raise Unsupported(Problem("missing-package", "parquet files need pyarrow", help=help_line)) from error
    arrow: Any = pa
    schema = arrow.schema(_types(answer, arrow))
    with pq.ParquetWriter(path, schema) as writer:
        for rows in answer.batches():
            try:
                writer.write_table(arrow.table(columns_of(answer, rows), schema=schema))
            except (OverflowError, arrow.ArrowInvalid) as error:
                message = "some numbers are beyond 2⁶³ - 1, and parquet has no type for them"
                raise UsageError(Problem("too-large", message, help="write csv or json")) from error


def _types(answer: Answer, arrow: Any) -> dict[str, Any]:
    space = answer.question.space
    texts = dict.fromkeys(("network", *(each.name for each in space.words)), arrow.string())
    axes = {axis.name: arrow.float64() if axis.knob.exact else arrow.int64() for axis in space.axes}
    return {**texts, **axes, **dict.fromkeys(answer.question.columns, arrow.int64())}

"""What every shipped table owes its reader: errata that quote what is printed, and say why it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from archscope import catalog
from archscope.api.checks import check
from archscope.core.errors import ArchscopeError
from archscope.evidence import FAILURES
from archscope.spec.mending import cell_of
from archscope.spec.table import Cell, Table, read_source, read_table

TABLES = sorted((Path(__file__).parents[2] / "tables").glob("*.toml"))

UNDECIDABLE = [("inception_v4", "1x7 Conv (256)")]
"""Cells that an erratum mends though all that is printed fits them as well."""

ERRATA = [
    pytest.param(path, number, id=f"{path.stem}-{number}")
    for path in catalog.table_files()
    for number, erratum in enumerate(catalog.shipped_table(path).data.get("errata", []))
    if (path.stem, erratum["printed"]) not in UNDECIDABLE
]


def _table(path: Path) -> Table:
    return read_table(read_source(path))


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_errata_of_the_grid_quote_a_cell_of_the_row_and_column_they_name(path: Path) -> None:
    table = _table(path)
    for entry in table.data.get("errata", []):
        if "published" not in entry:
            cells = [row[entry["column"]].text for row in table.grid.rows if _is_in(entry["row"], row)]
            assert any(entry["printed"] in cell for cell in cells), entry


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_errata_of_other_sources_name_a_source_that_the_table_quotes(path: Path) -> None:
    data = _table(path).data
    sources = {entry["source"] for entry in data.get("published", [])}
    assert {entry["published"] for entry in data.get("errata", []) if "published" in entry} <= sources


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_every_erratum_explains_itself_and_names_a_source(path: Path) -> None:
    for entry in _table(path).data.get("errata", []):
        assert entry["says"].strip()
        assert entry["source"].strip()


@pytest.mark.parametrize(("path", "number"), ERRATA)
def test_without_an_erratum_the_check_fails_at_its_cell(path: Path, number: int, tmp_path: Path) -> None:
    table = _table(path)
    erratum = table.data["errata"][number]
    copy = tmp_path / path.name
    copy.write_text(_without(table.source.text, number), encoding="utf-8")
    failing = _failing(copy)
    if "instead" in erratum:
        row, head = cell_of(table, number, erratum)
        assert failing
        assert min(line for line, _ in failing) == table.grid.rows[row][head].span.line
    else:
        assert failing == [(line, erratum["printed"]) for line, _ in failing]


def _without(text: str, number: int) -> str:
    """A table without one of its errata."""
    before, *errata = text.split("[[errata]]\n")
    return "[[errata]]\n".join([before, *(each for n, each in enumerate(errata) if n != number)])


def _failing(path: Path) -> list[tuple[int, str]]:
    """Where the check of a table fails: the line, and what is printed there. Sums of a column aside."""
    try:
        found = check(str(path), witnesses=["published"])
    except ArchscopeError as error:
        return [(problem.span.line, problem.span.line_text) for problem in error.problems if problem.span is not None]
    wrong = [f for f in found if f.status in FAILURES and not f.what.startswith(("sum of", "params × places"))]
    return [(f.span.line if f.span is not None else 0, f.claimed) for f in wrong]


def _is_in(text: str, row: dict[str, Cell]) -> bool:
    return text in {cell.text for cell in row.values()}

"""What every shipped table owes its reader: errata that quote what is printed, and say why it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from archscope.spec.table import Cell, Table, read_source, read_table

TABLES = sorted((Path(__file__).parents[2] / "tables").glob("*.toml"))


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


def _is_in(text: str, row: dict[str, Cell]) -> bool:
    return text in {cell.text for cell in row.values()}

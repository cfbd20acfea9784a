"""Printed cells against the network: what agrees, what is refuted, and that errata are neither missing nor idle."""

from __future__ import annotations

from collections import Counter

import pytest

from archscope import catalog
from archscope.api.checks import check
from archscope.core.errors import TableError
from archscope.core.source import Source
from archscope.evidence import AGREES, EXPLAINED, REFUTED, STALE, UNDECIDED, Case, Finding, examined
from archscope.graph.lowering import lower
from archscope.spec.compiler import compile_table, networks
from archscope.spec.naming import named
from archscope.spec.table import Table, read_table


def _findings(table: Table) -> list[Finding]:
    found = []
    for network in networks(table):
        spec = named(compile_table(table, network))
        found += examined(Case(table, spec, lower(spec)), "published")
    return found


def _by_place(findings: list[Finding], status: str) -> list[tuple[str, str]]:
    return [(finding.what, finding.claimed) for finding in findings if finding.status == status]


ERRATA = [
    pytest.param(path, number, id=f"{path.stem}-{number}")
    for path in catalog.table_files()
    for number in range(len(catalog.shipped_table(path).data.get("errata", [])))
]


def test_googlenets_table_has_exactly_the_refuted_cells_that_arithmetic_finds():
    found = check("googlenet", witnesses=["published"])
    refuted = [(f.what, f.claimed) for f in found if f.status == EXPLAINED and " of total" not in f.what]
    assert refuted == [
        ("params of convolution", "2.7K"),
        ("params of inception (4a)", "364K"),
        ("params of inception (4b)", "437K"),
        ("params of inception (4c)", "463K"),
        ("params of inception (4d)", "580K"),
        ("params of inception (4e)", "840K"),
        ("params of inception (5a)", "1072K"),
        ("params of inception (5b)", "1388K"),
        ("macs of convolution", "34M"),
        ("macs of inception (5a)", "54M"),
    ]
    assert Counter(f.status for f in found) == {AGREES: 54, EXPLAINED: 13}


def test_googlenets_params_are_printed_in_units_of_1024_whether_the_table_says_so_or_not():
    table = catalog.find("googlenet").table
    columns = {**table.data["columns"], "params": {"published": "params"}}
    silent = table._replace(data={**table.data, "columns": columns})
    for each in (table, silent):
        words = {f.why for f in _findings(each) if f.what.startswith("params of incep") and f.status == AGREES}
        assert words == {"K = 1024"}


def test_every_row_of_the_cs231n_listing_agrees_but_not_its_memory():
    found = [f for f in check("vgg16", witnesses=["published"]) if "CS231n" in f.what]
    rows = [f for f in found if " of total" not in f.what]
    assert len(rows) == 66
    assert {f.status for f in rows} == {AGREES}
    refuted = [(f.claimed, f.computed) for f in found if f.status == EXPLAINED]
    assert refuted == [("24M", "15,237,608 (0.635×)"), ("93MB", "60,950,432 (0.655×)")]


def test_table_2_of_vgg_cannot_tell_a_from_b_and_depth_can():
    a, b = (check(name, witnesses=["published"]) for name in ("vgg11", "vgg13"))
    printed = [[f.claimed for f in found if f.what.startswith("params")] for found in (a, b)]
    depths = [[f.claimed for f in found if f.what.startswith("weight_layers")] for found in (a, b)]
    assert printed == [["133"], ["133"]]
    assert depths == [["11"], ["13"]]


def test_no_shipped_table_has_a_refuted_cell_without_erratum_nor_an_idle_erratum():
    found = [f for path in catalog.table_files() for f in _findings(catalog.shipped_table(path))]
    assert [f for f in found if f.status in {REFUTED, STALE}] == []
    assert sum(f.status == AGREES for f in found) > 300


@pytest.mark.parametrize(("path", "number"), ERRATA)
def test_without_its_erratum_a_refuted_cell_fails_the_check(path, number):
    table = catalog.shipped_table(path)
    erratum = table.data["errata"][number]
    kept = [each for n, each in enumerate(table.data["errata"]) if n != number]
    before, after = (_findings(each) for each in (table, table._replace(data={**table.data, "errata": kept})))
    explained = _by_place(before, EXPLAINED)
    failing = _by_place(after, REFUTED)
    if not failing:
        undecided = {f.why for f in before if f.status == UNDECIDED}
        assert str(erratum["says"]) in undecided
    else:
        assert {claimed for _, claimed in failing} == {erratum["printed"]}
        assert set(failing) <= set(explained)


def test_an_erratum_for_a_cell_that_agrees_fails_the_check():
    table = catalog.find("googlenet").table
    idle = {"row": "inception (3a)", "column": "ops", "printed": "128M", "says": "?", "source": "?"}
    found = _findings(table._replace(data={**table.data, "errata": [*table.data["errata"], idle]}))
    assert _by_place(found, STALE) == [("macs of inception (3a)", "128M")]


SMALL = """
title = "A"
input = [1, 8, 8]
grid = '''
| layer | output  | params |
|-------|---------|--------|
| conv3-4 | 8×8×4 | 40     |
| FC-2    | 1×1×2 | {fc}   |
'''
[columns]
layer = "label"
output = {{ published = "output" }}
params = {{ published = "params" }}
"""


def _small(fc: str) -> Table:
    return read_table(Source("small.toml", SMALL.format(fc=fc)))


@pytest.mark.parametrize(("printed", "status"), [("514", AGREES), ("512", AGREES), ("515", REFUTED), ("0.5K", AGREES)])
def test_a_cell_agrees_with_or_without_biases_rounded_or_cut_and_never_within_a_tolerance(printed, status):
    found = [f for f in _findings(_small(printed)) if f.what == "params of FC-2"]
    assert [f.status for f in found] == [status]


def test_a_printed_number_that_cannot_be_read_is_an_error_at_its_cell():
    with pytest.raises(TableError) as caught:
        _findings_of_claims(_small("many"))
    problem = caught.value.problems[0]
    assert problem.code == "unreadable-number"
    assert problem.message == "cannot read 'many' as a printed number"
    assert (problem.span.line, problem.span.column) == (8, 21)
    assert problem.span.place == "row 2, column params"


def _findings_of_claims(table: Table) -> None:
    from archscope.spec.claims import claims_of

    for claim in claims_of(table):
        if claim.quantity != "output":
            claim.printed()


def test_a_network_without_a_table_has_no_published_numbers():
    spec = named(compile_table(_small("514"), next(iter(networks(_small("514"))))))
    (only,) = examined(Case(None, spec, lower(spec)), "published")
    assert (only.status, only.why) == ("unavailable", "it has no table")

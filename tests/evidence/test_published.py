"""Printed cells against the network: what agrees, what is refuted, and that errata are neither missing nor idle."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from archscope import catalog
from archscope.api.checks import check
from archscope.core.errors import TableError
from archscope.core.source import Source
from archscope.evidence import AGREES, EXPLAINED, REFUTED, STALE, UNDECIDED, Case, Finding, concerned, examined
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
    assert sum(f.status == AGREES for f in found) > 450
    assert [(f.network, f.claimed) for f in found if f.status == UNDECIDED] == [("inception_v4", "1x7 Conv (256)")]


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
        _findings(_small("many"))
    problem = caught.value.problems[0]
    assert problem.code == "unreadable-number"
    assert problem.message == "cannot read 'many' as a printed number"
    assert (problem.span.line, problem.span.column) == (8, 21)
    assert problem.span.place == "row 2, column params"


def test_a_network_without_a_table_has_no_published_numbers():
    spec = named(compile_table(_small("514"), next(iter(networks(_small("514"))))))
    (only,) = examined(Case(None, spec, lower(spec)), "published")
    assert (only.status, only.why) == ("unavailable", "it has no table")


def test_no_graph_is_made_of_a_network_that_nothing_is_printed_about():
    table = catalog.find("vgg16_bn").table
    assert concerned("published", table, "vgg16")
    assert not concerned("published", table, "vgg19_bn")
    assert concerned("flop_counter", table, "vgg19_bn")
    assert check("vgg19_bn", witnesses=["published"]) == ()


STRIDED = """
title = "Strides"
input = [3, 16, 16]
grid = '''
| layer     | stride | input    |
|-----------|--------|----------|
| conv3-4   | 1      | 16×16×3  |
| conv3-8   | {stride} | 16×16×4  |
| conv3-8   | 1      | 8×8×8    |
| {pool}    |        | 8×8×8    |
| FC-2      |        | 1×1×8    |
'''
[columns]
layer = "label"
stride = "field"
input = {{ published = "input" }}
[[blocks]]
row = "conv{{k}}-{{out}}"
layers = ["conv{{k}}-{{out}}/{{stride}}"]
[names]
"conv{{k}}-{{out}}" = "conv{{n}}"
{below}
"""

STRIDE = """
[[errata]]
row = "16×16×4"
column = "stride"
printed = "1"
instead = "2"
says = "The next row takes 8×8."
source = "output size arithmetic"
"""


def _strided(stride: str, below: str = "", pool: str = "avgpool8") -> Table:
    return read_table(Source("strided.toml", STRIDED.format(stride=stride, below=below, pool=pool)))


def test_a_stride_that_the_next_rows_input_contradicts_is_refuted_at_its_own_row():
    assert {f.status for f in _findings(_strided("2", pool="adaptiveavgpool1"))} == {AGREES}
    found = [f for f in _findings(_strided("1", pool="adaptiveavgpool1")) if f.status == REFUTED]
    assert [(f.what, f.claimed, f.computed, f.span.line) for f in found] == [
        ("input of conv3-8", "8×8×8", "16×16×8", 9),
        ("input of adaptiveavgpool1", "8×8×8", "16×16×8", 10),
        ("output of conv3-8", "8×8×8", "16×16×8", 8),
    ]
    assert found[-1].why == "the row gives 16×16×8, where 8×8×8 is printed; no erratum explains it"


def test_an_erratum_that_mends_a_cell_is_held_against_the_network_with_the_cell_as_printed():
    found = _findings(_strided("1", STRIDE, "adaptiveavgpool1"))
    assert Counter(f.status for f in found) == {AGREES: 5, EXPLAINED: 1}
    (mended,) = [f for f in found if f.status == EXPLAINED]
    assert (mended.claimed, mended.computed, mended.span.line) == ("1", "instead 2", 8)
    assert mended.why == (
        "as printed, the row gives 16×16×8, where 8×8×8 is printed (conv3-8). The next row takes 8×8."
    )


def test_an_erratum_that_mends_what_nothing_contradicts_is_undecided_and_says_so():
    silent = STRIDED.replace('input = {{ published = "input" }}', 'input = "field"')
    text = silent.format(stride="1", below=STRIDE, pool="adaptiveavgpool1")
    (only,) = _findings(read_table(Source("strided.toml", text)))
    assert only.status == UNDECIDED
    assert only.why == "as printed every size and every number fits as well: The next row takes 8×8."


def test_where_sizes_do_not_fit_the_row_from_which_on_they_part_is_reported_first(here):
    (here / "strided.toml").write_text(STRIDED.format(stride="4", below="", pool="avgpool8"))
    with pytest.raises(TableError) as caught:
        check("./strided.toml", witnesses=["published"])
    first, second = caught.value.problems
    assert (first.code, first.message) == ("printed-size", "the row gives 4×4×8, where 8×8×8 is printed")
    assert (first.span.line, first.span.place) == (8, "row 2, column stride")
    assert (second.span.line, second.message) == (10, "a pool of 8 is larger than its padded input 4")


@pytest.mark.parametrize(
    ("row", "column", "printed", "message", "helps"),
    [
        ("16×16×4", "strides", "1", "no column is called 'strides'", "did you mean stride?"),
        ("16×16×4", "stride", "7", "no row with '16×16×4' has '7' under 'stride'", "quote the cell as it is printed"),
        (
            "conv3-8", "layer", "conv", "2 rows with 'conv3-8' have 'conv' under 'layer'",
            "name the row by another of its cells",
        ),
        ("16×16×4", "input", "16", "'16' stands 2 times in this cell", "quote more of the cell"),
    ],
)  # fmt: skip
def test_an_erratum_that_mends_no_cell_or_several_is_an_error_at_its_place(row, column, printed, message, helps):
    erratum = STRIDE.replace("16×16×4", row).replace('"stride"', f'"{column}"').replace('"1"', f'"{printed}"')
    with pytest.raises(TableError) as caught:
        _findings(_strided("2", erratum))
    (problem,) = caught.value.problems
    assert (problem.message, problem.help) == (message, helps)
    assert problem.span.line_text in {f'column = "{column}"', f'printed = "{printed}"'}


SHARES = """
[[published]]
source = "Table 2"
network = "strides"
grid = '''
| kind   | MACs   |
|--------|--------|
| first  | {first} |
| others | {others} |
| FC     | 0.02%  |
'''
columns = {{ MACs = "macs share" }}
[published.rows]
first = {{ where = {{ layer = "conv3-4" }} }}
others = {{ where = {{ layer = "conv3-8" }} }}
FC = {{ where = {{ layer = "FC-2" }} }}
"""
"""27,648 of 82,960 MACs are the first convolution's, 18,432 + 36,864 the others', 16 the FC layer's."""


def _of_shares(first: str, others: str) -> list[Finding]:
    found = _findings(_strided("2", SHARES.format(first=first, others=others), "adaptiveavgpool1"))
    return [f for f in found if "share" in f.what]


def test_a_share_is_that_of_the_rows_whose_cells_it_names():
    assert [(f.claimed, f.computed, f.status) for f in _of_shares("33.33%", "66.65%")] == [
        ("33.33%", "33.33%", AGREES), ("66.65%", "66.65%", AGREES), ("0.02%", "0.02%", AGREES),
    ]  # fmt: skip


def test_shares_of_all_layers_that_do_not_add_up_to_100_are_refuted_as_a_column_too():
    wrong, column = (f for f in _of_shares("33.33%", "66.55%") if f.status == REFUTED)
    assert (wrong.what, wrong.computed) == ("macs share of others (Table 2)", "66.65%")
    assert (column.what, column.claimed, column.computed) == ("sum of macs share (Table 2)", "100%", "99.90%")
    assert column.why == "the 3 cells add up to 99.90%; no erratum explains it"


@pytest.mark.parametrize(
    ("changed", "code", "message"),
    [
        ('layer = "conv3-4"', "unknown-column", "no column is called 'layr'"),
        ('layer = "conv5-4"', "no-row", "no row of the grid has layer = 'conv5-4'"),
        ("wdth = 2", "unknown-key", "'wdth' means nothing here"),
    ],
)
def test_a_row_of_shares_that_names_no_layers_is_an_error(changed, code, message):
    changed = changed.replace("layer", "layr") if code == "unknown-column" else changed
    text = SHARES.replace(
        'where = {{ layer = "conv3-4" }}', changed if "wdth" in changed else f"where = {{{{ {changed} }}}}"
    )
    with pytest.raises(TableError) as caught:
        _findings(_strided("2", text.format(first="1%", others="1%")))
    (problem,) = caught.value.problems
    assert (problem.code, problem.message) == (code, message)


TOTALS = """
[[published]]
source = "listing"
network = "strides"
grid = '''
| layer | weights |
|-------|---------|
| INPUT | 0       |
| conv  | 108     |
| conv  | 288     |
| conv  | 576     |
| pool  | 0       |
| FC    | 16      |
'''
columns = {{ weights = "weights" }}
totals = {{ weights = "{total}" }}
"""


@pytest.mark.parametrize(("total", "said"), [("988", []), ("1K", []), ("1.1K", ["the 6 cells add up to 988"])])
def test_rows_that_do_not_add_up_to_the_total_of_their_source_are_refuted(total, said):
    found = _findings(_strided("2", TOTALS.format(total=total), "adaptiveavgpool1"))
    assert [f.why.partition(";")[0] for f in found if f.what.startswith("sum")] == said


def test_params_that_at_every_place_are_not_the_macs_beside_them_are_refuted_together():
    table = catalog.find("googlenet").table
    kept = [each for each in table.data["errata"] if each["column"] != "params"]
    found = _findings(table._replace(data={**table.data, "errata": kept}))
    said = {f.what: f.why for f in found if "places" in f.what}
    # 4a and 5a disagree with the network, and not with the cell beside them.
    assert list(said) == [f"params × places of inception ({module})" for module in ("4c", "4d", "4e", "5b")]
    assert said["params × places of inception (4c)"].startswith("463K at 196 places are 92.9M, and 100M is printed;")


def test_show_marks_a_mended_part_of_a_cell_and_keeps_the_words_around_a_number(archscope):
    shown = archscope("show mobilenet_v1 --computed").out
    assert "Conv dw / ✗ s2 (instead s1)" in shown
    assert "11 ✓ weight layers" in archscope("show vgg --computed").out
    assert "✗ 463K (510,104)" in archscope("show googlenet --computed").out


def test_the_sheet_of_a_check_counts_the_cells_of_each_paper(archscope):
    data = json.loads(archscope("check vgg googlenet --witness published --format json").out)
    (vgg, googlenet) = data["papers"]
    assert (vgg["table"], vgg["source"]) == ("vgg", "arXiv:1409.1556, Table 1")
    counted = {"checked": 67, "agrees": 54, "explained": 13, "refuted": 0, "stale": 0, "undecided": 0}
    assert {key: googlenet[key] for key in counted} == counted
    assert sum(vgg[key] for key in ("agrees", "explained", "refuted", "stale", "undecided")) == vgg["checked"]


def test_an_erratum_of_a_source_that_prints_no_such_number_fails_the_check():
    erratum = '[[errata]]\nrow = "TOTAL"\ncolumn = "macs"\nprinted = "3M"\nsays = "?"\nsource = "?"\n'
    below = TOTALS.format(total="988") + erratum + 'published = "listing"\n'
    (stale,) = [f for f in _findings(_strided("2", below, "adaptiveavgpool1")) if f.status == STALE]
    assert (stale.what, stale.claimed, stale.why) == ("TOTAL, macs", "3M", "listing prints no such number")


def test_an_erratum_that_mends_nothing_of_a_cell_without_a_number_is_undecided_and_says_so():
    erratum = STRIDE.replace('instead = "2"\n', "").replace('printed = "1"', 'printed = "2"')
    (undecided,) = [f for f in _findings(_strided("2", erratum, "adaptiveavgpool1")) if f.status == UNDECIDED]
    said = "it is no number, and nothing is said to stand instead: The next row takes 8×8."
    assert (undecided.claimed, undecided.computed, undecided.why) == ("2", "", said)

"""What a report says besides its charts: the papers' cells, totals, conventions; it takes what profile takes."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import archscope
from archscope import catalog
from archscope.api.papers import paper_of
from archscope.core.errors import UsageError
from archscope.reports.charts import QUANTITIES, of_layers, y_axis
from archscope.studies.design_space.recorded import recorded_designs

pytest.importorskip("jinja2", reason="needs the extra report")
pytest.importorskip("plotly", reason="needs the extra report")


def test_refuted_cells_have_the_computed_number_and_a_remark() -> None:
    paper = paper_of("googlenet", catalog.find("googlenet").table, ["googlenet"])
    cells = {cell.text: cell for row in paper.rows for cell in row}
    assert (cells["463K"].status, cells["463K"].computed) == ("explained", "510,104")
    remark = paper.remarks[cells["463K"].number - 1]
    assert remark.startswith("params of inception (4c): printed 463K, computed 510,104. The cell is wrong")
    assert (cells["380K"].status, cells["380K"].computed, cells["380K"].number) == ("agrees", "388,736", 0)
    assert cells["inception (3a)"].label
    assert sum(cell.columns for cell in paper.rows[0]) == len(paper.heads)


def test_the_column_of_a_network_is_marked_in_a_table_of_several() -> None:
    paper = paper_of("vgg16", catalog.find("vgg16").table, ["vgg16"])
    assert [head for head, marked in zip(paper.heads, paper.marked, strict=True) if marked] == ["D"]
    whole = next(row for row in paper.rows if row[0].text == "maxpool")
    assert (whole[0].columns, whole[0].marked) == (6, True)


def test_totals_and_conventions_are_printed() -> None:
    text = archscope.report(["lenet_tutorial"], batch=2)
    profile = archscope.profile("lenet_tutorial", 2)
    assert f'<td class="number">{profile.totals["macs"].value:,}</td>' in text
    for column in profile.columns:
        assert f"<li>{column.head}: {column.means}</li>" in text
    assert "batch 2, float32" in text


def test_a_module_and_a_graph_have_no_paper_s_table() -> None:
    module = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(288, 10)
    )
    text = archscope.report([module, archscope.lower("lenet_tutorial")], input=(3, 8, 8))
    assert "<h1>Sequential, lenet_tutorial</h1>" in text
    assert 'id="papers"' not in text
    assert "Conv2d" not in text
    assert "conv3-8 valid" in text


def test_networks_of_one_table_share_it() -> None:
    text = archscope.report(["vgg11", "vgg13"])
    assert len(re.findall('<table class="paper">', text)) == 1


def test_a_report_of_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="too-few: a report needs a network, a sweep or a run"):
        archscope.report([])


@pytest.mark.parametrize("most", [0, 1, 1023, 1024, 5_000_000, 2**33])
def test_axes_of_bytes_have_few_ticks_at_binary_units_and_reach_the_largest(most: int) -> None:
    axis = y_axis("bytes", "bytes", [most, None, 0])
    assert len(axis["tickvals"]) == len(axis["ticktext"]) <= 6
    assert axis["tickvals"][-1] >= most
    assert axis["ticktext"][0] == "0"


def test_plotly_gets_no_markup_of_a_name() -> None:
    spec = archscope.load(["FC-2"], input=(4,), name="<b>net</b>")
    profile = archscope.profile(spec, columns=["output_shape", *QUANTITIES])
    row = profile.rows[0]._replace(name="<a href='https://x'>fc</a>")
    chart = of_layers("x", replace(profile, rows=(row,)))
    assert chart.figure["data"][0]["hovertext"] == ["&lt;a href='https://x'&gt;fc&lt;/a&gt; · FC-2 · 2"]
    assert "<" not in chart.figure["layout"]["xaxis"]["ticktext"][0]


def test_what_json_and_csv_say_of_a_sweep_is_read_alike(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("network,width,params\nvgg16,0.5,75942792\n", encoding="utf-8")
    row = '{"network": "vgg16", "width": 0.5, "params": 75942792}'
    (tmp_path / "x.json").write_text(f'{{"kind": "sweep", "rows": [{row}]}}', encoding="utf-8")
    csv, json = (recorded_designs(tmp_path / f"x.{ending}") for ending in ("csv", "json"))
    assert csv.names == json.names == ("network", "width", "params")
    assert csv.numbers == json.numbers == ("params",)
    assert (csv.rows, json.rows) == ((("vgg16", "0.5", 75942792),), (("vgg16", 0.5, 75942792),))


def test_the_wheel_has_the_templates() -> None:
    hatchling = pytest.importorskip("hatchling.builders.wheel", reason="needs hatchling, of the extra dev")
    root = Path(archscope.__file__).parents[1]
    builder = hatchling.WheelBuilder(str(root))
    inside = {Path(each.distribution_path).as_posix() for each in builder.recurse_included_files()}
    wanted = {path.relative_to(root).as_posix() for path in (root / "archscope/reports/templates").iterdir()}
    assert len(wanted) == 4
    assert wanted <= inside

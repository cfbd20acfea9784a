"""Files that archscope wrote are read back, also those of versions before this one; of a newer one it says so."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from archscope import profile
from archscope.core.errors import ArchscopeError
from archscope.core.schema import VERSION
from archscope.studies.design_space.recorded import recorded_designs
from archscope.training.rereading import read_written
from archscope.training.runs import read_run

FILES = Path(__file__).parents[1] / "read_back"
RUNS = sorted(path.name for path in FILES.glob("run_*"))
SWEEPS = sorted(path.name for path in FILES.glob("sweep_*"))
JSONS = ("network", "recipe", "data", "classes", "preprocessing")


def test_files_of_every_version_are_kept() -> None:
    versions = [str(each) for each in range(1, VERSION + 1)]
    assert [*(f"run_{each}" for each in versions), "run_without_heads"] == RUNS
    assert [f"sweep_{each}.json" for each in versions] == SWEEPS


@pytest.mark.parametrize("name", RUNS)
def test_a_run_is_read_whatever_version_wrote_it(name: str) -> None:
    run, written = read_run(FILES / name), read_written(FILES / name)
    assert (run.title, run.network.input_shape, len(run.classes)) == ("lenet5 on digits", (1, 32, 32), 10)
    assert (run.recipe["steps"], run.data["seed"], run.preprocessing.size) == (12, 0, (32, 32))
    assert [report.step for report in written.reports] == [4, 8, 12]
    assert written.reports[0].losses == {"logits": 2.0448808670043945}
    assert written.verdict is not None
    assert (written.verdict.verdict, len(written.verdict.signs)) == ("learns", 9)


@pytest.mark.parametrize("name", SWEEPS)
def test_designs_are_read_whatever_version_wrote_them(name: str) -> None:
    found = recorded_designs(FILES / name)
    assert found.names == ("network", "bn", "width", "params", "macs", "activations")
    assert [row[1:3] for row in found.rows] == [("none", 0.25), ("none", "1/3"), ("conv", 0.25), ("conv", "1/3")]
    for bn, width, *numbers in (row[1:] for row in found.rows):
        totals = profile("vgg11", bn=bn, width=str(width)).totals
        assert numbers == [totals[name].value for name in found.numbers]


@pytest.mark.parametrize("name", RUNS)
def test_a_report_shows_a_run_whatever_version_wrote_it(name: str, archscope: Callable, here: Path) -> None:
    outcome = archscope(f"report lenet5 --run {FILES / name} -o page.html")
    assert (outcome.code, outcome.err) == (0, "")
    assert "learns" in (here / "page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [*(f"{each}.json" for each in JSONS), "verdict.json", "metrics.jsonl"])
def test_a_file_of_a_newer_version_is_told_and_never_half_read(name: str, tmp_path: Path) -> None:
    shutil.copytree(FILES / "run_1", tmp_path / "run")
    path = tmp_path / "run" / name
    path.write_text(path.read_text(encoding="utf-8").replace('"schema_version": 1', '"schema_version": 2'))
    with pytest.raises(ArchscopeError) as caught:
        [read(tmp_path / "run") for read in (read_run, read_written)]
    assert str(caught.value).splitlines() == [
        f"schema-version: {str(path)!r} has schema version 2, and this archscope reads up to 1",
        "  help:     pip install --upgrade archscope",
    ]


@pytest.mark.parametrize(("head", "message"), [
    ({"schema_version": 2}, "has schema version 2, and this archscope reads up to 1"),
    ({"kind": "summary"}, "is of kind 'summary', not 'sweep'"),
])  # fmt: skip
def test_a_sweep_of_a_newer_version_and_what_is_no_sweep_are_told(head: dict, message: str, tmp_path: Path) -> None:
    known = json.loads((FILES / "sweep_1.json").read_text(encoding="utf-8"))
    (tmp_path / "a.json").write_text(json.dumps({**known, **head}))
    with pytest.raises(ArchscopeError, match=message):
        recorded_designs(tmp_path / "a.json")


def test_fields_that_a_later_archscope_adds_are_passed_over(tmp_path: Path) -> None:
    shutil.copytree(FILES / "run_1", tmp_path / "run")
    for name in ("verdict.json", "metrics.jsonl", "network.json"):
        path = tmp_path / "run" / name
        text = path.read_text(encoding="utf-8").replace('"kind":', '"later": [1], "kind":')
        path.write_text(text.replace('"status": "fine"', '"status": "fine", "later": 2'))
    assert read_written(tmp_path / "run") == read_written(FILES / "run_1")
    assert read_run(tmp_path / "run") == read_run(FILES / "run_1")


def test_a_loss_that_is_no_number_is_read_as_it_was_written(tmp_path: Path) -> None:
    shutil.copytree(FILES / "run_1", tmp_path / "run")
    path = tmp_path / "run" / "metrics.jsonl"
    text = path.read_text(encoding="utf-8").replace("2.0448808670043945", '"nan"').replace("1.7002819776535034", "NaN")
    path.write_text(text.replace("1.510060469309489", '"-inf"'))
    losses = [report.losses["logits"] for report in read_written(tmp_path / "run").reports]
    assert list(map(math.isnan, losses)) == [True, True, False]
    assert losses[2] == -math.inf

"""Sweeps into files: what they hold, that an interrupted one goes on to the same end, and what is no file for it."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Any

import pytest

import archscope
from archscope.api import spaces
from archscope.api.sweeps import answered
from archscope.core.errors import ArchscopeError, UsageError
from archscope.studies.design_space.answers import Progress
from archscope.studies.design_space.scatter import drawn, shown

VARY = {"width": "1/4,1/3,1/2", "input": "64:512:32", "batch": "1:8:1", "bn": "none,conv"}
CHUNK = 100


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many that a small sweep has several; results are the same for any."""
    monkeypatch.setattr(spaces, "CHUNK", CHUNK)


class Interrupted(Exception):
    """What stops a sweep in the middle."""


def after(chunks: int) -> Any:
    heard: list[Progress] = []

    def tell(event: Progress) -> None:
        heard.append(event)
        if len(heard) == chunks:
            raise Interrupted

    return tell


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_csv_file_has_a_line_per_design_with_exact_values(here: Path):
    archscope.sweep("vgg11", vary=VARY, output="points.csv")
    whole = archscope.sweep("vgg11", vary=VARY)
    rows = read(here / "points.csv")
    assert list(rows[0]) == ["network", "bn", "width", "input", "batch", "params", "macs", "activations"]
    assert [int(row["macs"]) for row in rows] == whole["macs"].tolist()
    assert {row["width"] for row in rows} == {"0.25", "1/3", "0.5"}
    assert not list(here.glob("*.partial"))


def test_a_json_file_has_what_is_known_of_the_sweep_and_its_rows(here: Path):
    vary = {"width": "1/4,1/3", "input": "8,64"}
    archscope.sweep("vgg11", vary=vary, where="params > 1", output=here / "points.json")
    found = json.loads((here / "points.json").read_text(encoding="utf-8"))
    assert {name: found[name] for name in ("kind", "networks", "varied", "where", "designs", "fitting")} == {
        "kind": "sweep", "networks": ["vgg11"], "varied": ["width", "input"], "where": "params > 1",
        "designs": 4, "fitting": 2,
    }  # fmt: skip
    assert found["unusable"][0]["example"] == "vgg11 width=0.25 input=8"
    assert [(row["width"], row["input"]) for row in found["rows"]] == [(0.25, 64), ("1/3", 64)]
    assert (
        found["rows"][0]["params"]
        == archscope.profile("vgg11", width="1/4", input_size=(64, 64)).totals["params"].value
    )


def test_a_parquet_file_has_the_columns_with_their_types(here: Path):
    pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    archscope.sweep("vgg11", vary=VARY, where="macs > 1G", output="points.parquet")
    whole = archscope.sweep("vgg11", vary=VARY, where="macs > 1G")
    table = pq.read_table(here / "points.parquet")
    assert [str(each.type) for each in table.schema] == ["string"] * 2 + ["double"] + ["int64"] * 5
    for name, values in whole.items():
        assert table[name].to_pylist() == values.tolist()
    archscope.sweep("vgg11", vary=VARY, where="macs > 1T", output="none.parquet")
    assert pq.read_table(here / "none.parquet").num_rows == 0


def test_numbers_beyond_an_int64_are_written_as_digits_and_not_to_parquet(here: Path):
    pytest.importorskip("pyarrow")
    vary = {"batch": "1,100000", "input": "99968", "width": "1000"}
    archscope.sweep("vgg16", vary=vary, output="points.csv")
    assert max(int(row["macs"]) for row in read(here / "points.csv")) > 2**64
    with pytest.raises(
        UsageError, match=r"beyond 2⁶³ - 1, and parquet has no type for them\n  help:     write csv or json"
    ):
        archscope.sweep("vgg16", vary=vary, output="points.parquet")


@pytest.mark.parametrize("choice", [{}, {"pareto": ["params", "-macs"]}, {"sort": ["-macs"], "top": 30}])
@pytest.mark.parametrize("done", [1, 4, 8])
def test_an_interrupted_sweep_goes_on_to_the_same_end(choice: dict[str, Any], done: int, here: Path):
    def run(output: str, tell: Any = None) -> Any:
        return archscope.sweep("vgg11", vary=VARY, where="input >= 64", output=output, tell=tell, **choice)

    whole = run("whole.csv")
    with pytest.raises(Interrupted):
        run("points.csv", after(done))
    assert (here / "points.csv.partial").exists()
    assert not (here / "points.csv").exists()
    events: list[Progress] = []
    again = run("points.csv", events.append)
    assert (here / "points.csv").read_text() == (here / "whole.csv").read_text()
    assert (again.points, again.fitting, again.unusable) == (whole.points, whole.fitting, whole.unusable)
    assert events[-1].points == whole.points == 720
    assert not list(here.glob("*.partial"))


@pytest.mark.usefixtures("here")
def test_work_that_is_done_is_not_done_again(monkeypatch: pytest.MonkeyPatch):
    from archscope.studies.design_space import sweeping

    with pytest.raises(Interrupted):
        archscope.sweep("vgg11", vary=VARY, output="points.csv", tell=after(5))
    asked: list[int] = []
    real = sweeping.worked_out
    monkeypatch.setattr(sweeping, "worked_out", lambda question, chunk: (asked.append(chunk), real(question, chunk))[1])
    archscope.sweep("vgg11", vary=VARY, output="points.csv")
    assert asked == list(range(5, 12))


@pytest.mark.parametrize("lost", [1, 100, 1500])
def test_a_part_that_breaks_off_is_worked_out_again(lost: int, here: Path):
    archscope.sweep("vgg11", vary=VARY, output="whole.csv")
    with pytest.raises(Interrupted):
        archscope.sweep("vgg11", vary=VARY, output="points.csv", tell=after(4))
    partial = here / "points.csv.partial"
    partial.write_bytes(partial.read_bytes()[:-lost])
    archscope.sweep("vgg11", vary=VARY, output="points.csv")
    assert (here / "points.csv").read_text() == (here / "whole.csv").read_text()


def test_a_part_that_is_damaged_is_worked_out_again(here: Path):
    archscope.sweep("vgg11", vary=VARY, output="whole.csv")
    with pytest.raises(Interrupted):
        archscope.sweep("vgg11", vary=VARY, output="points.csv", tell=after(4))
    partial = here / "points.csv.partial"
    partial.write_bytes(partial.read_bytes() + b"no JSON\n" + 99 * b"x")
    archscope.sweep("vgg11", vary=VARY, output="points.csv")
    assert (here / "points.csv").read_text() == (here / "whole.csv").read_text()


@pytest.mark.parametrize("other", [{"where": "params > 1"}, {"columns": ["params"]}, {"num_classes": 10}, {"top": 3}])
def test_a_part_of_another_sweep_is_not_gone_on_with(other: dict[str, Any], here: Path):
    with pytest.raises(Interrupted):
        archscope.sweep("vgg11", vary=VARY, output="points.csv", tell=after(2))
    with pytest.raises(UsageError, match=r"'points.csv.partial' holds a part of another sweep\n  help:     delete it"):
        archscope.sweep("vgg11", vary=VARY, output="points.csv", **other)
    assert (here / "points.csv.partial").exists()


@pytest.mark.usefixtures("here")
def test_rows_that_nothing_bounds_stay_in_the_file():
    found = archscope.sweep("vgg11", vary=VARY, output="points.csv")
    assert (found.points, len(found["params"])) == (720, 0)
    assert len(archscope.sweep("vgg11", vary=VARY, top=3, sort=["macs"], output="points.csv")["params"]) == 3


@pytest.mark.usefixtures("here")
def test_a_file_that_cannot_be_written_is_an_error():
    with pytest.raises(
        ArchscopeError, match=r"cannot-write: 'nowhere/points\.csv\.partial': No such file or directory"
    ):
        archscope.sweep("vgg11", vary={"width": "1"}, output="nowhere/points.csv")
    Path("points.json").mkdir()
    with pytest.raises(ArchscopeError, match=r"cannot-write: 'points\.json': Is a directory"):
        archscope.sweep("vgg11", vary={"width": "1"}, output="points.json")


@pytest.mark.usefixtures("here")
def test_what_is_not_installed_is_named_with_what_installs_it(monkeypatch: pytest.MonkeyPatch):
    vary = {"width": "1/2,1"}
    found = archscope.sweep("vgg11", vary=vary)
    question = spaces.asked(["vgg11"], vary, spaces.Wanted(), {"batch": 1, "dtype": "float32", "mode": "eval"}, {})
    for name in ("pandas", "pyarrow", "distributed", "optuna", "matplotlib.figure"):
        monkeypatch.setitem(sys.modules, name, None)
    wanted: dict[str, Any] = {
        "a DataFrame needs pandas\n  help:     pip install pandas": found.to_pandas,
        'parquet files need pyarrow\n  help:     pip install "archscope[parquet]"': lambda: archscope.sweep(
            "vgg11", vary=vary, output="points.parquet"
        ),
        'a cluster needs Dask\n  help:     pip install "archscope[dask]"': lambda: archscope.sweep(
            "vgg11", vary=vary, dask="local"
        ),
        "a search among more than 2,000,000 designs, or by a function, needs Optuna\n"
        '  help:     pip install "archscope[search]"': lambda: archscope.search("vgg11", vary=vary, minimize=len),
        'a picture needs matplotlib\n  help:     pip install "archscope[plot]"': lambda: drawn(
            answered(question, picture=True), "png", {}
        ),
    }  # fmt: skip
    for text, call in wanted.items():
        with pytest.raises(ArchscopeError) as caught:
            call()
        assert str(caught.value) == f"missing-package: {text}"


def test_more_designs_than_fit_into_a_chunk_are_the_same_designs(monkeypatch: pytest.MonkeyPatch):
    chunked = archscope.sweep("vgg11", vary=VARY)
    monkeypatch.setattr(spaces, "CHUNK", 10**6)
    whole = archscope.sweep("vgg11", vary=VARY)
    assert {name: values.tolist() for name, values in chunked.items()} == {
        name: values.tolist() for name, values in whole.items()
    }


def test_a_picture_has_some_of_the_designs_and_all_that_are_kept():
    pytest.importorskip("matplotlib")
    wanted = spaces.Wanted(pareto=("macs", "-activations"))
    question = spaces.asked(["vgg11", "vgg16"], VARY, wanted, {"batch": 1, "dtype": "float32", "mode": "eval"}, {})
    found = answered(question, picture=True)
    assert len(found.sample) == found.fitting
    assert shown(found) == ["macs", "activations"]
    assert drawn(found, "png", {"macs": "MACs"}).startswith(b"\x89PNG")
    text = drawn(found, "svg", {"macs": "MACs"}).decode()
    for word in ("MACs", "activations", "vgg11: ", "vgg16: ", "not beaten"):
        assert word in text

"""``archscope report``: one file, written whole or not at all."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("jinja2", reason="needs the extra report")
pytest.importorskip("plotly", reason="needs the extra report")


def test_it_writes_one_page_and_says_how_large_it_is(archscope: Callable, here: Path) -> None:
    outcome = archscope("report lenet_tutorial -o page.html")
    size = (here / "page.html").stat().st_size
    assert outcome == (0, f"wrote page.html, {size / 1e6:.1f} MB\n", "")
    assert size < 6e6
    text = (here / "page.html").read_text(encoding="utf-8")
    assert "<h1>lenet_tutorial</h1>" in text
    assert not re.findall(r"(?:src|href)=\"(?!#)[^\"]*", text)


def test_two_runs_write_the_same(archscope: Callable, here: Path) -> None:
    for name in ("a.html", "b.html"):
        assert archscope(f"report lenet_tutorial --batch 4 -o {name}").code == 0
    assert (here / "a.html").read_bytes() == (here / "b.html").read_bytes()


def test_a_file_that_is_there_is_kept_unless_forced(archscope: Callable, here: Path) -> None:
    (here / "report.html").write_text("mine")
    outcome = archscope("report lenet_tutorial")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("file-exists: 'report.html' is there already; nothing was written\n")
    assert (here / "report.html").read_text() == "mine"
    assert archscope("report lenet_tutorial --force").code == 0
    assert (here / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_a_name_of_another_format_is_refused(archscope: Callable, here: Path) -> None:
    text = "bad-value: the name 'page.pdf' says no page of HTML\n  expected: a name that ends in .html or .htm\n"
    assert archscope("report lenet5 -o page.pdf") == (2, "", text)
    assert list(here.iterdir()) == []


def test_a_folder_that_is_not_there_is_named(archscope: Callable) -> None:
    outcome = archscope("report lenet_tutorial -o nowhere/page.html")
    assert outcome == (1, "", "cannot-write: 'nowhere/page.html': No such file or directory\n")


@pytest.mark.parametrize("package", ["jinja2", "plotly.offline"])
def test_a_missing_extra_says_what_installs_it(
    package: str, archscope: Callable, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    text = f"missing-extra: a report is made with Jinja2 and plotly, and {package} cannot be imported\n"
    assert archscope("report lenet_tutorial") == (1, "", f'{text}  help:     pip install "archscope[report]"\n')
    assert list(here.iterdir()) == []


def test_a_table_s_name_stands_for_its_networks_and_changes_are_said(archscope: Callable, here: Path) -> None:
    assert archscope("report d2l --classes 7 -o page.html").code == 0
    text = (here / "page.html").read_text(encoding="utf-8")
    assert "<h1>d2l_vgg11" in text
    assert "d2l_vgg11 is changed from the paper: num_classes=7" in text


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("x.txt", "", "bad-value: the name 'x.txt' does not say a format\n  expected: a name that ends in .csv, .json"),
        ("x.csv", "", "no-sweep: 'x.csv' has no designs: a sweep's file has a column network, and totals\n"),
        ("x.csv", "network,params\n", "no-sweep: 'x.csv' has no designs"),
        ("x.csv", "network,params\na,1\nb", "no-sweep: 'x.csv' has rows of unequal length: it was cut off\n"),
        ("x.csv", "network,params\na,many\n", "no-sweep: 'x.csv' has totals that are no whole numbers\n"),
        ("x.json", "{", "cannot-read: 'x.json' is no JSON: "),
        ("x.json", '{"kind": "profile"}', "other-kind: 'x.json' is of kind 'profile', not 'sweep'\n"),
        ("x.parquet", "no parquet", "cannot-read: 'x.parquet': "),
    ],
)
def test_a_file_that_is_no_sweep_s_is_named(
    name: str, content: str, told: str, archscope: Callable, here: Path
) -> None:
    (here / name).write_text(content)
    outcome = archscope(f"report lenet_tutorial --sweep {name} -o page.html")
    assert outcome.code != 0
    assert outcome.err.startswith(told)
    assert [path.name for path in here.iterdir()] == [name]


def test_a_sweep_s_file_that_is_not_there_is_named(archscope: Callable) -> None:
    outcome = archscope("report lenet_tutorial --sweep gone.csv")
    assert outcome == (1, "", "cannot-read: 'gone.csv': No such file or directory\n")


@pytest.mark.parametrize("ending", ["csv", "json", "parquet"])
def test_what_sweep_writes_is_drawn(ending: str, archscope: Callable, here: Path) -> None:
    if ending == "parquet":
        pytest.importorskip("pyarrow", reason="needs the extra parquet")
    assert archscope(f"sweep lenet_tutorial --vary classes=2:10:4 -o points.{ending}").code == 0
    assert archscope(f"report lenet_tutorial --sweep points.{ending} -o page.html").code == 0
    text = (here / "page.html").read_text(encoding="utf-8")
    assert f"3 designs of points.{ending}; point at one" in text

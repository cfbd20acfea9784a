"""What notebooks show: tables and drawings, everything escaped; text elsewhere; DataFrames."""

from __future__ import annotations

import builtins
from html.parser import HTMLParser
from typing import Any

import pandas as pd
import pytest

import archscope
from archscope.core.errors import Unsupported, UsageError

EVIL = '<script>alert("1")</script>'


class Cells(HTMLParser):
    """The tags of a piece of HTML, and its rows of cells."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.rows: list[list[str]] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: Any) -> None:  # noqa: ARG002  the parser's signature
        self.tags.append(tag)
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in {"td", "th"}:
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in {"td", "th"}:
            self.rows[-1][-1] += data


def test_a_profile_is_a_table_with_its_totals_and_what_its_columns_mean() -> None:
    profile = archscope.profile("vgg16", width="1/4")
    html = profile._repr_html_()
    rows = Cells(html).rows
    assert rows[0] == ["layer", "op", "output", "params", "MACs", "activations"]
    assert rows[1][:4] == ["conv1_1", "conv3-16", "16×224×224", "448"]
    assert rows[-1][3] == f"{profile.totals['params'].value:,}"
    assert len(rows) == len(profile.rows) + 2
    assert "changed from the paper: width=1/4" in html
    assert archscope.profile("vgg16", columns=["receptive_field"])._repr_html_().count("≤") == 0


def test_a_comparison_adds_up() -> None:
    found = archscope.compare("vgg16", "googlenet")
    rows = Cells(found._repr_html_()).rows
    params = [row for row in rows if row[0] == "params"]
    numbers = [int(row[2].replace(",", "")) for row in params]
    assert sum(numbers[:-1]) == numbers[-1] == 138_357_544
    with pytest.raises(UsageError, match="a comparison needs two networks or more"):
        archscope.compare("vgg16")


def test_a_network_is_its_drawing() -> None:
    spec = archscope.load("googlenet")
    for each in (spec, archscope.lower(spec)):
        html = each._repr_html_()
        assert "<svg" in html
        assert "inception3a" in html


def test_names_and_cells_of_strangers_are_escaped() -> None:
    spec = archscope.load(["conv3-8", "FC-10"], input=(3, 8, 8), name=EVIL)
    shown = [spec, archscope.lower(spec), archscope.profile(spec), archscope.memory(spec), archscope.explain(spec)]
    shown += [archscope.fit(spec, memory="1GiB"), archscope.compare(spec, spec)]
    for each in shown:
        html = each._repr_html_()
        assert "<script" not in html
        assert "&lt;script" in html


def test_other_results_are_tables_too() -> None:
    spec = archscope.load(["conv3-8", "relu", "FC-10"], input=(3, 8, 8))
    assert "MiB" in archscope.memory(spec, batch=8)._repr_html_() or "KiB" in archscope.memory(spec)._repr_html_()
    steps = archscope.explain("vgg16", "conv3_2")
    assert Cells(steps._repr_html_()).rows[-1][:2] == ["conv3_2", "params"] or "590,080" in steps._repr_html_()
    fit = Cells(archscope.fit("lenet5", memory="1GiB")._repr_html_()).rows
    assert ["network", "lenet5"] in fit
    found = archscope.sweep("lenet_tutorial", vary={"batch": range(1, 101)})
    rows = Cells(found._repr_html_()).rows
    assert rows[1][:2] == ["lenet_tutorial", "1"]
    assert rows[-1][:2] == ["lenet_tutorial", "100"]
    assert len(rows) == 61
    assert "the first and the last 30 of them" in found._repr_html_()
    chip = archscope.fit_chip("lenet_tutorial", flash="1MiB", ram="1MiB")
    assert ["network", "lenet_tutorial"] in Cells(chip._repr_html_()).rows
    assert "<table" in archscope.lint("vgg16", blocks=[1, 1, 2, 2, 2])[0]._repr_html_()


def test_elsewhere_they_are_text() -> None:
    assert "conv1_1" in str(archscope.profile("vgg16"))
    assert "138,357,544" in str(archscope.profile("vgg16"))
    assert str(archscope.load("vgg16")).startswith("vgg16 · Very Deep")
    assert str(archscope.lower("lenet_tutorial")).startswith("lenet_tutorial · ")
    assert "inference" in str(archscope.memory("lenet_tutorial"))
    assert "googlenet" in str(archscope.compare("vgg16", "googlenet"))
    assert "conv3_2" in str(archscope.explain("vgg16", "conv3_2"))


def test_a_profile_is_a_dataframe() -> None:
    profile = archscope.profile("vgg16")
    frame = profile.to_pandas()
    assert isinstance(frame, pd.DataFrame)
    assert list(frame.columns) == ["path", "name", "op", "output_shape", "params", "macs", "activations"]
    assert int(frame["params"].sum()) == profile.totals["params"].value
    assert frame.loc[0, "output_shape"] == (64, 224, 224)


def test_without_pandas_one_command_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "pandas":
            raise ImportError
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(Unsupported, match=r"missing-package: a DataFrame needs pandas(.|\n)*pip install pandas"):
        archscope.profile("lenet_tutorial").to_pandas()


def test_what_is_no_result_is_refused() -> None:
    with pytest.raises(UsageError, match="bad-value: int is no result of archscope"):
        archscope.as_html(3)

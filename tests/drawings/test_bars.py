"""Bars are as long as their numbers, in files that are the same for the same numbers."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

pytest.importorskip("matplotlib", reason="needs the extra plot")

import archscope as library
from archscope.commands import summary as summary_module
from archscope.core.errors import Unsupported
from archscope.drawings.bars import MOST, Panel, below_each_other, beside_each_other

SVG = "{http://www.w3.org/2000/svg}"


def bars(svg: str, across: bool) -> list[float]:
    """Lengths of the bars, in the order in which they are drawn; the first two patches are backgrounds."""
    root = ET.fromstring(svg)  # noqa: S314  what we wrote ourselves
    patches = [each for each in root.iter(f"{SVG}g") if each.get("id", "").startswith("patch_")]
    lengths = []
    for path in (patch.find(f"{SVG}path") for patch in patches[2:]):
        if path is None or "clip-path" not in path.attrib:
            continue  # spines and legends have no clip
        numbers = [float(each) for each in re.findall(r"-?[\d.]+", path.attrib["d"])]
        ends = numbers[0::2] if across else numbers[1::2]
        lengths.append(max(ends) - min(ends))
    return lengths


def proportional(lengths: list[float], values: list[int]) -> None:
    assert len(lengths) == len(values)
    most = max(values)
    for length, value in zip(lengths, values, strict=True):
        assert length == pytest.approx(max(lengths) * value / most, abs=0.01)


def test_compare_draws_every_stage_of_every_network(archscope: Callable, here: Path) -> None:
    outcome = archscope("compare vgg16 googlenet --by params --plot bars.svg")
    assert outcome == archscope("compare vgg16 googlenet --by params")
    vgg = [38_720, 221_440, 1_475_328, 5_899_776, 7_079_424, 0, 123_642_856]
    googlenet = [0, 9_472, 114_944, 552_432, 2_809_168, 2_487_536, 1_025_000]
    proportional(bars((here / "bars.svg").read_text(encoding="utf-8"), across=False), vgg + googlenet)


def test_summary_draws_every_row_of_a_column(archscope: Callable, here: Path) -> None:
    assert archscope("summary googlenet --columns output_shape,macs --plot bars.svg").code == 0
    rows = library.profile("googlenet").at_depth(0)
    svg = (here / "bars.svg").read_text(encoding="utf-8")
    proportional(bars(svg, across=True), [row.values["macs"] for row in rows])


@pytest.mark.parametrize(("ending", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_the_name_says_the_format_and_two_runs_write_the_same(ending: str, start: bytes) -> None:
    panel = Panel("bytes", "bytes", ("1", "1/2"), (("a", (1, 2**20)), ("b", (3, 0))))
    made = beside_each_other([panel], ending, "stage")
    assert made.startswith(start)
    assert made == beside_each_other([panel], ending, "stage")
    assert below_each_other([panel, panel], ending).startswith(start)


@pytest.mark.parametrize("name", ["$x^2$", "a_$b", "<b>&", "名前"])
def test_a_name_is_no_formula_and_no_markup(name: str, recwarn: pytest.WarningsRecorder) -> None:
    panel = Panel("params", "count", (name, "x"), ((name, (1, 2)),))
    for kind in ("svg", "png"):
        if name.isascii():
            assert beside_each_other([panel], kind, name)
    root = ET.fromstring(below_each_other([Panel("params", "count", ("<b>&", "x"), panel.series)], "svg"))  # noqa: S314
    assert root.tag == f"{SVG}svg"
    assert not recwarn.list


def test_a_picture_that_is_there_is_kept_unless_forced(archscope: Callable, here: Path) -> None:
    (here / "bars.svg").write_text("mine")
    for command in ("compare lenet5 lenet_tutorial", "summary lenet5"):
        outcome = archscope(f"{command} --plot bars.svg")
        assert (outcome.code, outcome.out) == (2, "")
        assert outcome.err.startswith("file-exists: 'bars.svg' is there already; nothing was written\n")
        assert (here / "bars.svg").read_text() == "mine"
    assert archscope("summary lenet5 --plot bars.svg --force").code == 0
    assert (here / "bars.svg").read_text(encoding="utf-8").startswith("<?xml")


@pytest.mark.parametrize("command", ["compare lenet5 lenet_tutorial", "summary lenet5"])
def test_a_name_of_another_format_is_refused(command: str, archscope: Callable, here: Path) -> None:
    text = "bad-value: the name 'x.gif' does not say a format\n  expected: a name that ends in .png, .svg, .pdf\n"
    assert archscope(f"{command} --plot x.gif") == (2, "", text)
    assert list(here.iterdir()) == []


def test_a_folder_that_is_not_there_is_named(archscope: Callable) -> None:
    outcome = archscope("summary lenet5 --plot nowhere/x.png")
    assert outcome == (1, "", "cannot-write: 'nowhere/x.png': No such file or directory\n")


def test_columns_without_a_number_are_refused(archscope: Callable) -> None:
    text = "bad-value: --plot draws counts and bytes, and --columns names none\n"
    assert archscope("summary lenet5 --columns output_shape --plot x.png") == (2, "", text)


def test_too_many_layers_are_refused() -> None:
    labels = tuple(map(str, range(MOST + 1)))
    panel = Panel("params", "count", labels, (("x", tuple(range(MOST + 1))),))
    with pytest.raises(Unsupported, match="too-many: 601 layers are too many for one picture, which has room for 600"):
        below_each_other([panel], "png")


def test_a_missing_extra_says_what_installs_it(archscope: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    text = 'missing-extra: a picture needs matplotlib\n  help:     pip install "archscope[plot]"\n'
    assert archscope("summary lenet5 --plot x.png") == (1, "", text)


def test_a_number_that_is_not_known_is_named() -> None:
    profile = library.profile("lenet_tutorial")
    row = profile.rows[0]._replace(values={**profile.rows[0].values, "macs": None})
    with pytest.raises(Unsupported, match="unknown-count: MACs of conv1 is not known, and no bar says so"):
        summary_module._plot(profile, [row], Path("x.png"), force=False)

"""``sweep`` and ``search`` as they are typed: what they print, write and refuse."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

import archscope as library
from archscope import formats

RANGE = "sweep vgg16 --vary width=1/8:1:1/8"


def test_a_sweep_prints_a_line_per_design_and_what_they_come_to(archscope: Callable):
    outcome = archscope(RANGE)
    assert (outcome.code, outcome.err) == (0, "")
    lines = outcome.out.split("\n")
    assert lines[0] == "vgg16 by width"
    assert lines[4].split() == ["vgg16", "0.125", "33,958,032", "282,992,640", "1,893,928"]
    assert lines[11].split() == ["vgg16", "1", "138,357,544", "15,470,264,320", "15,087,080"]
    assert lines[-2] == "8 designs"


def test_many_designs_are_cut_and_it_says_so(archscope: Callable):
    outcome = archscope("sweep vgg11 --vary width=1/100:1:1/100 --sort -macs --where 'params < 100M'")
    assert outcome.out.count("\nvgg11 ") == 20
    fits = library.sweep("vgg11", vary={"width": "1/100:1:1/100"}, where="params < 100M").fitting
    assert outcome.out.endswith(
        f"100 designs; {fits} fit params < 100M; the first 20 by most macs are shown, --top shows more\n"
    )
    assert archscope("sweep vgg11 --vary width=1/100:1:1/100 --top 30").out.count("\nvgg11 ") == 30


def test_designs_that_cannot_be_built_are_counted_with_a_reason(archscope: Callable):
    outcome = archscope("sweep vgg16 --vary input=16,32,64 --pareto macs")
    assert "1 cannot be built; it is, vgg16 input=16: a pool of 2 is larger than its padded input 1 (tables/vgg.t" in (
        outcome.out
    )
    assert outcome.out.endswith("3 designs; 1 cannot be built; 1 not beaten (less macs)\n")


@pytest.mark.parametrize("name", ["csv", "json"])
def test_machines_get_all_designs(name: str, archscope: Callable):
    line = "sweep vgg11 --vary width=1/100:1:1/100 --vary bn=none,conv --format"
    text = archscope(f"{line} {name}").out
    rows = list(csv.DictReader(io.StringIO(text))) if name == "csv" else json.loads(text)["rows"]
    assert len(rows) == 200
    assert {"network", "bn", "width", "params", "macs", "activations"} == set(rows[0])
    assert float(rows[-1]["width"]) == 1.0


def test_what_is_written_to_a_file_says_so(archscope: Callable, here: Path):
    assert archscope(f"{RANGE} -o points.csv") == (0, "wrote points.csv: 8 designs\n", "")
    assert len((here / "points.csv").read_text(encoding="utf-8").splitlines()) == 9
    assert archscope(f"{RANGE} -o points.md") == (0, "wrote points.md\n", "")
    assert "| vgg16 |" in (here / "points.md").read_text(encoding="utf-8")
    pytest.importorskip("pyarrow")
    assert archscope(f"{RANGE} -o points.parquet") == (0, "wrote points.parquet: 8 designs\n", "")


def test_a_front_is_drawn(archscope: Callable, here: Path):
    pytest.importorskip("matplotlib")
    outcome = archscope("sweep vgg11 vgg16 --vary width=1/8:1:1/8 --pareto macs,-activations --plot front.png")
    assert (outcome.code, outcome.err) == (0, "wrote front.png\n")
    assert (here / "front.png").stat().st_size > 10_000


def test_flags_of_every_network_hold_for_all_designs(archscope: Callable):
    line = "sweep vgg11 --vary batch=1,2 --width 1/4 --classes 10 --input 64 --bn conv --format csv"
    rows = list(csv.DictReader(io.StringIO(archscope(line).out)))
    totals = library.profile("vgg11", 2, width="1/4", num_classes=10, input_size=(64, 64), bn="conv").totals
    assert int(rows[1]["macs"]) == totals["macs"].value
    changed = "vgg11, changed from the paper: "
    assert changed in archscope(line.removesuffix(" --format csv")).out


def test_cells_are_varied(archscope: Callable):
    line = 'sweep googlenet --vary "inception (4a).#3×3=64:256:64" --format csv'
    rows = list(csv.DictReader(io.StringIO(archscope(line).out)))
    assert [int(row["inception (4a).#3×3"]) for row in rows] == [64, 128, 192, 256]
    outcome = archscope("sweep vgg16 --vary 'conv3_2=conv3-{64:128:64}' --where \"conv3_2 > 64\"")
    assert outcome.out.endswith("2 designs; 1 fit conv3_2 > 64\n")


def test_a_search_prints_the_best_design(archscope: Callable):
    line = "search vgg11 vgg16 --vary width=1/8:1:1/8 --vary input=32:224:32 --max-params 50M --min-macs 1G"
    line = f"{line} --minimize params"
    outcome = archscope(line)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("The design with the least params\n")
    found = json.loads(archscope(f"{line} --format json").out)
    assert (found["optimum"], found["tried"], found["designs"]) == (True, 112, 112)
    best = found["best"]
    size = int(best["input"])
    totals = library.profile(best["network"], width=best["width"], input_size=(size, size)).totals
    assert totals["params"].value == best["params"] <= 50_000_000
    assert totals["macs"].value == best["macs"] >= 10**9


def test_a_search_that_finds_nothing_ends_with_1(archscope: Callable):
    outcome = archscope("search vgg11 --vary width=1 --max-params 5 --minimize macs")
    assert (outcome.code, outcome.err) == (1, "")
    assert outcome.out.startswith("No design fits\n")


def test_a_search_without_a_space_lists_the_cells_that_are_not_as_printed(archscope: Callable):
    pytest.importorskip("optuna")
    outcome = archscope("search vgg11 --max-params 200M --maximize activations --trials 20 --seed 3")
    assert outcome.code == 0
    assert "cells that are not listed are as printed\n" in outcome.out
    assert "some designs were tried, by Optuna: there may be better ones\n" in outcome.out


WRONG = {
    "sweep vgg16 --vary width": (
        "bad-value: --vary is 'width'\n  expected: NAME=VALUES, such as width=1/4:1:1/4\n"
    ),
    "sweep vgg16 --vary width=1 --vary width=2": "bad-value: --vary gives 'width' twice\n",
    "sweep vgg16 --vary width=1 --format xml": (
        f"bad-value: --format is 'xml'\n  expected: {', '.join(formats.named())}, parquet\n"
    ),
    "sweep vgg16 --vary width=1 --format parquet": (
        "bad-value: parquet is nothing to be printed\n  help:     give a file: -o points.parquet\n"
    ),
    "sweep vgg16 --vary width=1 --width 1/2": (
        "bad-value: width is varied, and set to one value as well\n  help:     give one of both\n"
    ),
    "sweep vgg16 --vary classes=1:10000000:1 --vary batch=1:1000:1": (
        "too-many-points: these are 10,000,000,000 designs, more than 1,000,000,000\n"
        "  help:     say yes (--yes) to work them all out\n"
    ),
    "sweep vgg16 --vary width=1 --where 'params < 5GiB'": (
        "mixed-units: 'params < 5GiB' mixes units: params is a count, 5GiB in bytes\n"
        "  expected: units such as KiB, MiB, GiB, TiB\n"
    ),
    "search vgg16 --vary width=1": "bad-value: a search needs one objective: either maximize or minimize\n",
}  # fmt: skip


@pytest.mark.parametrize("line", WRONG)
def test_wrong_use_ends_with_2(line: str, archscope: Callable):
    assert archscope(line) == (2, "", WRONG[line])


def test_modules_are_not_swept(archscope: Callable):
    outcome = archscope("sweep torchvision.models:resnet18 --vary width=1")
    assert (outcome.code, outcome.err) == (
        1,
        (
            "captured: torchvision.models:resnet18 is a module\n"
            "  help:     sweep takes networks of tables, or written in Python\n"
        ),
    )

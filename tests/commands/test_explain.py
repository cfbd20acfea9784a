"""``archscope explain``: what it prints for people, for documents and for machines."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest


def test_a_slide_derives_every_layer(archscope: Callable) -> None:
    lines = archscope("explain vgg16 --all").out.split("\n")
    (line,) = (each for each in lines if each.startswith("conv2_1"))
    assert "(3·3·64)·128 = 73,728 " in line
    assert " + 128 " in line
    assert "(112·112·128)·(3·3·64) = 924,844,032" in line
    assert "weights + biases = params: 138,344,128 + 13,416 = 138,357,544" in lines
    assert not [each for each in lines if each.startswith("relu")]


def test_a_csv_has_a_step_a_row_with_plain_numbers(archscope: Callable) -> None:
    rows = list(csv.DictReader(io.StringIO(archscope("explain vgg16 conv3_2 --format csv").out)))
    by_name = {row["quantity"]: row for row in rows}
    assert by_name["params"]["value"] == "590080"
    assert by_name["params"]["numbers"] == "(3·3·256)·256 + 256"
    assert by_name["output side"]["symbols"] == "M′ = ⌊(M − K + 2P)/S⌋ + 1"
    assert by_name["output"]["value"] == "256x56x56"


def test_json_has_everything(archscope: Callable) -> None:
    data = json.loads(archscope("explain vgg16 conv3_2 --format json").out)
    assert (data["kind"], data["part"], data["place"]["cell"]) == ("explanation", "layer", "conv3-256")
    steps = {step["quantity"]: step for section in data["sections"] for step in section["steps"]}
    assert steps["macs"]["value"] == 1_849_688_064
    assert steps["output_shape"]["value"] == [256, 56, 56]
    assert {term["symbol"] for term in data["terms"]} >= {"M", "K", "C′"}
    layers = json.loads(archscope("explain vgg16 --all --format json").out)["layers"]
    assert layers[0]["weights"] == {"symbols": "(K·K·C)·C′", "numbers": "(3·3·3)·64", "value": 1728}


def test_documents_have_a_table(archscope: Callable) -> None:
    markdown = archscope("explain vgg16 conv3_2 --format markdown").out
    assert "| cost | params | (K·K·C)·C′ + C′ | (3·3·256)·256 + 256 | 590,080 | weight + bias |" in markdown
    latex = archscope("explain googlenet maxpool1 --format latex").out
    assert r"$\lceil$(M $-$ K + 2P)/S$\rceil$ + 1" in latex
    assert "′" not in latex


def test_a_file_gets_the_format_of_its_name(archscope: Callable, here: Path) -> None:
    assert archscope("explain vgg16 conv3_2 -o why.md").code == 0
    assert (here / "why.md").read_text(encoding="utf-8").startswith("**conv3\\_2 of vgg16")


def test_changes_to_the_network_are_told(archscope: Callable) -> None:
    out = archscope("explain vgg16 conv3_2 --width 1/2 --batch 4").out
    assert "(4·56·56·128)·(3·3·128)" in out
    assert "changed from the paper: width=1/2" in out


def test_long_sums_are_broken_in_front_of_a_plus(archscope: Callable) -> None:
    for columns in (72, 80, 120):
        lines = archscope("explain googlenet inception3a", columns=columns).out.split("\n")
        assert max(map(len, lines)) <= columns


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        ("explain vgg61", 1, "no network is called 'vgg61'"),
        ("explain vgg16 conv9_9", 1, "vgg16 has no layer, block, row or cell 'conv9_9'"),
        ("explain vgg16 maxpool", 2, "'maxpool' is 5 parts of vgg16: pool1, pool2, pool3, pool4, pool5"),
        ("explain vgg16 conv3_1 --all", 2, "either all layers are explained, a line each, or one part"),
        ("explain vgg16 --instead conv3-64", 2, "instead needs a layer, or several"),
        ("explain vgg16 conv3_1 --instead cnv", 1, "cannot read 'cnv' as an op"),
        ("explain vgg16 conv3_1,conv4_1 --instead conv3-64", 2, "is no run of layers"),
    ],
)
def test_what_cannot_be_explained_says_why(line: str, code: int, message: str, archscope: Callable) -> None:
    outcome = archscope(line)
    assert (outcome.code, outcome.out) == (code, "")
    assert message in outcome.err

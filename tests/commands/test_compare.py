"""``compare``: stages side by side, shares, and differences that add up exactly."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest

QUANTITIES = ("params", "macs", "activations")
PAIRS = ("vgg16 googlenet", "googlenet vgg16", "alexnet vgg11", "lenet5 vgg19_bn", "vgg11 vgg11_lrn", "vgg16 vgg16")


def compared(archscope: Callable, line: str) -> dict[str, Any]:
    outcome = archscope(f"compare {line} --format json")
    assert (outcome.code, outcome.err) == (0, "")
    return json.loads(outcome.out)


@pytest.mark.parametrize("pair", [*PAIRS, "alexnet vgg16 googlenet", "vgg"])
def test_differences_of_stages_add_up_to_the_difference_of_totals(pair: str, archscope: Callable) -> None:
    found = compared(archscope, pair)
    for name in QUANTITIES:
        for n in range(len(found["networks"])):
            total = found["totals"][name][n]
            assert sum(stage[name][n] for stage in found["stages"]) == total
            assert sum(stage["differences"][name][n] for stage in found["stages"]) == found["differences"][name][n]
            assert found["differences"][name][n] == total - found["totals"][name][0]


def test_from_vgg16_to_googlenet_131_million_params_go_and_the_head_is_most_of_them(archscope: Callable) -> None:
    found = compared(archscope, "vgg16 googlenet")
    assert found["totals"]["params"] == [138_357_544, 6_998_552]
    assert found["differences"]["params"] == [0, -131_358_992]
    head = next(stage for stage in found["stages"] if stage["stage"] == "head")
    assert head["differences"]["params"][1] == 1_025_000 - 123_642_856
    printed = archscope("compare vgg16 googlenet").out
    assert "params: -131,358,992, of which the head makes -122,617,856 (93.3 %)\n" in printed


def test_the_head_of_vgg16_has_894_permille_of_the_params_and_8_of_the_macs(archscope: Callable) -> None:
    rows = list(csv.DictReader(io.StringIO(archscope("compare vgg16 googlenet --format csv").out)))
    heads = {row["quantity"]: float(row["share_a"]) for row in rows if row["stage"] == "head"}
    assert round(100 * heads["params"], 1) == 89.4
    assert round(100 * heads["MACs"], 1) == 0.8
    printed = archscope("compare vgg16 googlenet").out.split("\n")
    params, macs, _ = (line for line in printed if line.startswith("head "))
    assert "123,642,856  89.4 %" in params
    assert "123,633,664   0.8 %" in macs


def test_stages_are_aligned_by_how_far_the_maps_have_shrunk(archscope: Callable) -> None:
    stages = compared(archscope, "vgg16 googlenet")["stages"]
    assert [stage["stage"] for stage in stages] == ["1", "1/2", "1/4", "1/8", "1/16", "1/32", "head"]
    assert stages[0]["sizes"] == ["224×224", ""]
    assert stages[3]["sizes"] == ["28×28", "28×28"]


def test_a_stage_without_layers_is_empty_and_not_zero(archscope: Callable) -> None:
    rows = list(csv.DictReader(io.StringIO(archscope("compare vgg16 googlenet --format csv").out)))
    assert [rows[0][name] for name in ("size_b", "b", "share_b", "difference")] == ["", "", "", "-38720"]
    pool = next(row for row in rows if row["stage"] == "1/32")
    assert [pool[name] for name in ("size_a", "a", "share_a")] == ["7×7", "0", "0.0"]


def test_a_table_stands_for_all_its_networks(archscope: Callable) -> None:
    found = compared(archscope, "vgg --by params")
    assert found["networks"][:2] == ["vgg11", "vgg11_lrn"]
    assert len(found["networks"]) == 10
    assert list(found["totals"]) == ["params"]


def test_changes_hold_for_every_network(archscope: Callable) -> None:
    found = compared(archscope, "vgg11 googlenet --classes 10 --batch 2 --mode train")
    plain = compared(archscope, "vgg11 googlenet --mode train")
    assert found["totals"]["params"][0] == plain["totals"]["params"][0] - 990 * 4097
    assert found["totals"]["params"][1] == plain["totals"]["params"][1] - 3 * 990 * 1025
    printed = archscope("compare vgg11 googlenet --classes 10").out
    assert "vgg11, changed from the paper: num_classes=10\n" in printed


def test_ratios_are_to_the_first_network(archscope: Callable) -> None:
    lines = archscope("compare alexnet vgg16 googlenet --by macs").out.split("\n")
    ratios = {line.split()[0]: line.split()[3] for line in lines if line.startswith(("alexnet", "vgg16", "googlenet"))}
    assert ratios == {"alexnet": "1.00×", "vgg16": "21.36×", "googlenet": "2.18×"}


def test_the_longest_bar_is_the_largest_total(archscope: Callable) -> None:
    lines = archscope("compare alexnet vgg16 googlenet --by params").out.split("\n")
    bars = {line.split()[0]: line.count("█") for line in lines if "█" in line}
    assert bars == {"alexnet": 5, "vgg16": 12, "googlenet": 1}

"""``archscope diff``: what it prints, and that its exit code says whether anything differs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest


def test_the_exit_code_says_whether_anything_differs(archscope: Callable) -> None:
    same = archscope("diff vgg16 VGG-16")
    assert (same.code, same.err) == (0, "")
    assert same.out.startswith("vgg16, held against vgg16 (the spec): no difference\n")
    other = archscope("diff vgg13 vgg11")
    assert (other.code, other.err) == (1, "")
    assert "vgg13, held against vgg11 (the spec): 2 differences\n" in other.out
    assert "one conv more in block 1: 13 weight layers, not 11" in other.out


TWO_POOLS = """
title = "Two ways to write a pool"
input = [3, 33, 33]
grid = '''
| A          | B               |
|------------|-----------------|
| conv3-8    | conv3-8         |
| maxpool3/2 | maxpool3/2 ceil |
| FC-10      |
'''
"""


def test_what_is_only_written_differently_fails_when_one_is_strict(archscope: Callable, here: Path) -> None:
    (here / "pools.toml").write_text(TWO_POOLS, encoding="utf-8")
    outcome = archscope("diff pools.toml:A pools.toml:B")
    assert (outcome.code, outcome.err) == (0, "")
    assert "the same numbers come out at this input size" in outcome.out
    assert "rounds down, spec up: the same windows" in outcome.out
    assert archscope("diff pools.toml:A pools.toml:B --strict").code == 1
    assert archscope("diff pools.toml:A pools.toml:B --input 32").code == 1
    rows = list(csv.DictReader(io.StringIO(archscope("diff pools.toml:A pools.toml:B --format csv").out)))
    assert [row["verdict"] for row in rows] == ["written differently; the same numbers come out at this input size"]


def test_it_closes_with_what_both_come_to(archscope: Callable) -> None:
    last = archscope("diff vgg13 vgg11").out.strip().split("\n")[-1]
    assert last == (
        "13 weight layers, spec 11; 133,047,848 params, spec 132,863,336; 11,308,466,176 MACs, spec 7,609,090,048"
    )


def test_json_has_every_place_and_both_values(archscope: Callable) -> None:
    found = json.loads(archscope("diff googlenet_torchvision googlenet --format json").out)
    assert (found["network"], found["spec"]) == ("googlenet_torchvision", "googlenet")
    kernel = next(each for each in found["differences"] if each["aspect"] == "kernel_size")
    assert (kernel["network"], kernel["spec"], len(kernel["places"])) == ([3, 3], [5, 5], 9)


def test_changes_are_made_to_both(archscope: Callable) -> None:
    assert archscope("diff vgg16 vgg16 --classes 5 --width 1/4").code == 0


@pytest.mark.parametrize("line", ["diff vgg61 vgg16", "diff vgg16 vgg61"])
def test_a_network_that_there_is_not_is_named(line: str, archscope: Callable) -> None:
    outcome = archscope(line)
    assert outcome.code == 1
    assert outcome.err.startswith("unknown-network: no network is called 'vgg61'\n")


def test_changes_can_be_made_to_the_network_only(archscope: Callable) -> None:
    outcome = archscope("diff vgg16 vgg16 --blocks 2,2,2,3,3 --spec-as-is")
    assert outcome.code == 1
    assert "conv3_3  one conv fewer in block 3: 15 weight layers, not 16" in outcome.out
    assert archscope("diff vgg16 vgg16 --blocks 2,2,2,3,3").code == 0


def test_a_module_is_held_against_a_table_at_its_input(archscope: Callable) -> None:
    pytest.importorskip("torchvision")
    outcome = archscope("diff torchvision.models:vgg16 vgg16")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("vgg16, held against vgg16 (the spec): no difference\n")
    assert "after features.30 (pool5)  adaptiveavgpool7 added: it does nothing at this size" in outcome.out
    assert archscope("diff torchvision.models:vgg16 vgg16 --strict").code == 1
    assert archscope("diff torchvision.models:vgg16 vgg16 --input 256").code == 1

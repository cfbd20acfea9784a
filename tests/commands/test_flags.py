"""Flags mean what the arguments of the library mean, and numbers in every format are those of the profile."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

import archscope as library
from archscope.spec.options import Options

FLAGS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "--input 3x96x96": ("vgg11", "input_size", {"in_channels": 3, "input_size": (96, 96)}),
    "--input 96": ("vgg11", "input_size", {"input_size": (96, 96)}),
    "--input 64x96": ("vgg11", "input_size", {"input_size": (64, 96)}),
    "--input 1x224x224": ("vgg11", "in_channels", {"in_channels": 1, "input_size": (224, 224)}),
    "--classes 10": ("googlenet", "num_classes", {"num_classes": 10}),
    "--in-channels 1": ("vgg11", "in_channels", {"in_channels": 1}),
    "--width 1/4": ("vgg11", "width", {"width": "1/4"}),
    "--head-width 0.25": ("vgg11", "head_width", {"head_width": 0.25}),
    "--width 1/3 --round-to 8": ("vgg11", "round_to", {"width": "1/3", "round_to": 8}),
    "--head gap": ("vgg16", "head", {"head": "gap"}),
    "--dense --input 384": ("vgg16", "dense", {"dense": True, "input_size": (384, 384)}),
    "--blocks 1,1,1,1,1": ("vgg11", "blocks", {"blocks": [1, 1, 1, 1, 1]}),
    "--blocks 1x64,1x128,1x256,1x512,1x512": (
        "vgg11", "blocks", {"blocks": [[1, 64], [1, 128], [1, 256], [1, 512], [1, 512]]}
    ),
    "--blocks '((1, 64), (1, 128), (1, 256), (1, 512), (1, 512))'": (
        "vgg11", "blocks", {"blocks": ((1, 64), (1, 128), (1, 256), (1, 512), (1, 512))}
    ),
    "--blocks '[64, \"M\", 128, \"M\", 256, \"M\", 512, \"M\", 512, \"M\"]'": (
        "vgg11", "blocks", {"blocks": [64, "M", 128, "M", 256, "M", 512, "M", 512, "M"]}
    ),
    "--bn conv+fc": ("vgg11", "bn", {"bn": "conv+fc"}),
    "--no-conv-bias": ("vgg11", "conv_bias", {"conv_bias": False}),
    "--conv-bias": ("googlenet_torchvision", "conv_bias", {"conv_bias": True}),
    "--dropout 0.1": ("vgg11", "dropout", {"dropout": 0.1}),
    "--adaptive-pool": ("vgg11", "adaptive_pool", {"adaptive_pool": True}),
    "--softmax": ("vgg11", "softmax", {"softmax": True}),
    "--no-aux": ("googlenet", "aux", {"aux": False}),
    "--set 'inception (4a).#3×3=192' --set 'inception (4b).#3×3=192'": (
        "googlenet", "set", {"set": {"inception (4a).#3×3": "192", "inception (4b).#3×3": "192"}}
    ),
    "--blocks 1,1,1,1": ("resnet18", "blocks", {"blocks": [1, 1, 1, 1]}),
}  # fmt: skip
"""Per flag a network that it changes, the option that it sets, and the same call of the library."""


def as_json(archscope: Callable, line: str) -> dict[str, Any]:
    outcome = archscope(f"{line} --format json")
    assert (outcome.code, outcome.err) == (0, "")
    return json.loads(outcome.out)


@pytest.mark.parametrize("flag", FLAGS)
def test_a_flag_does_what_the_option_of_load_does(flag: str, archscope: Callable) -> None:
    network, _, changes = FLAGS[flag]
    printed = as_json(archscope, f"summary {network} {flag} --full --mode train")
    profile = library.profile(network, mode="train", **changes)
    assert printed["totals"]["params"]["value"] == profile.totals["params"].value
    assert [row["op"] for row in printed["rows"]] == [row.op for row in profile.rows]
    assert [tuple(row["output_shape"]) for row in printed["rows"]] == [r.values["output_shape"] for r in profile.rows]
    assert printed["input_shape"] == list(profile.input_shape)
    assert printed["changes"] == list(profile.changes)


@pytest.mark.parametrize("flag", FLAGS)
def test_a_flag_has_an_effect(flag: str, archscope: Callable) -> None:
    network = FLAGS[flag][0]
    plain = as_json(archscope, f"summary {network} --full --mode train")
    changed = as_json(archscope, f"summary {network} {flag} --full --mode train")
    assert (plain["rows"], plain["input_shape"]) != (changed["rows"], changed["input_shape"])


def test_every_option_of_a_network_has_a_flag() -> None:
    without = {"transform_input"}  # comes with weights, which no command takes yet
    assert {option for _, option, _ in FLAGS.values()} == {each.name for each in fields(Options)} - without


def test_json_says_what_the_profile_says(archscope: Callable) -> None:
    printed = as_json(archscope, "summary googlenet --batch 2 --dtype float16 --columns params,macs,activation_bytes")
    profile = library.profile("googlenet", 2, dtype="float16", columns=("params", "macs", "activation_bytes"))
    assert printed["schema_version"] == 1
    assert printed["kind"] == "summary"
    assert printed["setting"] == {"batch": 2, "dtype": "float16", "mode": "eval"}
    assert {name: total["value"] for name, total in printed["totals"].items()} == {
        name: total.value for name, total in profile.totals.items()
    }
    for name in ("params", "macs", "activation_bytes"):
        assert sum(row[name] for row in printed["rows"]) == printed["totals"][name]["value"]
    assert [row["path"] for row in printed["rows"]] == [row.path for row in profile.at_depth(0)]


@pytest.mark.parametrize("line", ["list", "ops", "show vgg", "summary googlenet", "compare vgg", "compare vgg11 vgg13"])
def test_every_csv_can_be_read_back(line: str, archscope: Callable) -> None:
    heads, *rows = csv.reader(io.StringIO(archscope(f"{line} --format csv").out))
    assert len(set(heads)) == len(heads)
    assert all(heads)
    assert rows
    assert {len(row) for row in rows} == {len(heads)}


def test_csv_holds_plain_numbers(archscope: Callable) -> None:
    rows = list(csv.DictReader(io.StringIO(archscope("summary vgg16 --format csv").out)))
    assert sum(int(row["params"]) for row in rows) == 138_357_544
    assert rows[0]["output_shape"] == "64x224x224"


def test_batch_multiplies_macs_and_not_params(archscope: Callable) -> None:
    one, four = (as_json(archscope, f"summary vgg11 --batch {batch}")["totals"] for batch in (1, 4))
    assert four["macs"]["value"] == 4 * one["macs"]["value"]
    assert four["params"] == one["params"]


def test_dtype_decides_the_bytes(archscope: Callable) -> None:
    lines = [f"summary vgg11 --columns activation_bytes --dtype {dtype}" for dtype in ("float64", "float16")]
    wide, narrow = (as_json(archscope, line)["totals"]["activation_bytes"]["value"] for line in lines)
    assert wide == 4 * narrow


def test_mode_train_counts_the_auxiliary_heads(archscope: Callable) -> None:
    evaluated, trained = (as_json(archscope, f"summary googlenet --mode {mode}") for mode in ("eval", "train"))
    assert evaluated["totals"]["params"]["value"] == 6_998_552
    assert trained["totals"]["params"]["value"] == 13_378_280
    added = evaluated["auxiliary_heads"]["params"]
    assert evaluated["totals"]["params"]["value"] + added == trained["totals"]["params"]["value"]
    assert trained["auxiliary_heads"] == {}


def test_depth_unfolds_blocks_and_full_all_of_them(archscope: Callable) -> None:
    folded, one, full = (
        as_json(archscope, f"summary googlenet {flag}")["rows"] for flag in ("", "--depth 1", "--full")
    )
    assert len(folded) < len(one) < len(full)
    assert {row["layers"] for row in full} == {1}
    for rows in (folded, one):
        assert sum(row["layers"] for row in rows) == len(full)
        assert sum(row["params"] for row in rows) == 6_998_552


def test_columns_come_in_the_order_that_is_asked_for(archscope: Callable) -> None:
    heads = archscope("summary vgg11 --columns macs,weight_layers,params,macs --format csv").out.split("\n")[0]
    assert heads == "layer,op,macs,weight_layers,params"


def test_sort_puts_the_largest_first_and_adds_its_column(archscope: Callable) -> None:
    rows = as_json(archscope, "summary vgg16 --sort flops --columns params")["rows"]
    assert [row["flops"] for row in rows] == sorted((row["flops"] for row in rows), reverse=True)
    assert as_json(archscope, "summary vgg16 --sort params")["rows"][0]["name"] == "fc6"


@pytest.mark.parametrize(
    ("ending", "begins"), [("md", "**vgg11"), ("csv", "layer,"), ("json", "{"), ("tex", "\\begin")]
)
def test_the_ending_of_a_file_says_its_format(ending: str, begins: str, archscope: Callable, here: Path) -> None:
    assert archscope(f"summary vgg11 -o out.{ending}") == (0, f"wrote out.{ending}\n", "")
    text = (here / f"out.{ending}").read_text(encoding="utf-8")
    assert text.startswith(begins)
    assert archscope(f"summary vgg11 -o other --format {'latex' if ending == 'tex' else 'json'}").code == 0


def test_list_knows_every_network_and_finds_words(archscope: Callable) -> None:
    networks = {row["network"]: row for row in as_json(archscope, "list")["networks"]}
    assert networks["vgg16"]["params"] == 138_357_544
    assert networks["googlenet"]["table"] == "googlenet"
    found = [row["network"] for row in as_json(archscope, "list 1404.5997 LENET5")["networks"]]
    assert found == ["alexnet_owt", "lenet5"]


def test_ops_names_every_op_without_marks_of_markup(archscope: Callable) -> None:
    outcome = archscope("ops")
    for notation in ("conv{kernel_size}-{out_channels}", "FC-{out_features}", "LRN", "soft-max", "maxpool"):
        assert notation in outcome.out
    assert "``" not in outcome.out


def test_show_keeps_the_papers_cells(archscope: Callable) -> None:
    printed = as_json(archscope, "show vgg")
    assert printed["heads"] == ["A", "A-LRN", "B", "C", "D", "E"]
    assert printed["rows"][0][4] == "16 weight layers"
    assert ["maxpool"] * 6 in printed["rows"]
    assert archscope("show vgg16").out == archscope("show vgg").out


@pytest.mark.parametrize("name", ["D", "vgg16", "vgg16_bn"])
def test_show_marks_a_column_by_its_head_or_its_networks_name(name: str, archscope: Callable) -> None:
    lines = archscope(f"show vgg --network {name}").out.split("\n")
    assert lines[2].split() == ["A", "A-LRN", "B", "C", "[D]", "E"]
    narrow = archscope(f"show vgg --network {name}", columns=20).out
    assert "\n[D]\n" in narrow
    assert "conv3-512" in narrow

"""What the commands print, character by character. After a change that is meant: ``pytest --update-snapshots``."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

from archscope import formats

CASES = {
    "list": ("list 1409.1556 1409.4842", 100),
    "list_vgg_piped": ("list vgg", None),
    "list_lenet_60": ("list lenet", 60),
    "ops": ("ops", 140),
    "show_vgg": ("show vgg", 120),
    "show_vgg_network_d": ("show vgg --network D", 120),
    "show_vgg_network_d_60": ("show vgg --network D", 60),
    "show_googlenet": ("show googlenet", 140),
    "summary_vgg16": ("summary vgg16", 100),
    "summary_vgg16_60": ("summary vgg16", 60),
    "summary_googlenet": ("summary googlenet", 100),
    "summary_googlenet_full": ("summary googlenet --full", 100),
    "summary_googlenet_train": ("summary googlenet --mode train", 80),
    "summary_vgg11_changed": ("summary vgg11 --width 1/4 --input 1x224x224 --classes 10", 100),
    "compare_vgg16_googlenet": ("compare vgg16 googlenet", 140),
    "compare_vgg16_googlenet_80": ("compare vgg16 googlenet", 80),
    "compare_vgg": ("compare vgg", 140),
    "compare_three": ("compare alexnet vgg16 googlenet", 140),
    "check_mobilenet_v1": ("check mobilenet_v1 --witness published", 100),
    "check_two_papers": ("check inception_v4 inception_resnet_v2 --witness published", 120),
    "show_mobilenet_v1_computed": ("show mobilenet_v1 --computed", 100),
    "explain_conv3_2": ("explain vgg16 conv3_2", 80),
    "explain_inception3a": ("explain googlenet inception3a", 80),
    "explain_instead": ("explain vgg16 conv3_2,conv3_3 --instead conv5-256", 100),
    "explain_vgg16": ("explain vgg16", 100),
    "explain_depth": ("explain googlenet depth", 100),
    "explain_all": ("explain vgg16 --all", 120),
    "explain_asymmetric": ("explain inception_v3 Mixed_6b.branch7x7_2.conv", 80),
    "memory_vgg16": ("memory vgg16 --batch 8", 100),
    "memory_lenet5_60": ("memory lenet5 --optimizer adam --device cpu", 60),
    "fit_two": ("fit vgg16 googlenet --memory 8GiB --memory 24GiB", 80),
    "fit_input": ("fit vgg16 --memory 4GiB --reserve 1GiB --largest input --batch 16 --infer --bn conv", 80),
    "fit_chip": ("fit mobilenet_v1 --width 7/32 --flash 4MiB --ram 512KiB", 100),
    "summary_bytes": (
        "summary vgg11 --columns param_bytes,saved_activation_bytes,inference_peak_bytes,train_peak_bytes",
        100,
    ),
}

FORMATS = {name: import_module(f"archscope.formats.{name}").SUFFIX for name in formats.named() if name != "terminal"}
"""Every format with the ending of its files; a new one's snapshot is made by ``--update-snapshots``."""


@pytest.mark.parametrize("name", CASES)
def test_a_command_prints_its_snapshot(name: str, archscope: Callable, snapshot: Callable) -> None:
    line, columns = CASES[name]
    outcome = archscope(line, columns=columns)
    assert (outcome.code, outcome.err) == (0, "")
    if columns is not None:
        assert not [text for text in outcome.out.split("\n") if len(text) > columns and " " in text]
    snapshot(f"{name}.txt", outcome.out)


@pytest.mark.parametrize("format_", FORMATS)
def test_every_format_prints_its_snapshot(format_: str, archscope: Callable, snapshot: Callable) -> None:
    outcome = archscope(f"summary lenet_tutorial --format {format_}")
    assert (outcome.code, outcome.err) == (0, "")
    snapshot(f"lenet_tutorial{FORMATS[format_]}", outcome.out)


def test_a_new_table_is_right_as_it_stands(archscope: Callable, snapshot: Callable, here: Path) -> None:
    written = archscope("new my-net.toml")
    checked = archscope("check my-net.toml")
    summary = archscope("summary my-net.toml:my_net_a", columns=100)
    compared = archscope("compare my-net.toml", columns=100)
    outcomes = (written, checked, summary, compared)
    assert [(each.code, each.err) for each in outcomes] == [(0, "")] * 4
    snapshot("new.txt", "\n".join(each.out for each in (written, summary, compared)))
    snapshot("new.toml", (here / "my-net.toml").read_text(encoding="utf-8"))


def test_the_commands_that_a_new_table_names_work(archscope: Callable, here: Path) -> None:
    archscope("new net.toml")
    comments = [line.removeprefix("#").strip() for line in (here / "net.toml").read_text().splitlines()]
    lines = [line.partition("   ")[0] for line in comments if line.startswith("archscope ")]
    assert len(lines) == 3
    for line in lines:
        assert archscope(line.removeprefix("archscope ")).code == 0, line


def test_every_snapshot_belongs_to_a_test() -> None:
    named = {f"{name}.txt" for name in CASES} | {f"lenet_tutorial{ending}" for ending in FORMATS.values()}
    named |= {"new.txt", "new.toml"}
    assert {path.name for path in (Path(__file__).parents[1] / "snapshots").iterdir()} == named

"""``archscope lint``: what it prints, its exit code, and what it says about targets that it cannot read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

FAULTY = """
from torch import nn
criterion = nn.CrossEntropyLoss()
total = 0
for x, y in train_loader:
    loss = criterion(model(x), y)
    total += loss
"""


def test_errors_end_with_1_and_warnings_do_not(archscope: Callable, here: Path) -> None:
    (here / "train.py").write_text(FAULTY, encoding="utf-8")
    outcome = archscope("lint train.py")
    assert (outcome.code, outcome.err) == (1, "")
    assert outcome.out.startswith("train.py: 1 error\n")
    assert "train.py:7" in outcome.out
    assert "loss-without-item: each batch's graph stays reachable from it" in outcome.out
    assert "To mend: total += loss.item(). Met in: PyTorch FAQ" in outcome.out
    warned = archscope("lint alexnet --input 224")
    assert (warned.code, warned.err) == (0, "")
    assert warned.out.startswith("alexnet: 1 warning\n")
    assert archscope("lint vgg16 resnet50").out.startswith("vgg16, resnet50: nothing found\n")


def test_rules_are_selected_and_ignored(archscope: Callable, here: Path) -> None:
    (here / "train.py").write_text(FAULTY, encoding="utf-8")
    assert archscope("lint train.py --ignore loss-without-item").code == 0
    assert archscope("lint train.py --select device-flag,softmax-dim").code == 0
    assert archscope("lint train.py --select loss-without-item").code == 1
    outcome = archscope("lint train.py --select loss-with-item")
    assert outcome.code == 1
    assert outcome.err.startswith(
        "unknown-rule: no rule is called 'loss-with-item'\n  expected: activation-on-logits, "
    )
    assert outcome.err.endswith("  help:     did you mean loss-without-item, evaluation-with-gradients?\n")


def test_json_has_all_that_is_known_of_a_finding(archscope: Callable) -> None:
    found = json.loads(archscope("lint vgg16_bn --format json").out)["findings"]
    assert [set(each) for each in found] == [
        {"id", "subject", "level", "place", "what", "why", "mend", "source"},
    ]
    assert (found[0]["id"], found[0]["subject"], found[0]["level"]) == ("bias-before-batch-norm", "vgg16_bn", "info")
    assert found[0]["place"] == "tables/vgg.toml:15 features.0"


def test_several_targets_each_have_a_heading(archscope: Callable) -> None:
    lines = archscope("lint vgg").out.split("\n")
    assert lines[0] == "vgg: 4 remarks"
    assert [line for line in lines if line in {"vgg11_bn", "vgg13_bn", "vgg16_bn", "vgg19_bn"}] == [
        "vgg11_bn", "vgg13_bn", "vgg16_bn", "vgg19_bn",
    ]  # fmt: skip


def test_a_script_is_read_and_never_run(archscope: Callable, here: Path) -> None:
    (here / "train.py").write_text("open('was-run', 'w')\nraise SystemExit(3)\n", encoding="utf-8")
    assert archscope("lint train.py").code == 0
    assert not (here / "was-run").exists()


@pytest.mark.parametrize(
    ("line", "code", "error"),
    [
        ("lint missing.py", 1, "no-such-file: 'missing.py' cannot be read: No such file or directory\n"),
        ("lint broken.py", 1, "broken.py:2:1: no-python: this is no Python that can be read: "),
        ("lint train.py --classes 5", 2, "bad-value: train.py is a script: num_classes is for networks\n"),
        ("lint train.py --input 3x8x8", 2, "bad-value: train.py is a script: input is for networks\n"),
        ("lint vgg61", 1, "unknown-network: no network is called 'vgg61'\n"),
        ("lint latin.py", 1, "no-such-file: 'latin.py' cannot be read: it is not UTF-8 text\n"),
    ],
)
def test_targets_that_cannot_be_read(line: str, code: int, error: str, archscope: Callable, here: Path) -> None:
    (here / "train.py").write_text("", encoding="utf-8")
    (here / "broken.py").write_text("def f():\nreturn 3\n", encoding="utf-8")
    (here / "latin.py").write_bytes(b"# caf\xe9\n")
    outcome = archscope(line)
    assert outcome.code == code
    assert outcome.err.startswith(error)


def test_what_python_would_warn_of_in_a_script_or_an_address_is_not_said(archscope: Callable, here: Path) -> None:
    (here / "train.py").write_text('import re\nnumbers = re.compile("\\d+")\n', encoding="utf-8")
    outcome = archscope("lint train.py")
    assert (outcome.code, outcome.out.split("\n")[0], outcome.err) == (0, "train.py: nothing found", "")
    assert archscope("summary ./net.py:0or1").err.startswith("bad-address: cannot read './net.py:0or1'\n")

"""``archscope annotate``: the source with shapes and params beside it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("torch")

NET = """from torch import nn


class Net(nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.conv = nn.Conv2d(3, width, 3, padding=1)
        self.fc = nn.Linear(width * 16 * 16, 10)

    def forward(self, x):
        x = self.conv(x).relu()  # 8 x 32 x 32
        x = nn.functional.max_pool2d(x, 2)  # 8 x 15 x 15
        return self.fc(x.flatten(1))
"""


def test_the_source_is_printed_with_what_its_lines_make(archscope: Callable, here: Path) -> None:
    (here / "net.py").write_text(NET, encoding="utf-8")
    outcome = archscope("annotate ./net.py:Net --input 3x32x32")
    assert (outcome.code, outcome.err) == (1, "")
    lines = outcome.out.split("\n")
    assert lines[0] == "net.py: 1 wrong shape comment"
    rows = {line[6:].split("  # ")[0].strip(): line for line in lines[4:] if line[:4].strip().isdigit()}
    pool = next(line for text, line in rows.items() if "max_pool2d" in text)
    assert pool.split("  8×16×16 ")[1].strip() == "says 8×15×15, is 8×16×16"
    fc = next(line for text, line in rows.items() if "self.fc = " in text)
    assert fc.split()[-2:] == ["10", "20,490"]
    assert lines[4].split() == ["4", "class", "Net(nn.Module):"]


def test_a_source_whose_comments_are_right_ends_with_0(archscope: Callable, here: Path) -> None:
    (here / "net.py").write_text(NET.replace("8 x 15 x 15", "N x 8 x 16 x 16"), encoding="utf-8")
    outcome = archscope("annotate net.py:Net --input 3x32x32 --format json")
    assert (outcome.code, outcome.err) == (0, "")
    found = json.loads(outcome.out)
    assert found["source"] == "net.py"
    assert found["lines"][6]["outputs"] == [[8, 32, 32]]
    assert [line["number"] for line in found["lines"]] == list(range(1, 15))


def test_what_cannot_be_captured_says_why(archscope: Callable, here: Path) -> None:
    (here / "net.py").write_text(NET, encoding="utf-8")
    outcome = archscope("annotate net.py:Net --input 3x30x30")
    assert outcome.code == 1
    assert "fc (Linear)" in outcome.err
    assert archscope("annotate net.py:Nett --input 3x32x32").err.startswith("unknown-attribute: net.py has no 'Nett'")

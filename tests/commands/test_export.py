"""``archscope export``: what is written where, and what is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import archscope as library

WRONG = {
    "export vgg16 --to caffe": "bad-value: to is 'caffe'\n  expected: {targets}\n",
    "export vgg16 -o vgg16.txt": "bad-value: the name 'vgg16.txt' does not say a target\n"
    "  expected: --to, or a name that ends in {endings}\n",
    "export vgg16 --to python -o vgg16.txt": "bad-value: the name 'vgg16.txt' does not fit --to python\n"
    "  expected: a name that ends in .py\n",
}


def test_it_prints_the_text_or_writes_it_to_a_file(archscope: Callable, here: Path) -> None:
    text = library.export("lenet_tutorial", "python")
    assert archscope("export lenet_tutorial --to python") == (0, text, "")
    assert archscope("export lenet_tutorial -o net.py") == (0, "wrote net.py\n", "")
    assert (here / "net.py").read_text(encoding="utf-8") == text


@pytest.mark.parametrize("line", WRONG)
def test_wrong_use_ends_with_2_and_writes_nothing(line: str, archscope: Callable, here: Path) -> None:
    from archscope.api.exports import TARGETS

    text = WRONG[line].format(targets=", ".join(TARGETS), endings=", ".join(TARGETS.values()))
    assert archscope(line) == (2, "", text)
    assert list(here.iterdir()) == []


def test_a_file_that_is_there_is_kept_unless_forced(archscope: Callable, here: Path) -> None:
    (here / "net.py").write_text("mine")
    outcome = archscope("export lenet5 -o net.py")
    assert outcome == (
        2, "", "file-exists: 'net.py' is there already; nothing was written\n  help:     --force overwrites it\n",
    )  # fmt: skip
    assert (here / "net.py").read_text() == "mine"
    assert archscope("export lenet5 -o net.py --force").code == 0
    assert (here / "net.py").read_text(encoding="utf-8") == library.export("lenet5")


def test_a_place_that_cannot_be_written_to_is_said(archscope: Callable, here: Path) -> None:
    text = "cannot-write: 'no/net.py': No such file or directory\n"
    assert archscope("export lenet5 -o no/net.py") == (1, "", text)
    (here / "taken.py").mkdir()
    outcome = archscope("export lenet5 -o taken.py --force")
    assert (outcome.code, outcome.err) == (1, "cannot-write: 'taken.py': Is a directory\n")
    assert [path.name for path in here.iterdir()] == ["taken.py"]

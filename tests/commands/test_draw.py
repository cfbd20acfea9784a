"""``archscope draw``: what is written where, and what is not."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import archscope as library


@pytest.mark.parametrize(("ending", "kind"), [(".svg", "svg"), (".mmd", "mermaid"), (".dot", "dot")])
def test_the_file_s_name_says_the_kind(ending: str, kind: str, archscope: Callable, here: Path) -> None:
    assert archscope(f"draw lenet_tutorial -o net{ending}") == (0, f"wrote net{ending}\n", "")
    assert (here / f"net{ending}").read_text(encoding="utf-8") == library.draw("lenet_tutorial", kind)


def test_without_a_file_the_svg_is_printed(archscope: Callable) -> None:
    outcome = archscope("draw googlenet --depth 0 --highlight macs")
    assert outcome == (0, library.draw("googlenet", depth=0, highlight="macs"), "")


@pytest.mark.parametrize(("ending", "start"), [(".png", b"\x89PNG"), (".pdf", b"%PDF")])
def test_png_and_pdf_are_made_with_the_extra(ending: str, start: bytes, archscope: Callable, here: Path) -> None:
    pytest.importorskip("cairosvg", reason="needs the extra draw")
    assert archscope(f"draw lenet_tutorial -o net{ending}").code == 0
    assert (here / f"net{ending}").read_bytes().startswith(start)


def test_a_missing_extra_says_what_installs_it(
    archscope: Callable, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cairosvg", None)
    outcome = archscope("draw lenet_tutorial -o net.png")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith("missing-extra: a png is made with cairosvg, which cannot be imported: ")
    assert outcome.err.endswith("  help:     pip install cairosvg\n")
    assert list(here.iterdir()) == []


def test_a_name_that_says_no_format_is_refused(archscope: Callable, here: Path) -> None:
    text = "bad-value: the name 'net.gif' does not say a format\n"
    expected = "  expected: a name that ends in .svg, .mmd, .dot, .png, .pdf\n"
    assert archscope("draw lenet5 -o net.gif") == (2, "", text + expected)
    assert list(here.iterdir()) == []


def test_a_file_that_is_there_is_kept_unless_forced(archscope: Callable, here: Path) -> None:
    (here / "net.svg").write_text("mine")
    outcome = archscope("draw lenet5 -o net.svg")
    assert (outcome.code, outcome.err.partition(":")[0]) == (2, "file-exists")
    assert (here / "net.svg").read_text() == "mine"
    assert archscope("draw lenet5 -o net.svg --force").code == 0
    assert (here / "net.svg").read_text(encoding="utf-8") == library.draw("lenet5")

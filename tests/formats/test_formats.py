"""Every format renders the same sheet, and what stands in a table can do nothing in any of them."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from sheets import HOSTILE, sheet, spanning

from archscope import formats
from archscope.core.errors import UsageError
from archscope.formats import Field, Sheet

PDFLATEX = shutil.which("pdflatex")


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("format_", formats.named())
def test_no_control_character_reaches_any_format(format_: str, name: str) -> None:
    for width in (None, 40):
        text = formats.render(sheet(HOSTILE[name]), format_, width)
        assert text.replace("\n", "").isprintable()


@pytest.mark.parametrize("name", HOSTILE)
def test_no_cell_of_a_csv_is_a_formula(name: str) -> None:
    heads, *rows = csv.reader(io.StringIO(formats.render(sheet(HOSTILE[name]), "csv")))
    assert [len(row) for row in rows] == [len(heads)] * 2
    for cell in (heads[0], rows[0][0]):
        assert cell.lstrip()[:1] not in {"=", "+", "-", "@"}
    assert rows[0][1:] == ["3x224x224", "1000", "-5"]
    assert rows[1] == ["plain", "", "", "0"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_markdown_table_keeps_its_cells_and_shows_no_html(name: str) -> None:
    text = formats.render(sheet(HOSTILE[name]), "markdown")
    lines = [line for line in text.split("\n") if line.startswith("| ")]
    assert len(lines) == 5
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {5}
    assert "<" not in text
    for mark in "*_`[]$":
        bare = re.findall(rf"(?<!\\){re.escape(mark)}", text.replace("**", "") if mark == "*" else text)
        assert not bare, mark


@pytest.mark.parametrize("name", HOSTILE)
def test_latex_stays_balanced_and_runs_no_command_of_a_table(name: str) -> None:
    text = formats.render(sheet(HOSTILE[name]), "latex")
    bare = re.sub(r"\\[\\{}&%$#_]", "", text)
    assert bare.count("{") == bare.count("}")
    assert bare.count("$") % 2 == 0
    commands = set(re.findall(r"\\([A-Za-z]+)", re.sub(r"\\\\", "", text)))
    known = {"begin", "end", "caption", "centering", "toprule", "midrule", "bottomrule", "times"}
    assert commands <= known | {"textbackslash", "textasciitilde", "textasciicircum"}
    body = text.partition(r"\toprule")[2].partition(r"\bottomrule")[0]
    rows = [line for line in body.split("\n") if line.endswith(r"\\")]
    assert len(rows) == 4
    assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {3}


@pytest.mark.parametrize("name", HOSTILE)
def test_json_gives_a_text_back_as_it_was(name: str) -> None:
    found = json.loads(formats.render(sheet(HOSTILE[name]), "json"))
    assert found == {"schema_version": 1, "kind": "test", "title": HOSTILE[name], "rows": [[HOSTILE[name]]]}


@pytest.mark.parametrize("format_", formats.named())
def test_a_hostile_table_is_harmless_from_file_to_print(format_: str, archscope: Callable, here: Path) -> None:
    text = HOSTILE["ansi"].encode("unicode_escape").decode().replace("\\x", "\\u00")
    table = f'title = "{text} <b> =1+1"\ninput = [1, 8, 8]\nnote = "{text}"\n'
    table += "grid = '''\n| =cmd()<i> |\n|---|\n| conv3-4 |\n| FC-2 |\n'''\n[networks]\nnet = \"=cmd()<i>\"\n"
    (here / "bad.toml").write_text(table, encoding="utf-8")
    for command in ("show bad.toml", "summary bad.toml", "compare bad.toml vgg11 --input 3x224x224"):
        outcome = archscope(f"{command} --format {format_}")
        assert (outcome.code, outcome.err) == (0, ""), command
        assert outcome.out.replace("\n", "").isprintable()
        assert format_ != "markdown" or "<" not in outcome.out
        assert format_ != "csv" or not re.search(r"(?m)(^|,)\"?[=+@]", outcome.out)


@pytest.mark.skipif(PDFLATEX is None, reason="pdflatex is not installed")
@pytest.mark.parametrize("name", [*HOSTILE, "spanning"])
def test_latex_compiles(name: str, tmp_path: Path) -> None:
    text = formats.render(spanning() if name == "spanning" else sheet(HOSTILE[name]), "latex")
    document = "\\documentclass{article}\\usepackage{booktabs}\\begin{document}\n" + text + "\\end{document}\n"
    (tmp_path / "test.tex").write_text(document, encoding="utf-8")
    command = [str(PDFLATEX), "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "test.tex"]
    outcome = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stdout


def test_a_spanning_cell_spans_where_the_format_can() -> None:
    lines = formats.render(spanning(), "latex").split("\n")
    assert lines[-6:-3] == [
        r"    \multicolumn{3}{c}{maxpool} \\", r"     & \multicolumn{2}{c}{maxpool} \\", r"    \bottomrule"
    ]  # fmt: skip
    assert formats.render(spanning(), "markdown").split("\n")[5:7] == ["| maxpool |  |  |", "|  | maxpool |  |"]
    assert formats.render(spanning(), "csv").split("\n")[2:4] == ["maxpool,maxpool,maxpool", ",maxpool,maxpool"]


def test_a_negative_number_has_a_minus_in_latex() -> None:
    assert "1,000 & $-$5 " in formats.render(sheet(), "latex")


def test_groups_are_ruled_off_in_latex() -> None:
    text = formats.render(sheet(headings={0: "a", 1: "b"}, total=None), "latex")
    assert text.count(r"\midrule") == 2


def test_a_bar_is_not_data() -> None:
    fields = (Field("a", "a"), Field("bar", "", "bar"))
    assert formats.render(Sheet("test", "t", fields, (("x", "███"),)), "csv") == "a\nx\n"


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "count", "?"), (0, "count", "0"), (1234567, "count", "1,234,567"), (-1, "signed", "-1"),
        (1, "signed", "+1"), (0, "signed", "0"), (0.0, "share", "0.0 %"), (0.0004, "share", "<0.1 %"),
        (0.0006, "share", "0.1 %"), (1.0, "share", "100.0 %"), (0.004, "ratio", "<0.01×"), (0.0, "ratio", "0.00×"),
        (21.357, "ratio", "21.36×"), (1023, "bytes", "1023 B"), (1024, "bytes", "1.00 KiB"),
        (5 * 2**30, "bytes", "5.00 GiB"), ((), "shape", ""), ((3, 4), "shape", "3×4"), ("≥ 5", "count", "≥ 5"),
    ],
)  # fmt: skip
def test_values_are_spelled_for_people(value: Any, unit: str, text: str) -> None:
    assert formats.spelled(value, unit) == text


def test_a_format_that_there_is_not_is_refused() -> None:
    with pytest.raises(UsageError, match="bad-value: format is 'pdf'"):
        formats.render(sheet(), "pdf")


def test_every_ending_names_a_format_that_there_is() -> None:
    endings = {name: import_module(f"archscope.formats.{name}").SUFFIX for name in formats.named()}
    assert {name: formats.of_file(f"a.b{ending}") for name, ending in endings.items()} == {
        each: each for each in endings
    }
    assert (endings["csv"], endings["markdown"], endings["latex"]) == (".csv", ".md", ".tex")

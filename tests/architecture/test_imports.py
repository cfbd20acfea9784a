"""Imports go one way: the contracts in pyproject.toml hold, and each of them fires when it is broken."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

LINT = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"

BROKEN = {
    "upwards": ("core/source.py", "import archscope.ops", "imports go one way"),
    "an op and a format": ("ops/conv.py", "import archscope.formats", "imports go one way"),
    "siblings": ("formats/csv.py", "import archscope.targets", "imports go one way"),
    "a library and a command": ("api.py", "import archscope.commands", "imports go one way"),
    "late, within a function": ("graph/paths.py", "def _f():\n    import archscope.api.networks", "imports go one way"),
    "a folder that the design does not have": ("utils.py", "", "imports go one way"),
    "torch in an op": ("ops/conv.py", "import torch", "torch is imported by targets"),
    "torch in a command": ("commands/summary.py", "def _f():\n    import torch", "torch is imported by targets"),
    "torchvision in a study": ("studies/profiling.py", "import torchvision", "torch is imported by targets"),
    "numpy in an analysis": ("analyses/params.py", "import numpy", "numpy and sympy are imported by no rule"),
    "sympy in an op": ("ops/fc.py", "import sympy", "numpy and sympy are imported by no rule"),
    "rich in a format": ("formats/csv.py", "import rich", "rich and typer stay in commands"),
    "typer in the library": ("api.py", "import typer", "rich and typer stay in commands"),
}


def linted(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", LINT]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8", check=False)


def test_every_contract_is_kept() -> None:
    outcome = linted(ROOT)
    assert outcome.returncode == 0, outcome.stdout
    assert "0 broken" in outcome.stdout


@pytest.mark.parametrize("how", BROKEN)
def test_a_contract_that_is_broken_fires(how: str, tmp_path: Path) -> None:
    name, line, contract = BROKEN[how]
    shutil.copytree(ROOT / "archscope", tmp_path / "archscope", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / "archscope" / name).open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    outcome = linted(tmp_path)
    assert outcome.returncode == 1, outcome.stdout
    report = outcome.stdout + outcome.stderr
    if name != "utils.py":
        assert any(text.startswith(contract) and "BROKEN" in text for text in report.split("\n")), report
    else:
        assert "utils" in report

"""README's tables of other tools have the tools, the columns and the probes of the benchmark that makes them."""

from __future__ import annotations

import importlib.util
import re
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import probes
import pytest

ROOT = Path(__file__).parents[1]
SECTION = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Compared with other tools\n")[2]
SECTION = SECTION.partition("\n## ")[0]


@pytest.fixture(scope="module")
def peers() -> ModuleType:
    """The benchmark, imported and not run."""
    folder = ROOT / "tests" / "benchmarks"
    sys.path.insert(0, str(folder))
    try:
        spec = importlib.util.spec_from_file_location("peers", folder / "peers.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(folder))
    return module


def tables() -> list[list[list[str]]]:
    """The tables of the section, as rows of cells."""
    blocks = re.findall(r"(?m)(?:^\|.*\n)+", f"{SECTION}\n")
    return [
        [[cell.strip() for cell in line.strip("|\n").split("|")] for line in block.splitlines()] for block in blocks
    ]


def test_readme_names_every_tool_with_its_version_in_both_tables(peers: ModuleType) -> None:
    counts, costs = tables()
    assert counts[0] == list(peers.HEADS)
    assert costs[0] == list(peers.COSTS)
    for rows in (counts, costs):
        named = [row[0].rpartition(" ") for row in rows[2:] if row[0] != peers.FROM_TABLE]
        assert [name for name, _, _ in named] == list(peers.TOOLS)
        assert all(re.fullmatch(r"\d+(\.\d+)+(\.post\d+)?", version) for _, _, version in named)


def test_readme_counts_every_probe_once(peers: ModuleType) -> None:
    total = len(probes.EXACT) + len(probes.DEPENDENT)
    for row in tables()[0][2:]:
        outcomes = row[1 : 1 + len(peers.OUTCOMES)]
        assert set(outcomes) == {"–"} or sum(map(int, outcomes)) == total
    assert f"{total} small modules" in SECTION


def test_the_extra_brings_every_tool_that_is_compared(peers: ModuleType) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    brought = [
        re.split(r"[<>=]", each)[0] for each in (*project["dependencies"], *project["optional-dependencies"]["peers"])
    ]
    assert {tool.package for tool in peers.TOOLS.values()} - {"archscope"} <= set(brought)


def test_what_is_more_than_mac_s_by_biases_is_told_from_what_is_wrong(peers: ModuleType) -> None:
    counted = peers.Counted
    assert peers.outcome(counted(100.0), 100, 8) == "exact"
    assert peers.outcome(counted(108.0), 100, 8) == "exact but for biases and the like"
    assert peers.outcome(counted(109.0), 100, 8) == "wrong, silently"
    assert peers.outcome(counted(99.0), 100, 8) == "wrong, silently"
    assert peers.outcome(counted(0.0, named=("aten::lstm",)), 100, 8) == "wrong, says so"
    assert peers.outcome(counted(None), 100, 8) == "no answer"
    assert peers.outcome("!RuntimeError: no", 100, 8) == "no answer"

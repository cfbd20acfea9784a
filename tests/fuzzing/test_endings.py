"""Inputs made by chance end well or with an error of ours; ``tests/benchmarks/fuzz.py`` tries many more."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from fuzzed import Finding, Kind, ending
from fuzzed_kinds import KINDS, PARTLY

import archscope
from archscope.core.errors import ArchscopeError, Problem, TableError

INPUTS = {"table": 400, "part": 40, "command": 250, "weights": 200, "image": 300, "run": 200}


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("kind", KINDS)
def test_every_input_ends_as_it_may(kind: str):
    # How long an input takes is for the benchmark: machines that run tests are slow, and busy.
    ends = [ending(kind, KINDS[kind], seed, most_seconds=60) for seed in range(INPUTS.get(kind, 700))]
    assert [end for end in ends if isinstance(end, Finding)] == []
    assert len(set(ends)) > 1 or kind in {"command", "part"}


def raising(error: Exception) -> Kind:
    def use(_: Any) -> None:
        raise error

    return Kind(Random.random, use, located=True)


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (KeyError("x"), "KeyError: 'x'"),
        (TableError(Problem("a", "b")), "an error without a place: a: b"),
        (ArchscopeError(Problem("a", "b", help="x" * 10_000)), "an error without a place: a: b"),
    ],
)
def test_what_is_not_allowed_is_found(error: Exception, why: str):
    found = ending("made up", raising(error), 0)
    assert isinstance(found, Finding)
    assert found.why.startswith(why)


@pytest.mark.parametrize(
    "change",
    [
        {"bytes": 10**18}, {"arrays": [["<i8", 10**12]] * 10}, {"arrays": [["|O", 1]] * 10}, {"points": "1"},
        {"points": True}, {"unusable": {"a": [1, 99, 0]}}, {"missing": 3}, {"crc32": 0},
    ],
    ids=str,
)  # fmt: skip
def test_a_part_of_a_sweep_that_is_no_such_thing_is_worked_out_again(change: dict[str, Any], here: Path):
    path = here / "points.csv.partial"
    with pytest.raises(KeyboardInterrupt):
        archscope.sweep("lenet5", vary=PARTLY, output="points.csv", top=3, sort=["macs"], tell=interrupt)
    head, said, payload = path.read_bytes().split(b"\n", 2)
    path.write_bytes(b"\n".join([head, json.dumps(json.loads(said) | change).encode(), payload]))
    found = archscope.sweep("lenet5", vary=PARTLY, output="points.csv", top=3, sort=["macs"])
    assert (found.points, found["batch"].tolist()) == (60_000, [1, 2, 3])


def interrupt(_: object) -> None:
    raise KeyboardInterrupt

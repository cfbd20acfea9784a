"""Run folders from a stranger, for fuzzing: any of their files changed, in its bytes or in its values."""

from __future__ import annotations

import json
import shutil
import tempfile
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from fuzzed import changed_bytes
from runs_on_disk import save_run

from archscope.api.trained import trained
from archscope.training.data import open_data
from archscope.training.rereading import read_written

WITH_VERDICT = Path(__file__).parent / "read_back" / "run_1"
ODD: list[Any] = [None, -1, 0, 10**18, 1e308, "", "x", "../..", [], {}, [[]], {"a": 1}, True, [10**9] * 3, "nan"]


@cache
def _files() -> dict[str, bytes]:
    """The files of a small run with a verdict, by their place in its folder."""
    folder = Path(tempfile.mkdtemp())
    save_run(folder, "lenet5", open_data("digits", input_shape=(1, 32, 32)))
    for name in ("history.csv", "metrics.jsonl", "verdict.json"):
        shutil.copy(WITH_VERDICT / name, folder)
    found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    shutil.rmtree(folder)
    return found


def a_run(chance: Random) -> tuple[str, bytes]:
    """Which file is another, and what it is."""
    name = chance.choice(sorted(_files()))
    data = _files()[name]
    if name.endswith(".json") and chance.random() < 0.6:
        return name, json.dumps(_with_odd_value(chance, json.loads(data))).encode()
    return name, changed_bytes(chance, data)


def _with_odd_value(chance: Random, value: Any) -> Any:
    """The same with one value, anywhere within, that does not belong there."""
    inside = isinstance(value, dict | list) and value and chance.random() < 0.85
    if not inside:
        return chance.choice(ODD)
    at = chance.choice(list(value) if isinstance(value, dict) else range(len(value)))
    value[at] = _with_odd_value(chance, value[at])
    return value


def use_run(changed: tuple[str, bytes]) -> None:
    """What a report reads of the run, and the network that predict and evaluate load from it."""
    folder = Path("run")
    shutil.rmtree(folder, ignore_errors=True)
    for name, data in {**_files(), changed[0]: changed[1]}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    if changed[0] in {"history.csv", "metrics.jsonl", "verdict.json"}:
        read_written(folder)
    else:
        trained(folder)

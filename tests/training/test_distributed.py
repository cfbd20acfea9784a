"""Two processes with the same global batch give the loss curve of one, and a run goes on in another number of them."""

from __future__ import annotations

import csv
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

ARGUMENTS = (
    "train", "lenet5", "--optimizer", "sgd", "--lr", "0.05", "--batch-size", "64", "--steps", "16", "--log-every", "2",
    "--seed", "2", "--out",
)  # fmt: skip
ENDED, STOPPED = {0, 3}, {130}


def launched(folder: Path, world: int, *more: str) -> list[subprocess.Popen]:
    """Starts the command in so many processes, as ``torchrun`` does."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    processes = []
    for rank in range(world):
        own = {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[2])}
        if world > 1:
            own |= {"RANK": str(rank), "WORLD_SIZE": str(world), "LOCAL_RANK": str(rank)}
            own |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        command = [sys.executable, "-m", "archscope", *ARGUMENTS, str(folder), *more]
        processes.append(
            subprocess.Popen(command, env=os.environ | own, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        )
    return processes


def printed(processes: list[subprocess.Popen], codes: set[int]) -> list[str]:
    """What each of the processes printed until it ended, with one of these exit codes."""
    outcomes = [process.communicate(timeout=400) for process in processes]
    assert all(process.returncode in codes for process in processes), outcomes
    return [out for out, _ in outcomes]


def history(folder: Path) -> list[dict[str, float]]:
    with (folder / "history.csv").open(encoding="utf-8") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


@pytest.mark.skipif(not torch.distributed.is_available(), reason="this torch has no torch.distributed")
def test_two_processes_give_the_curve_of_one_and_one_goes_on_where_two_were_stopped(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    alone = launched(one, 1)
    both = launched(two, 2)
    while not (two / "metrics.jsonl").is_file() and all(process.poll() is None for process in both):
        time.sleep(0.05)
    for process in both:
        process.send_signal(signal.SIGTERM)
    assert printed(both, ENDED | STOPPED)[1] == ""  # one process says things
    assert "lenet5" in printed(launched(two, 1, "--resume"), ENDED)[0]
    printed(alone, ENDED)
    for mine, theirs in zip(history(one), history(two), strict=True):
        for name in ("logits_loss", "accuracy", "validation_loss", "validation_accuracy"):
            assert mine[name] == pytest.approx(theirs[name], rel=1e-4), name
    lines = [(folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines() for folder in (one, two)]
    assert [json.loads(line)["step"] for line in lines[1]] == [json.loads(line)["step"] for line in lines[0]]
    for mine, theirs in zip(*lines, strict=True):
        assert json.loads(mine)["losses"]["logits"] == pytest.approx(json.loads(theirs)["losses"]["logits"], rel=1e-4)

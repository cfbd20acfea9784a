"""Two processes and one run's folder: the second is refused; workers that read ahead end with their training."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pictures_on_disk import class_folders

from archscope.training import checkpoints, runs

TRAIN = [sys.executable, "-m", "archscope", "train", "lenet5", "--batch-size", "8"]


def started(*more: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [*TRAIN, *more], stdout=pipe, stderr=pipe, text=True, start_new_session=True, env=environment
    )


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + 120
    while not path.exists() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    assert path.exists(), process.communicate()


def test_the_second_of_two_that_train_in_one_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    first = started("--epochs", "500", "--out", str(folder))
    wait_for(folder / "checkpoints" / "last.pt", first)
    second = started("--resume", "--out", str(folder))
    _, said = second.communicate(timeout=120)
    assert second.returncode == 2
    assert f"another process trains in {str(folder)!r}" in said
    assert first.poll() is None
    first.send_signal(signal.SIGTERM)
    first.communicate(timeout=120)
    assert first.returncode == 130
    assert checkpoints.load(runs.checkpoints_of(folder), "last").rest["step"] > 0
    runs.read_run(folder)


def test_of_two_that_begin_at_once_one_trains(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    both = [started("--steps", "20", "--seed", str(seed), "--out", str(folder)) for seed in (1, 2)]
    said = [process.communicate(timeout=120) for process in both]
    codes = [process.returncode for process in both]
    assert sorted(code == 2 for code in codes) == [False, True], said
    own = codes.index(next(code for code in codes if code != 2))
    assert runs.read_run(folder).recipe["seed"] == (1, 2)[own]
    assert checkpoints.load(runs.checkpoints_of(folder), "last").rest["step"] == 20


@pytest.mark.skipif(sys.platform == "win32", reason="process groups are POSIX")
def test_ctrl_c_saves_and_ends_with_its_workers(tmp_path: Path) -> None:
    class_folders(tmp_path / "photos", {"a": 20, "b": 20})
    folder = tmp_path / "run"
    data = f"folder:{tmp_path / 'photos'}"
    process = started(
        "--data", data, "--scale-jitter", "32:48", "--num-workers", "2", "--epochs", "500", "--out", str(folder)
    )
    wait_for(folder / "checkpoints" / "last.pt", process)
    os.killpg(process.pid, signal.SIGINT)
    out, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "Traceback" not in out + said
    assert checkpoints.load(runs.checkpoints_of(folder), "last").rest["step"] > 0
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)

"""Event files for TensorBoard: what it reads is what the history says."""

from __future__ import annotations

from pathlib import Path

import planted
import pytest
from torch import nn

import archscope
from archscope.core.errors import ArchscopeError, UsageError
from archscope.training.event_files import FOLDER
from archscope.training.recipe import Recipe


def trained(folder: Path | None, steps: int = 25) -> archscope.api.trainings.Training:
    model = nn.Sequential(nn.Flatten(), nn.Linear(256, 10))
    recipe = Recipe(steps=steps, log_every=5, batch_size=64)
    return archscope.train(model, planted.digits(0), recipe, input=planted.SHAPE, out=folder, tensorboard=True)


def test_tensorboard_reads_the_figures_of_the_run(tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator", reason="the extra")
    done = trained(tmp_path / "run")
    board = accumulator.EventAccumulator(str(tmp_path / "run" / FOLDER)).Reload()
    held_out = board.Scalars("accuracy/held-out")
    assert [each.step for each in held_out] == [epoch.step for epoch in done.history] == [23, 25]
    wanted = [epoch.validation_accuracy for epoch in done.history]
    assert [each.value for each in held_out] == pytest.approx(wanted)
    assert [each.step for each in board.Scalars("loss/logits")] == [5, 10, 15, 20, 25]
    assert {"loss/held-out", "accuracy/train", "rate", "images_per_second"} <= set(board.Tags()["scalars"])


def test_event_files_need_a_folder_and_tensorboard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"where are event files to go\?"):
        trained(None)
    monkeypatch.setattr("archscope.training.event_files.find_spec", lambda _: None)
    with pytest.raises(ArchscopeError) as raised:
        trained(tmp_path / "run")
    assert str(raised.value) == ("missing-package: event files need tensorboard\n  help:     pip install tensorboard")
    assert not (tmp_path / "run").exists()

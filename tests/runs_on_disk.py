"""A run made through the functions that a training calls, for tests of several files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import nn

from archscope.api.trainees import trainee
from archscope.training import checkpoints, runs
from archscope.training.data import Data


def save_run(folder: Path, network: str, data: Data, **changes: Any) -> nn.Module:
    """Makes a run of a network on some data, as it is initialised; its model."""
    shaped = {**changes, "in_channels": data.shape[0], "input_size": data.shape[1:]}
    found = trainee(network, classes=len(data.classes), changes=shaped)
    network_of_run = runs.TrainedNetwork(found.address, runs.plain_changes(found.changes), found.input_shape)
    plain = {"name": data.name, "seed": data.seed}
    runs.begin(folder, runs.Run(network_of_run, {}, plain, data.classes, data.preprocessing))
    model = found.made("cpu")
    checkpoints.save(runs.checkpoints_of(folder), "last", model.state_dict(), {"step": 0})
    return model

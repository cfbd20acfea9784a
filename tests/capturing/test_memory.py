"""The memory of captured CNNs that have no table is what their own modules take, to the byte."""

from __future__ import annotations

import pytest
import torch
from measured import Measured, Watch, predicted
from torch import nn
from torch.nn.functional import cross_entropy
from torchvision import models

import archscope
from archscope.capturing.building import built
from archscope.core.records import Setting
from archscope.graph.footprint import inference_course, training_course

CNNS = (
    "mobilenet_v3_small", "mobilenet_v3_large", "mnasnet0_5", "mnasnet1_0", "shufflenet_v2_x0_5", "shufflenet_v2_x1_0",
    "mnasnet0_75", "regnet_x_400mf", "regnet_y_400mf", "shufflenet_v2_x1_5",
)  # fmt: skip
BATCH, SIDE = 2, 64


def taken(model: nn.Module) -> Measured:
    """One inference and one step of training on meta tensors, every storage watched."""
    with torch.device("meta"):
        known = [*model.parameters(), *model.buffers()]
        image, target = torch.empty(BATCH, 3, SIDE, SIDE), torch.empty((BATCH,), dtype=torch.int64)
        with torch.no_grad(), Watch(known) as inference:
            inference.note(image)
            model.eval()(image)
        with Watch(known) as training:
            training.note(image)
            training.note(target)
            loss = cross_entropy(model.train()(image), target)
            saved = training.alive - loss.untyped_storage().nbytes()
            loss.backward()
    return Measured(inference.peak, saved, training.peak)


@pytest.mark.parametrize("name", CNNS)
def test_memory_is_what_the_module_takes(name: str) -> None:
    model = built(getattr(models, name), (), {}).to("meta")
    step = predicted(archscope.capture(model, (3, SIDE, SIDE), batch=BATCH, mode="train"))
    runs = archscope.capture(model, (3, SIDE, SIDE), batch=BATCH)
    peak = inference_course(runs, Setting(BATCH, device="cpu")).peak.alive
    assert step._replace(inference_peak=peak) == taken(model)


def test_a_factor_that_is_not_trained_keeps_its_partner_from_being_kept() -> None:
    """``x * noise``: only the noise is needed for the gradient of x; a trained factor needs x as well."""

    class Scaled(nn.Module):
        def __init__(self, trained: bool) -> None:
            super().__init__()
            self.fc = nn.Linear(64, 64)
            self.scale = nn.Parameter(torch.ones(64), requires_grad=trained)

        def forward(self, x):
            return self.fc(self.fc(x) * self.scale)

    saved = [
        archscope.memory(Scaled(trained), 4, input=(64,), device="cpu").saved.get("mul", 0) for trained in (True, False)
    ]
    assert saved == [4 * 64 * 4, 0]


class Layers(nn.Module):
    """Two linear layers, or one that runs twice."""

    def __init__(self, *, shared: bool) -> None:
        super().__init__()
        self.first = nn.Linear(16, 16)
        self.second = self.first if shared else nn.Linear(16, 16)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.second(self.first(x).relu())


@pytest.mark.parametrize("shared", [False, True])
def test_autocast_copies_a_weight_once_however_often_it_is_used(shared: bool) -> None:
    model = Layers(shared=shared)
    image, target = torch.zeros(4, 16), torch.zeros(4, dtype=torch.int64)
    with Watch([*model.parameters()]) as training:
        training.note(image)
        training.note(target)
        with torch.autocast("cpu", torch.bfloat16):
            loss = cross_entropy(model(image), target)
        kept = training.alive - loss.untyped_storage().nbytes()
        loss.backward()
    setting = Setting(4, device="cpu", mode="train", amp="bfloat16")
    course = training_course(archscope.capture(model, (16,), batch=4, mode="train"), setting)
    first = next(each for each in course.steps if each.phase == "backward")
    assert (first.input + first.saved, course.peak.alive) == (kept, training.peak)

"""The GELU-gated unit in a network: what it puts out, its shape where halves are none, its memory."""

from __future__ import annotations

import pytest
import torch
from measured import measured, predicted

import archscope
from archscope.core.errors import ShapeError
from archscope.ops.geglu import GEGLU

CELLS = ["conv3-64", "geglu", "conv3-8", "FC-64", "geglu", "FC-4"]


def test_the_first_half_is_scaled_by_the_gelu_of_the_second() -> None:
    model, image = archscope.build(archscope.load(["conv3-8", "geglu"], input=(3, 8, 8))).eval(), torch.rand(2, 3, 8, 8)
    first, second = model[0](image).split(4, dim=1)
    assert torch.equal(model(image), first * torch.nn.GELU()(second))


def test_its_memory_is_torchs_in_inference_and_in_training() -> None:
    graph = archscope.lower(archscope.load(CELLS, input=(3, 32, 32)), 4)
    assert predicted(graph) == measured(graph)


def test_an_odd_number_of_channels_has_no_halves() -> None:
    with pytest.raises(ShapeError, match="impossible-shape: 7 channels have no two halves"):
        GEGLU().out_shape((1, 7, 8, 8))

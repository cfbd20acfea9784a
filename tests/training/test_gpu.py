"""On a GPU: a real network at its own size, with its verdict and its memory. Skipped without one."""

from __future__ import annotations

import pytest
import torch

import archscope
from archscope.training.planning import Plan
from archscope.training.recipe import Recipe

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU that torch can use"),
]


def test_full_width_vgg16_trains_at_224_with_the_memory_that_was_predicted() -> None:
    plans: list[Plan] = []

    def watch(event: object) -> None:
        if isinstance(event, Plan):
            plans.append(event)
            torch.cuda.synchronize()
            torch.cuda.reset_peak_memory_stats()

    recipe = Recipe(steps=50, batch_size=32, device="cuda", optimizer="sgd", lr=0.01)
    done = archscope.train("vgg16", "fake", recipe, input=["3x224x224"], watch=watch)
    measured = torch.cuda.memory_stats()["requested_bytes.all.peak"]
    assert done.verdict.verdict in {"learns", "undecided"}
    assert done.history[-1].step == 50
    assert measured == pytest.approx(plans[0].memory, rel=0.1)


@pytest.mark.parametrize("settings", [{"amp": "bfloat16"}, {"amp": "float16"}, {"channels_last": True}])
def test_precisions_and_formats_learn(settings: dict) -> None:
    recipe = Recipe(device="cuda", epochs=3, **settings)
    assert archscope.train("vgg11_bn", recipe=recipe, width="1/8").verdict.verdict == "learns"

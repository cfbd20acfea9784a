"""A network captured from torchvision's module is the network that our table says: the same rows, in the same order."""

from __future__ import annotations

import pytest
import torch
from torchvision import models

import archscope
from archscope.capturing.building import built
from archscope.studies.profiling import Profile

COLUMNS = (
    "output_shape", "params", "macs", "backward_macs", "activations", "saved_activation_bytes", "elementwise_flops",
    "receptive_field", "jump",
)  # fmt: skip

SAME = {
    "vgg16": ("vgg16", {"adaptive_pool": True}),
    "vgg16_bn": ("vgg16", {"adaptive_pool": True, "bn": "conv"}),
    "alexnet": ("alexnet_owt", {"adaptive_pool": True}),
    "googlenet": ("googlenet_torchvision", {"aux": False}),
    "resnet34": ("resnet34", {}),
    "resnet50": ("resnet50_v1_5", {}),
    "resnext50_32x4d": ("resnext50_32x4d", {}),
    "densenet121": ("densenet121", {}),
    "squeezenet1_1": ("squeezenet1_1", {}),
}


OPTIONS = {"googlenet": {"init_weights": False, "aux_logits": False}}


def rows(profile: Profile) -> list[tuple[object, ...]]:
    """What each layer is, how its window slides, and its numbers; not how a cell would write it."""
    assert profile.graph is not None
    return [
        (type(node.op).__name__, node.op.window, *(row.values[name] for name in COLUMNS))
        for node, row in zip((each for each in profile.graph.nodes if not each.side), profile.rows, strict=True)
    ]


@pytest.mark.parametrize("name", SAME)
def test_a_captured_network_has_the_rows_of_its_table(name: str) -> None:
    table, changes = SAME[name]
    ours = archscope.profile(table, 2, columns=COLUMNS, **changes)
    model = built(getattr(models, name), (), OPTIONS.get(name, {}))
    captured = archscope.profile(model, 2, input=(ours.input_shape), columns=COLUMNS)
    assert rows(captured) == rows(ours)
    assert captured.totals == ours.totals


def test_what_is_captured_is_where_it_is_in_the_module() -> None:
    model = built(models.resnet18, (), {})
    graph = archscope.capture(model, (3, 64, 64))
    modules = dict(model.named_modules())
    for node in graph.nodes:
        if node.parameters:
            own = dict(modules[node.path].named_parameters())
            assert {name: graph.parameters[index].key for name, index in node.parameters.items()} == {
                name: f"{node.path}.{name}" for name in own
            }
    assert [scope.path for scope in graph.scopes if scope.kind == "BasicBlock"] == [
        f"layer{stage}.{block}" for stage in (1, 2, 3, 4) for block in (0, 1)
    ]
    assert torch.is_tensor(model.conv1.weight)

"""What 1×1 convolutions and global average pooling save, against networks that do without."""

from __future__ import annotations

from typing import Any

import pytest
from printed_formulas import evaluate

import archscope
from archscope.core.records import Setting
from archscope.studies.explaining.derivation import Step
from archscope.studies.explaining.locating import target
from archscope.studies.explaining.savings import pooling_steps, reduction_steps, reductions


def reduced(network: Any, what: str | None = None) -> tuple[Step, ...]:
    graph = archscope.lower(network)
    return reduction_steps(graph, target(graph, what).nodes, Setting())


def pooled(network: str, **changes: Any) -> tuple[Step, ...]:
    spec = archscope.load(network, **changes)
    return pooling_steps(archscope.lower(spec), spec)


def test_inception_3a_without_its_reductions() -> None:
    steps = reduced("googlenet", "inception3a")
    macs = {step.label: step.value for step in steps if step.quantity == "macs"}
    # 5×5 on 192 channels, and on 16 of them: the figures of many a lecture on GoogLeNet.
    assert (macs["5×5 alone"], macs["5×5 behind 1×1"]) == (120_422_400, 12_443_648)
    for kernel, reduce, out in ((3, 96, 128), (5, 16, 32)):
        with_one = archscope.load([f"conv1-{reduce}", f"conv{kernel}-{out}"], input=(192, 28, 28))
        alone = archscope.load([f"conv{kernel}-{out}"], input=(192, 28, 28))
        for quantity in ("macs", "params"):
            values = {step.label: step.value for step in steps if step.quantity == quantity}
            counted = [archscope.profile(each).totals[quantity].value for each in (with_one, alone)]
            assert [values[f"{kernel}×{kernel} behind 1×1"], values[f"{kernel}×{kernel} alone"]] == counted
    assert macs["saved"] == 293_830_656 - 113_598_464
    assert all(evaluate(step.numbers) == step.value for step in steps)


def test_reductions_are_1x1_convolutions_with_fewer_channels_out_that_a_larger_kernel_reads() -> None:
    graph = archscope.lower("resnet50")
    found = reductions(graph, target(graph, "layer1").nodes)
    assert [(pair.reduce.name, pair.large.name) for pair in found] == [
        ("layer1.1.conv1", "layer1.1.conv2"),
        ("layer1.2.conv1", "layer1.2.conv2"),
    ]  # in layer1.0 the 1×1 has as many channels out as in


@pytest.mark.parametrize(
    "cells",
    [
        ["conv1-64", "conv3-8"],  # widens
        ["conv1-4/2", "conv3-8"],  # has a stride: alone the other one would see another map
        ["conv1-4", "conv1-8"],  # nothing large behind it
        ["conv1-4", "conv3-4 groups=4"],
        ["conv1-4"],
        ["conv1-4", {"join": "concat", "branches": [["conv3-8"], ["conv5-8"]]}],  # read twice
        ["conv1-4", {"join": "add", "branches": [["relu"], []]}, "conv3-8"],
    ],
)
def test_what_is_no_reduction(cells: list[Any]) -> None:
    assert reduced(archscope.load(cells, input=(16, 8, 8))) == ()


def test_a_reduction_that_does_not_pay_is_said_not_to() -> None:
    steps = reduced(archscope.load(["conv1-15", "conv3-2"], input=(16, 8, 8)))
    assert steps[-1].remarks == ("it costs more than it saves",)


def test_vgg16_with_a_pool_in_place_of_its_hidden_fc_layers() -> None:
    steps = pooled("vgg16")
    before, after = (archscope.profile("vgg16", head=head).totals["params"].value for head in (None, "gap"))
    assert [step.value for step in steps] == [123_642_856, 513_000, before - after]
    assert steps[1].remarks == ("the network with --head gap",)


@pytest.mark.parametrize(("network", "channels"), [("googlenet", 1024), ("resnet18", 512), ("densenet121", 1024)])
def test_a_network_that_pools_saves_what_fc_on_all_positions_would_cost(network: str, channels: int) -> None:
    having, without, saved = pooled(network)
    fc = archscope.load(["FC-1000"], input=(channels, 7, 7))
    assert having.value == channels * 1000 + 1000
    assert without.value == archscope.profile(fc).totals["params"].value
    assert saved.value == without.value - having.value
    assert all(evaluate(step.numbers) == step.value for step in (having, without, saved))


def test_networks_without_either_have_nothing_to_save() -> None:
    assert pooled("squeezenet1_0") == ()
    graph = archscope.lower(archscope.load(["FC-3"], input=(1, 8, 8)))
    assert pooling_steps(graph, None) == ()

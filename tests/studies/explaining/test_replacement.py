"""Runs of layers replaced by other cells: what goes, what comes, and what torch counts in the network that is left."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from printed_formulas import evaluate
from torch.utils.flop_counter import FlopCounterMode

import archscope
from archscope.core.errors import ArchscopeError, UsageError
from archscope.core.records import Setting
from archscope.studies.explaining.derivation import Step
from archscope.studies.explaining.exchange import network_steps, run_steps
from archscope.studies.explaining.locating import target
from archscope.studies.explaining.replacement import Replacement, replaced


def swapped(network: Any, what: str, *cells: str, **changes: Any) -> Replacement:
    spec = archscope.load(network, **changes)
    graph = archscope.lower(spec)
    nodes = [n for part in what.split(",") for n in target(graph, part).nodes]
    return replaced(spec, graph, nodes, cells)


def names(made: Replacement) -> tuple[list[str], list[str]]:
    return [made.before.nodes[n].name for n in made.old], [made.after.nodes[n].name for n in made.new]


def both(steps: tuple[Step, ...], quantity: str) -> list[Any]:
    return [step.value for step in steps if step.quantity == quantity]


@pytest.mark.parametrize(
    ("network", "what", "cells", "old", "new"),
    [
        ("vgg16", "conv3_1", ["conv5-256"], ["conv3_1", "relu3_1"], ["instead1", "instead1_relu3_1"]),
        (
            "vgg16", "conv3_2,conv3_3", ["conv5-256"],
            ["conv3_2", "relu3_2", "conv3_3", "relu3_3"], ["instead1", "instead1_relu3_3"],
        ),
        ("vgg16", "pool5", ["avgpool"], ["pool5"], ["instead1"]),
        (
            "googlenet", "conv1", ["conv3-64/2", "conv3-64"],
            ["conv1.conv", "conv1.relu"],
            ["instead1.conv", "instead1.relu", "instead2.conv", "instead2.relu"],
        ),
        (
            "resnet50", "layer1.0.conv2", ["conv5-64"],
            ["layer1.0.conv2", "layer1.0.bn2", "layer1.0.relu2"],
            ["layer1.0.instead1", "layer1.0.instead1_bn2", "layer1.0.instead1_relu2"],
        ),
        (
            "googlenet", "inception3a.branch1", ["conv3-64"],
            ["inception3a.branch1.conv", "inception3a.branch1.relu"],
            ["inception3a.instead0.instead1.conv", "inception3a.instead0.instead1.relu"],
        ),
    ],
)  # fmt: skip
def test_a_run_goes_with_what_follows_it_and_the_cells_come_with_the_same(
    network: str, what: str, cells: list[str], old: list[str], new: list[str]
) -> None:
    assert names(swapped(network, what, *cells)) == (old, new)


def test_a_whole_block_can_go() -> None:
    made = swapped("googlenet", "inception3a", "conv3-256")
    assert [made.after.nodes[n].name for n in made.new] == ["instead1"]
    assert [made.before.nodes[n].name for n in made.old][-1] == "inception3a.concat"
    assert made.after.shape_out(made.after.nodes[made.new[0]]) == (1, 256, 28, 28)


def test_batch_norm_stays_in_place_of_a_bias() -> None:
    made = swapped("resnet50", "layer1.0.conv2", "conv5-64")
    assert "bias" not in made.after.nodes[made.new[0]].parameters


@pytest.mark.parametrize(
    ("network", "what", "cells"),
    [
        ("vgg11", "conv3_1,conv3_2", ["conv5-256"]),
        ("vgg11", "conv3_1", ["conv1-32", "conv3-256"]),
        ("googlenet", "inception3a.branch3.1", ["conv3-32", "conv3-32"]),
        ("resnet18", "layer2.0.conv1", ["conv1-64/2", "conv3-128"]),
    ],
)
def test_torch_counts_the_same_in_the_network_with_the_new_layers(network: str, what: str, cells: list[str]) -> None:
    made = swapped(network, what, *cells)
    steps = network_steps(made, Setting())
    model = archscope.build(made.after, device="meta").eval()
    image = torch.empty(1, *archscope.load(network).input_shape, device="meta")
    with FlopCounterMode(display=False) as counter:
        model(image)
    main = sum(each.numel() for name, each in model.named_parameters() if not name.startswith("aux"))
    assert both(steps, "params")[1] == main
    assert both(steps, "macs")[1] * 2 == counter.get_total_flops()
    run = run_steps(made, Setting())
    for quantity in ("params", "macs", "activations"):
        (old, new), (before, after) = both(run, quantity), both(steps, quantity)
        assert after - before == new - old


def test_two_3x3_against_one_5x5() -> None:
    made = swapped("vgg16", "conv3_2,conv3_3", "conv5-256")
    run = run_steps(made, Setting())
    params = [step for step in run if step.quantity == "params"]
    assert [step.symbols for step in params] == ["18·C² + 2·C", "25·C² + C"]
    assert [evaluate(step.symbols, {"C": 256}) for step in params] == [step.value for step in params]
    assert both(run, "window") == [5, 5]
    assert both(run, "nonlinearities") == both(run, "weight_layers") == [2, 1]
    assert both(network_steps(made, Setting()), "receptive_field") == [212, 212]
    assert params[1].remarks == ("C = 256", "+458,496, 1.39×")
    assert [step.remarks for step in run if step.quantity == "window"] == [(), ("the same",)]


def test_letters_tell_channels_apart() -> None:
    run = run_steps(swapped("vgg16", "conv3_1", "conv5-256"), Setting())
    assert [step.symbols for step in run if step.symbols] == ["9·C₁·C₂ + C₂", "25·C₁·C₂ + C₂"]
    assert run[0].remarks == ("C₁ = 128, C₂ = 256",)


def test_a_run_that_is_no_chain_has_no_window_and_groups_no_polynomial() -> None:
    run = run_steps(swapped("googlenet", "inception3a", "conv3-256"), Setting())
    assert both(run, "window") == []
    run = run_steps(swapped("mobilenet_v2", "bottleneck2.conv.1.0", "conv3-96/2 groups=96"), Setting())
    assert [step.symbols for step in run if step.quantity == "params"] == ["", ""]


@pytest.mark.parametrize("what", ["conv3_1,conv4_1", "conv3_1,conv3_3"])
def test_what_is_no_run_is_refused(what: str) -> None:
    with pytest.raises(UsageError) as caught:
        swapped("vgg16", what, "conv3-256")
    assert str(caught.value) == (
        f"not-a-run: {what.replace(',', ', ')} is no run of layers, one after another, of vgg16\n"
        "  help:     name layers that follow one another in one chain"
    )


def test_layers_of_two_branches_are_no_run() -> None:
    with pytest.raises(UsageError, match="is no run of layers"):
        swapped("googlenet", "inception3a.branch1,inception3a.branch2", "conv3-256")


@pytest.mark.parametrize(
    ("what", "cell", "message"),
    [
        ("conv3_1", "cnv3-64", "unknown-op: cannot read 'cnv3-64' as an op"),
        ("conv3_1", "FC-64", "'conv3-256' needs a feature map, and gets 64"),
        ("conv5_3", "conv7-512 valid", "a kernel that reaches 7 is larger than its padded input 6"),
        ("conv5_3", "conv6-512 valid", "a pool of 2 is larger than its padded input 1"),
    ],
)
def test_cells_that_do_not_fit_are_refused(what: str, cell: str, message: str) -> None:
    with pytest.raises(ArchscopeError) as caught:
        swapped("vgg16", what, cell, input_size=(96, 96))
    assert message in str(caught.value)

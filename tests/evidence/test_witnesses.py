"""torch's counter, torchinfo, fvcore and torchvision on real networks; and what a wrong rule looks like to them."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from torch import nn

import archscope
from archscope import evidence
from archscope.core.errors import UnknownName, UsageError
from archscope.evidence import AGREES, REFUTED, UNAVAILABLE, Case
from archscope.graph.lowering import lower
from archscope.ops.conv import Conv

TORCH = ["flop_counter", "fvcore", "torchinfo"]


def _case(network, **given):
    spec = archscope.load(network, **given)
    return Case(None, spec, lower(spec))


@pytest.mark.parametrize("network", ["lenet5", "lenet_tutorial", "googlenet_torchvision", "resnet18"])
@pytest.mark.parametrize("witness", TORCH)
def test_every_tool_prints_what_its_rules_predict(network, witness):
    found = evidence.examined(_case(network), witness)
    assert found
    assert {finding.status for finding in found} == {AGREES}, found


def test_fvcores_figure_for_googlenet_is_explained_to_the_last_operation():
    (only,) = evidence.examined(_case("googlenet_torchvision"), "fvcore")
    assert only.claimed == only.computed == "1,504,878,688"
    assert only.why == "6,502,496 more than the MACs: 2 per batch-norm element, 1 per adaptive-pool input"


@pytest.mark.parametrize("network", ["resnet18", "googlenet_torchvision", "alexnet_owt"])
def test_torchvision_agrees_in_metadata_state_dict_and_outputs(network):
    found = evidence.examined(_case(network), "torchvision")
    assert [finding.what for finding in found] == ["state dict", "num_params", "_ops", "outputs"]
    assert {finding.status for finding in found} == {AGREES}, found


@dataclass(frozen=True, slots=True)
class Double(Conv):
    """A convolution whose rule counts everything twice."""

    notation: ClassVar[str | None] = "double{kernel_size}-{out_channels}"

    def macs(self, *inputs):
        return 2 * Conv.macs(self, *inputs)


@pytest.mark.parametrize("witness", TORCH)
def test_a_counting_rule_that_is_wrong_is_refuted(witness):
    found = evidence.examined(_case(["double3-4"], input=(1, 8, 8), ops=[Double]), witness)
    refuted = {finding.what for finding in found if finding.status == REFUTED}
    assert (
        refuted
        == {"flop_counter": {"macs", "macs of each module"}, "fvcore": {"flops"}, "torchinfo": {"mult-adds"}}[witness]
    )


def test_what_torchvision_does_not_have_is_unavailable_and_never_agrees():
    (only,) = evidence.examined(_case("vgg16_c"), "torchvision")
    assert (only.status, only.why) == (UNAVAILABLE, "torchvision has no such network")


def test_a_witness_that_is_not_installed_is_unavailable_and_says_so(monkeypatch):
    monkeypatch.setattr(evidence, "find_spec", lambda _name: None)
    (only,) = evidence.examined(_case("lenet5"), "fvcore")
    assert (only.status, only.why) == (UNAVAILABLE, "torch, fvcore is not installed")


def test_a_witness_that_there_is_not_is_an_unknown_name():
    with pytest.raises(UnknownName, match="unknown-witness: no witness is called 'torchinf'") as caught:
        evidence.examined(_case("lenet5"), "torchinf")
    assert caught.value.problems[0].help == "did you mean torchinfo, torchvision?"


def test_the_folder_is_the_register_of_witnesses():
    assert evidence.named() == ["flop_counter", "fvcore", "published", "torchinfo", "torchvision"]


class Attending(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(9, 16)
        self.mha = nn.MultiheadAttention(16, 4, batch_first=True)
        self.head = nn.Linear(16, 9, bias=False)
        self.head.weight = self.embed.weight

    def forward(self, ids):
        x = self.embed(ids)
        return self.head(self.mha(x, x, x)[0])


def test_a_module_is_checked_like_a_table_and_stays_as_it_was() -> None:
    module = nn.Sequential(
        nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(288, 4)
    )
    state = copy.deepcopy(module.state_dict())
    found = archscope.check(module, input=(3, 8, 8))
    assert [(each.witness, each.what, each.status) for each in found] == [
        ("flop_counter", "params", AGREES),
        ("flop_counter", "macs", AGREES),
        ("flop_counter", "macs of each module", AGREES),
        ("flop_counter", "output of each layer", AGREES),
        ("fvcore", "flops", AGREES),
        ("torchinfo", "params", AGREES),
        ("torchinfo", "mult-adds", AGREES),
    ]
    assert found[1].claimed == "8,928"
    assert module.training
    assert not any(each._forward_hooks for each in module.modules())
    assert all(torch.equal(value, state[key]) for key, value in module.state_dict().items())


def test_of_what_tools_do_not_count_they_say_nothing() -> None:
    found = archscope.check(Attending(), input="ids:7:int64")
    assert {each.witness: each.why for each in found if each.status == UNAVAILABLE} == {
        "fvcore": "its rule for Embedding is not written down",
        "torchinfo": "it only knows layers that run once, and mha.fc is none",
    }
    params, macs, *rest = (each for each in found if each.witness == "flop_counter")
    assert (params.claimed, macs.claimed) == ("1,232", "9,744")
    assert {each.status for each in (params, macs, *rest)} == {AGREES}


def test_fvcore_takes_no_inputs_by_name() -> None:
    (only,) = archscope.check(nn.Linear(8, 8), input="input:8", witnesses=["fvcore"])
    assert (only.status, only.why) == (UNAVAILABLE, "it takes no inputs by name")


def test_a_tool_that_fails_on_a_module_is_unavailable() -> None:
    class Touching(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(8, 8)
            self.register_buffer("mask", torch.ones(8))

        def forward(self, x):
            return self.fc(x) if bool(self.mask.all()) else x

    found = {each.witness: each for each in archscope.check(Touching(), input=(8,))}
    assert found["flop_counter"].status == UNAVAILABLE
    assert found["flop_counter"].why.startswith("it raised ")


def test_a_graph_of_another_module_is_refuted() -> None:
    module = nn.Sequential(nn.Linear(8, 4), nn.Linear(4, 2))
    graph = archscope.capture(nn.Sequential(nn.Linear(8, 5), nn.Linear(5, 2)), (8,))
    case = Case(None, None, graph, module, (8,), "module")
    for witness, refuted in {
        "flop_counter": {"params", "macs", "macs of each module", "output of each layer"},
        "fvcore": {"flops"},
        "torchinfo": {"params", "mult-adds"},
    }.items():
        assert {each.what for each in evidence.examined(case, witness) if each.status == REFUTED} == refuted


@pytest.mark.parametrize("name", ["mobilenet_v3_small", "googlenet(init_weights=False)"])
def test_torchvisions_metadata_testifies_about_its_modules(name: str) -> None:
    found = archscope.check(f"torchvision.models:{name}", witnesses=["torchvision"])
    assert [(each.what, each.status) for each in found] == [("num_params", AGREES), ("_ops", AGREES)]


@pytest.mark.parametrize(
    ("address", "given", "why"),
    [
        ("torchvision.models:squeezenet1_1(num_classes=10)", None, "its metadata is of the network without arguments"),
        ("torch.nn:Linear(8, 8)", "8", "it is none of torchvision's networks"),
    ],
)
def test_torchvisions_metadata_says_nothing_of_other_modules(address: str, given: str | None, why: str) -> None:
    (only,) = archscope.check(address, input=given, witnesses=["torchvision"])
    assert (only.status, only.why) == (UNAVAILABLE, why)


def test_a_table_is_checked_at_its_own_input() -> None:
    with pytest.raises(UsageError, match="bad-value: input is of a module: the networks of a table are checked at"):
        archscope.check("lenet5", input=(1, 32, 32))

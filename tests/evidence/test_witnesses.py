"""torch's counter, torchinfo, fvcore and torchvision on real networks; and what a wrong rule looks like to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest

import archscope
from archscope import evidence
from archscope.core.errors import UnknownName
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
        == {"flop_counter": {"macs", "macs of each layer"}, "fvcore": {"flops"}, "torchinfo": {"mult-adds"}}[witness]
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

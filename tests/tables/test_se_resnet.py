"""Squeeze-and-excitation networks, Table 1 of their paper, exactly."""

from __future__ import annotations

import pytest
from zoo import counts, explained, module_counts, weighted

import archscope

EXACT = {
    "senet_resnet50": (25_557_032, 3_857_973_248),
    "se_resnet50": (28_088_024, 3_860_488_192),
    "se_resnext50_32x4d": (27_559_896, 4_232_994_816),
}

STAGES = ((3, 256), (4, 512), (6, 1024), (3, 2048))
"""Blocks and their channels."""


@pytest.mark.parametrize("name", EXACT)
def test_every_column_has_its_exact_params_and_macs(name: str) -> None:
    assert counts(name) == module_counts(name) == EXACT[name]


def test_printed_operations_are_more_than_the_multiply_adds_of_networks_with_modules() -> None:
    assert explained("se_resnet") == [
        ("se_resnet50", "macs of ResNet-50 [13] (Table 2, SENet)", "3.87"),
        ("se_resnext50_32x4d", "macs of ResNeXt-50 [19] (Table 2, SENet)", "4.25"),
    ]


def test_the_modules_add_two_matrices_and_their_biases_to_every_block() -> None:
    matrices = sum(blocks * 2 * channels * (channels // 16) for blocks, channels in STAGES)
    biases = sum(blocks * (channels + channels // 16) for blocks, channels in STAGES)
    plain, with_modules = EXACT["senet_resnet50"], EXACT["se_resnet50"]
    assert with_modules[0] - plain[0] == matrices + biases
    assert with_modules[1] - plain[1] == matrices == 2_514_944


def test_the_printed_outputs_are_those_of_the_two_layers() -> None:
    graph = archscope.lower("se_resnet50")
    gates = [node for node in weighted(graph) if ".se.gate." in node.path]
    outputs = [graph.shape_out(node)[1:] for node in gates]
    expected = [
        (size, 1, 1) for blocks, channels in STAGES for _ in range(blocks) for size in (channels // 16, channels)
    ]
    assert outputs == expected


def test_a_gate_scales_what_it_looked_at_before_the_shortcut_is_added() -> None:
    torch = pytest.importorskip("torch")
    block = archscope.build("se_resnet50").eval().layer1.get_submodule("1")
    image = torch.randn(1, 256, 8, 8)
    with torch.inference_mode():
        maps = block.bn3(block.conv3(block.relu2(block.bn2(block.conv2(block.relu1(block.bn1(block.conv1(image))))))))
        gate = block.se.gate(maps)
        assert gate.shape == (1, 256, 1, 1)
        assert torch.equal(block.se(maps), maps * gate)
        assert torch.equal(block(image), torch.relu(maps * gate + image))

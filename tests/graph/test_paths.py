"""How deep networks are, as papers count: weight layers along the longest path."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import archscope
from archscope.graph.paths import longest_path


@pytest.mark.parametrize(
    ("network", "depth"),
    [
        ("vgg11", 11), ("vgg11_lrn", 11), ("vgg13", 13), ("vgg16_c", 16), ("vgg16", 16), ("vgg16_bn", 16),
        ("vgg19", 19), ("googlenet", 22), ("googlenet_torchvision", 22), ("alexnet", 8), ("alexnet_owt", 8),
        ("lenet_tutorial", 5),
    ],
)  # fmt: skip
def test_a_network_is_as_deep_as_its_paper_says(network: str, depth: int):
    path = longest_path(archscope.lower(network))
    assert len(path) == depth
    assert all(node.op.weight_layer and not node.side for node in path)


def test_the_longest_branch_counts():
    branches = [["conv1-2"], ["conv1-2", "conv1-2", "conv1-2"], []]
    graph = archscope.lower(archscope.load([{"branches": branches}, "FC-1"], input=(3, 8, 8)))
    assert [node.path for node in longest_path(graph)] == ["0.branch2.0", "0.branch2.1", "0.branch2.2", "1"]


def test_a_block_has_a_depth_of_its_own():
    graph = archscope.lower("googlenet")
    index = next(n for n, scope in enumerate(graph.scopes) if scope.path == "inception3a")
    assert [node.path for node in longest_path(graph, index)] == [
        "inception3a.branch2.0.conv", "inception3a.branch2.1.conv",
    ]  # fmt: skip
    aux = next(n for n, scope in enumerate(graph.scopes) if scope.path == "aux1")
    assert len(longest_path(graph, aux)) == 3


def test_a_network_without_weights_has_no_depth():
    graph = archscope.lower(archscope.load(["relu", "maxpool"], input=(3, 8, 8)))
    assert longest_path(graph) == []
    assert archscope.profile(graph).depth == 0


class Shortcut(nn.Module):
    """The input itself stands before what a layer makes of it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.conv(x)


def test_a_layer_beside_the_input_itself_is_on_the_longest_path() -> None:
    assert [node.path for node in longest_path(archscope.capture(Shortcut(), (3, 4, 4)))] == ["conv"]

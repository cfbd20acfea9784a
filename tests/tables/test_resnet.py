"""ResNet's Table 1 with either stride, its networks for CIFAR-10, and its followers with other widths, exactly."""

from __future__ import annotations

import math

import pytest
from zoo import assert_is_torchvisions, counts, explained, macs, module_counts, table, weighted

import archscope
from archscope.core.arithmetic import product
from archscope.graph.graph import Graph, Node
from archscope.ops.conv import Conv

EXACT = {
    "resnet18": (18, 11_689_512, 1_814_073_344),
    "resnet34": (34, 21_797_672, 3_663_761_408),
    "resnet50": (50, 25_557_032, 3_857_973_248),
    "resnet101": (101, 44_549_160, 7_570_194_432),
    "resnet152": (152, 60_192_808, 11_282_415_616),
    "resnet50_v1_5": (50, 25_557_032, 4_089_184_256),
    "resnet101_v1_5": (101, 44_549_160, 7_801_405_440),
    "resnet152_v1_5": (152, 60_192_808, 11_513_626_624),
    "resnext_resnet50": (50, 25_557_032, 4_089_184_256),
    "resnext50_32x4d": (50, 25_028_904, 4_230_479_872),
    "wide_resnet50_2": (50, 68_883_240, 11_398_021_120),
    "wide_resnet101_2": (101, 126_886_696, 22_753_050_624),
    "resnet20": (20, 269_722, 40_551_040),
    "resnet32": (32, 464_154, 68_862_592),
    "resnet44": (44, 658_586, 97_174_144),
    "resnet56": (56, 853_018, 125_485_696),
    "resnet110": (110, 1_727_962, 252_887_680),
}
"""Layers with weights on the longest path, params and MACs."""

TORCHVISION = {
    "resnet18": "resnet18", "resnet34": "resnet34", "resnet50_v1_5": "resnet50", "resnet101_v1_5": "resnet101",
    "resnet152_v1_5": "resnet152", "resnext50_32x4d": "resnext50_32x4d", "resnext_resnet50": "resnet50",
    "wide_resnet50_2": "wide_resnet50_2",
}  # fmt: skip


def _node(graph: Graph, path: str) -> Node:
    return next(node for node in graph.nodes if node.path == path)


@pytest.mark.parametrize("name", EXACT)
def test_every_network_has_its_exact_depth_params_and_macs(name: str) -> None:
    depth, params, multiplications = EXACT[name]
    assert counts(name) == (params, multiplications)
    assert archscope.profile(name).depth == depth


@pytest.mark.parametrize("name", EXACT)
def test_every_module_has_the_params_and_macs_of_its_graph(name: str) -> None:
    assert module_counts(name) == EXACT[name][1:]


@pytest.mark.parametrize("name", TORCHVISION)
def test_a_network_that_torchvision_has_takes_its_state_dict_and_gives_its_outputs(name: str) -> None:
    assert_is_torchvisions(name, TORCHVISION[name])
    assert archscope.load(name).torchvision == TORCHVISION[name]


SENET = "(arXiv:1709.01507 (SENet), Table 2, re-implementation)"

REFUTED = {
    "resnet": [
        ("resnet101", f"macs of ResNet-101 [13] {SENET}", "7.58"),
        ("resnet152", f"macs of ResNet-152 [13] {SENET}", "11.30"),
    ],
    "resnet_cifar": [],
    "resnext": [("resnext50_32x4d", f"macs of total {SENET}", "4.24G")],
    "wide_resnet": [],
}


@pytest.mark.parametrize("stem", REFUTED)
def test_only_another_papers_counts_of_these_networks_are_refuted(stem: str) -> None:
    assert explained(stem) == REFUTED[stem]


@pytest.mark.parametrize(
    ("network", "printed"),
    [
        ("resnet50", 3.86), ("resnet101", 7.58), ("resnet152", 11.30), ("resnext50_32x4d", 4.24),
        ("se_resnet50", 3.87), ("bn_inception", 2.03),
    ],
)  # fmt: skip
def test_that_paper_counts_one_more_operation_for_each_number_that_a_convolution_puts_out(network: str, printed: float):
    graph = archscope.lower(network)
    outputs = sum(product(graph.shape_out(node)) for node in graph.nodes if isinstance(node.op, Conv))
    assert math.floor((macs(graph) + outputs) / 1e7) / 100 == printed


@pytest.mark.parametrize("alias", ["resnet50_v1.5", "resnet50_torchvision", "ResNet-50-v1-5"])
def test_torchvisions_variant_goes_by_several_names(alias: str) -> None:
    assert archscope.load(alias).name == "resnet50_v1_5"


@pytest.mark.parametrize(("name", "strided"), [("resnet50", "conv1"), ("resnet50_v1_5", "conv2")])
def test_the_stride_is_on_the_first_layer_in_the_paper_and_on_the_3x3_in_torchvision(name: str, strided: str) -> None:
    graph = archscope.lower(name)
    first = [node for node in weighted(graph) if node.path.startswith("layer2.0.")]
    strides = {node.path.rpartition("layer2.0.")[2]: node.op.stride for node in first if isinstance(node.op, Conv)}
    assert strides == {"conv1": 1, "conv2": 1, "conv3": 1, "downsample.0": 2, strided: 2}
    assert [node.path for node in graph.nodes if "downsample.0" in node.path] == [
        f"layer{stage}.0.downsample.0" for stage in (1, 2, 3, 4)
    ]


def test_moving_the_stride_costs_the_same_in_all_depths() -> None:
    for name in ("resnet50", "resnet101", "resnet152"):
        assert EXACT[f"{name}_v1_5"][2] - EXACT[name][2] == 231_211_008


def test_the_first_block_of_18_layers_adds_its_input_itself() -> None:
    graph = archscope.lower("resnet18")
    add = _node(graph, "layer1.0.add")
    assert add.inputs == (_node(graph, "layer1.0.bn2").outputs[0], _node(graph, "maxpool").outputs[0])


def test_resnext_has_32_groups_in_every_3x3_of_a_block() -> None:
    blocks = [node for node in weighted(archscope.lower("resnext50_32x4d")) if node.path.startswith("layer")]
    groups = {node.op.groups for node in blocks if isinstance(node.op, Conv) and node.op.kernel_size == 3}
    assert groups == {32}


def test_20_layers_for_cifar_have_the_params_that_one_counts_by_hand() -> None:
    convolutions = 9 * (3 * 16 + 6 * 16 * 16 + (16 * 32 + 5 * 32 * 32) + (32 * 64 + 5 * 64 * 64))
    norms = 2 * (7 * 16 + 6 * 32 + 6 * 64)
    assert counts("resnet20")[0] == convolutions + norms + (64 * 10 + 10)


def test_20_layers_for_cifar_have_the_macs_that_one_counts_by_hand() -> None:
    first = 9 * 3 * 16 * 32**2
    stages = [6 * 9 * 16 * 16 * 32**2, 9 * (16 * 32 + 5 * 32 * 32) * 16**2, 9 * (32 * 64 + 5 * 64 * 64) * 8**2]
    assert macs(archscope.lower("resnet20")) == first + sum(stages) + 64 * 10


def test_a_shortcut_for_cifar_has_no_parameters_and_pads_its_channels_with_zeros() -> None:
    torch = pytest.importorskip("torch")
    shortcut = archscope.build("resnet20").layer2.get_submodule("0").shortcut
    assert list(shortcut.parameters()) == []
    image = torch.randn(2, 16, 32, 32)
    assert torch.equal(shortcut(image)[:, :16], image[:, :, ::2, ::2])
    assert torch.equal(shortcut(image)[:, 16:], torch.zeros(2, 16, 16, 16))


def test_the_table_for_cifar_is_read_by_its_columns() -> None:
    grid = table("resnet_cifar").grid
    assert grid.heads == ("output map size", "# layers", "# filters")
    assert [[cell.text for cell in row.values()] for row in grid.rows] == [
        ["32×32", "1+2n", "16"], ["16×16", "2n", "32"], ["8×8", "2n", "64"],
    ]  # fmt: skip
    spans = [row["output map size"].span for row in grid.rows]
    assert [span.line for span in spans] == [grid.rows[0]["# layers"].span.line - 2] * 3
    assert [span.column for span in spans] == sorted({span.column for span in spans})


def test_wide_networks_double_the_inner_channels_only() -> None:
    plain, wide = (
        {node.path: node.op.out_channels for node in weighted(archscope.lower(name)) if isinstance(node.op, Conv)}
        for name in ("resnet50_v1_5", "wide_resnet50_2")
    )
    inner = {path for path in plain if path.startswith("layer") and path.endswith(("conv1", "conv2"))}
    assert wide == {path: channels * (2 if path in inner else 1) for path, channels in plain.items()}


def test_the_table_for_cifar_is_shown_as_it_is_printed() -> None:
    grid = table("resnet_cifar").printed()
    assert grid.heads == ("output map size", "32×32", "16×16", "8×8")
    assert [[cell.text for cell in row.values()] for row in grid.rows] == [
        ["# layers", "1+2n", "2n", "2n"], ["# filters", "16", "32", "64"],
    ]  # fmt: skip

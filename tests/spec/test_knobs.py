"""What a caller may change about a network: exact figures, and what `changes` says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
from errors_at import table

import archscope
from archscope.core.arithmetic import Shape, product
from archscope.core.errors import Unsupported
from archscope.ops import Op, letters
from archscope.ops.dropout import Dropout
from archscope.spec.stages import blocks_from

STAGES = "these are the stages of"
NEAREST = "no network of the table; nearest is"


def numbers(network: str, **changes: Any) -> tuple[int, int]:
    """Params and MACs, auxiliary heads aside."""
    totals = archscope.profile(network, **changes).totals
    return totals["params"].value, totals["macs"].value


def kinds(network: str, **changes: Any) -> str:
    """The ops in running order, by their letters."""
    return " ".join(letters(node.op.notation or "") for node in archscope.lower(network, **changes).nodes)


@pytest.mark.parametrize(
    ("network", "changes", "params", "macs"),
    [
        ("vgg11", {"width": "1/4", "in_channels": 1, "num_classes": 10}, 43_093_322, 512_155_648),
        (
            "vgg11",
            {"width": "1/4", "head_width": "1/4", "in_channels": 1, "num_classes": 10},
            8_060_234, 477_128_704,
        ),
        ("vgg16", {"head": "gap"}, 15_227_688, 15_347_142_656),
        ("vgg16", {"dense": True}, 138_357_544, 15_470_264_320),
        ("vgg16", {"dense": True, "input_size": (384, 384)}, 138_357_544, 49_551_114_240),
        ("vgg16", {"input_size": (244, 244)}, 138_357_544, 18_101_128_192),
        ("vgg16", {"bn": "conv"}, 138_365_992, 15_470_264_320),
        ("vgg16", {"bn": "conv", "num_classes": 2}, 134_277_186, 15_466_176_512),
        ("vgg16_bn", {"num_classes": 2}, 134_277_186, 15_466_176_512),
        ("vgg16_bn", {"bn": "none"}, 138_357_544, 15_470_264_320),
        ("vgg16", {"conv_bias": False}, 138_357_544 - 4224, 15_470_264_320),
        ("vgg16", {"softmax": True, "dropout": 0.0}, 138_357_544, 15_470_264_320),
        ("googlenet", {"num_classes": 5}, 5_978_677, 1_581_652_992),
        ("googlenet", {"num_classes": 5, "aux": False}, 5_978_677, 1_581_652_992),
        ("googlenet_torchvision", {"num_classes": 5}, 5_605_029, 1_497_357_312),
    ],
)  # fmt: skip
def test_changed_networks_have_their_exact_params_and_macs(network: str, changes: Any, params: int, macs: int):
    assert numbers(network, **changes) == (params, macs)


def test_googlenet_with_5_classes_has_10318655_params_with_its_heads():
    totals = archscope.profile("googlenet", num_classes=5, mode="train").totals
    assert totals["params"].value == 10_318_655
    assert archscope.profile("googlenet", num_classes=5).aux["params"].value == 10_318_655 - 5_978_677


def test_a_dense_network_slides_over_larger_images():
    graph = archscope.lower("vgg16", dense=True, input_size=(384, 384))
    assert graph.tensors[graph.outputs[0].tensor].shape == (1, 1000, 6, 6)
    assert kinds("vgg16", dense=True).count("flatten") == 0
    (first, *_) = [node for node in graph.nodes if node.name.startswith("fc6")]
    assert first.op.window is not None
    assert (first.op.window.kernel_size, first.op.window.padding) == ((7, 7), (0, 0))


def test_at_another_size_the_fc_layer_takes_what_arithmetic_gives_or_a_pool_keeps_it():
    assert numbers("vgg16", input_size=(256, 256))[0] == 138_357_544 + 4096 * 512 * (64 - 49)
    assert numbers("vgg16", input_size=(256, 256), adaptive_pool=True)[0] == 138_357_544


@pytest.mark.parametrize(
    ("network", "path", "size"),
    [("vgg16", "avgpool", 7), ("alexnet_owt", "avgpool", 6), ("googlenet", "adaptive_pool", 1)],
)
def test_an_adaptive_pool_stands_before_the_head_at_the_size_of_the_tables_input(network: str, path: str, size: int):
    graph = archscope.lower(network, adaptive_pool=True, input_size=(256, 320))
    pool = next(node for node in graph.nodes if letters(node.op.notation or "") == "adaptiveavgpool" and not node.side)
    assert (pool.path, graph.shape_out(pool)[2:]) == (path, (size, size))
    after = graph.nodes[graph.nodes.index(pool) + 1]
    assert letters(after.op.notation or "") in {"flatten", "dropout"}
    assert {its.key: its.shape for its in graph.parameters} == {
        its.key: its.shape for its in archscope.lower(network).parameters
    }


@pytest.mark.parametrize(
    ("blocks", "params", "says"),
    [
        ([1, 1, 2, 2, 2], 132_863_336, f"{STAGES} vgg11"),
        ([2, 2, 2, 2, 2], 133_047_848, f"{STAGES} vgg13"),
        ([2, 2, 3, 3, 3], 138_357_544, f"{STAGES} vgg16"),
        ([2, 2, 4, 4, 4], 143_667_240, f"{STAGES} vgg19"),
        (((1, 64), (1, 128), (2, 256), (2, 512), (2, 512)), 132_863_336, f"{STAGES} vgg11"),
        ([64, "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"], 132_863_336, f"{STAGES} vgg11"),
        (
            [2, 2, 2, 3, 3],
            137_767_464,
            f"{NEAREST} vgg16: stage 3 is conv3-256 conv3-256, there conv3-256 conv3-256 conv3-256",
        ),
        (
            [[1, 64], [1, 128], [2, 256], [2, 512]],
            132_863_336 - 2 * 2_359_808 + 3 * 512 * 49 * 4096,
            f"{NEAREST} vgg11: stage 5 is missing, there conv3-512 conv3-512",
        ),
    ],
)
def test_blocks_are_spelled_in_three_ways_and_say_which_configuration_they_are(blocks: Any, params: int, says: str):
    profile = archscope.profile("vgg16", blocks=blocks)
    assert profile.totals["params"].value == params
    assert profile.changes == (f"blocks: {says}",)


REPEATED = "blocks: these are the blocks of"


@pytest.mark.parametrize(
    ("network", "blocks", "params", "says"),
    [
        ("resnet18", [3, 4, 6, 3], 21_797_672, f"{REPEATED} resnet34"),
        ("resnet50", (3, 4, 23, 3), 44_549_160, f"{REPEATED} resnet101"),
        ("resnet50_v1_5", [3, 8, 36, 3], 60_192_808, f"{REPEATED} resnet152_v1_5"),
        ("densenet121", [6, 12, 32, 32], 14_149_480, f"{REPEATED} densenet169"),
        ("resnet20", [9, 9, 9], 853_018, f"{REPEATED} resnet56"),
        # torchvision's ResNet(Bottleneck, [1, 1, 1, 1])
        ("resnet50", [1, 1, 1, 1], 10_064_936, "blocks: 1+1+1+1 instead of 3+4+6+3"),
        ("mobilenet_v1", [2], 4_231_976 - 3 * (9 * 512 + 512 * 512 + 4 * 512), "blocks: 2 instead of 5"),
    ],
)
def test_blocks_that_a_table_repeats_are_repeated_as_often_as_asked_for(
    network: str, blocks: Any, params: int, says: str
):
    profile = archscope.profile(network, blocks=blocks)
    assert profile.totals["params"].value == params
    assert profile.changes == (says,)


def test_as_many_blocks_as_the_table_has_change_nothing():
    assert archscope.load("resnet18", blocks=[2, 2, 2, 2]) == archscope.load("resnet18")
    assert archscope.load("mobilenet_v2").repeats == (1, 2, 3, 4, 3, 3, 1)


def test_a_network_that_pools_adaptively_gets_no_second_pool():
    assert kinds("googlenet_torchvision", adaptive_pool=True) == kinds("googlenet_torchvision")


def test_changes_are_spelled_in_words_in_a_fixed_order():
    changes: dict[str, Any] = {
        "input_size": (64, 96), "dropout": 0.1, "bn": "conv", "width": 0.5, "num_classes": 10, "aux": False,
    }  # fmt: skip
    assert archscope.load("vgg16", **changes).changes == (
        "num_classes=10", "width=1/2", "dropout=0.1", "bn=conv", "aux=False", "input_size=64×96",
    )  # fmt: skip
    assert archscope.load("vgg16").changes == archscope.load("vgg16_bn").changes == ()


HEAD = "fc relu dropout fc relu dropout fc"


@pytest.mark.parametrize(
    ("bn", "conv", "head"),
    [
        ("none", "conv relu", HEAD),
        ("conv", "conv batchnorm relu", HEAD),
        ("relu", "conv relu batchnorm", HEAD),
        ("conv+fc", "conv batchnorm relu", "fc batchnorm relu dropout fc batchnorm relu dropout fc"),
        ("relu+fc", "conv relu batchnorm", "fc relu batchnorm dropout fc relu batchnorm dropout fc"),
    ],
)
def test_batch_norm_stands_where_it_is_asked_for(bn: str, conv: str, head: str):
    stages = " ".join(f"{conv} maxpool" if n < 2 else f"{conv} {conv} maxpool" for n in range(5))
    for network in ("vgg11", "vgg11_bn"):
        assert kinds(network, bn=bn) == f"{stages} flatten {head}"


def test_convolutions_lose_their_biases_and_fc_layers_keep_theirs():
    keys = [parameter.key for parameter in archscope.lower("vgg11", conv_bias=False).parameters]
    assert [key for key in keys if key.endswith("bias")] == [f"classifier.{n}.bias" for n in (0, 3, 6)]


def test_dropout_is_changed_everywhere():
    nodes = archscope.lower("googlenet", dropout=0.25).nodes
    assert [node.op.p for node in nodes if isinstance(node.op, Dropout)] == [0.25] * 3


def test_softmax_is_a_layer_only_when_asked_for():
    assert "softmax" not in kinds("vgg11")
    assert kinds("vgg11", softmax=True).endswith("fc softmax")


def test_without_auxiliary_heads_there_is_one_output():
    assert [output.name for output in archscope.lower("googlenet", aux=False).outputs] == ["logits"]
    assert not any(node.side for node in archscope.lower("googlenet", aux=False).nodes)


def test_width_rounds_to_multiples_and_keeps_groups_whole():
    graph = archscope.lower("alexnet", width="1/3", round_to=8)
    found = [graph.shape_out(node)[1] for node in graph.nodes if letters(node.op.notation or "") == "conv"]
    assert found == [32, 88, 128, 128, 88]
    assert archscope.lower("vgg11", width="1/1000").nodes[0].op.weights((1, 3, 8, 8))["weight"] == (1, 3, 3, 3)


def test_head_width_leaves_the_classifier():
    graph = archscope.lower("vgg11", head_width="1/8")
    assert [graph.shape_out(node)[1] for node in graph.nodes if node.op.rank == 2] == [512, 512, 1000]


def test_gap_puts_one_pool_in_place_of_the_hidden_fc_layers():
    assert kinds("vgg11", head="gap").endswith("maxpool adaptiveavgpool flatten fc")
    assert kinds("alexnet_owt", head="gap").endswith("maxpool adaptiveavgpool flatten fc")


def test_the_input_transform_is_a_block_before_the_network():
    plain, changed = archscope.lower("googlenet"), archscope.lower("googlenet", transform_input=True)
    added = changed.nodes[: len(changed.nodes) - len(plain.nodes)]
    assert {node.path.split(".")[0] for node in added} == {"transform_input"}
    assert [its.shape for its in changed.parameters] == [its.shape for its in plain.parameters]
    assert changed.shape_out(added[-1]) == (1, 3, 224, 224)
    assert sum(product(changed.shape_out(node)) for node in added[:3]) == 3 * 224 * 224


@pytest.mark.parametrize(("side", "pair_"), [(96, (96, 96)), ([96, 64], (96, 64))])
def test_a_size_is_one_side_or_a_list_as_well(side: object, pair_: tuple[int, int]):
    assert archscope.load("vgg11", input_size=side).input_shape == (3, *pair_)
    assert archscope.lower("vgg11", input_size=side) == archscope.lower("vgg11", input_size=pair_)


@pytest.mark.parametrize("text", ["(1,64),(2,128)", "[(1, 64), (2, 128)]", "1x64,2x128"])
def test_blocks_are_read_as_python_writes_them_too(text: str):
    assert blocks_from(text) == [[1, 64], [2, 128]]


@dataclass(frozen=True)
class Voting(Op):
    """A layer with weights that cannot be told how many outputs to have."""

    notation: ClassVar[str | None] = "voting"
    weight_layer: ClassVar[bool] = True

    def out_shape(self, *inputs: Shape) -> Shape:
        return (inputs[0][0], 7)


def test_the_number_of_classes_of_an_op_without_one_cannot_be_set():
    with pytest.raises(Unsupported) as caught:
        archscope.load(["conv3-4", "voting"], ops=[Voting], input=(3, 8, 8), num_classes=5)
    assert str(caught.value) == "no-such-knob: cannot set the number of outputs of Voting"


def test_blocks_change_a_network_whose_fc_layers_stand_beside_its_stages():
    spec = archscope.load(["conv3-8", "maxpool", "FC-10"], input=(3, 32, 32), blocks=[3])
    assert [letters(layer.op.notation or "") for layer in spec.layers()] == ["conv", "conv", "conv", "maxpool", "fc"]


def test_changed_stages_are_told_from_networks_of_the_table_that_have_none(tmp_path: Path):
    file = tmp_path / "two.toml"
    file.write_text(table("| conv3-4 | FC-4 |", "| maxpool | |", "| FC-2 | FC-2 |"), encoding="utf-8")
    assert archscope.load(f"{file}:A", blocks=[2]).changes == (
        "blocks: no network of the table; nearest is A: stage 1 is conv3-4 conv3-4, there conv3-4",
    )

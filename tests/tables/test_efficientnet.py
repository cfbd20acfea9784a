"""EfficientNet: exact figures, torchvision's network, and the compound scaling of B1 to B7."""

from __future__ import annotations

import pytest
from measured import measured, predicted
from zoo import assert_is_torchvisions, counts, explained, module_counts, params

import archscope
from archscope.core.arithmetic import product
from archscope.ops.stochasticdepth import StochasticDepth

B0 = "efficientnet_b0"
SCALED = {
    "efficientnet_b1": ("1", (2, 3, 3, 4, 4, 5, 2)),
    "efficientnet_b2": ("1.1", (2, 3, 3, 4, 4, 5, 2)),
    "efficientnet_b3": ("1.2", (2, 3, 3, 5, 5, 6, 2)),
    "efficientnet_b4": ("1.4", (2, 4, 4, 6, 6, 8, 2)),
    "efficientnet_b5": ("1.6", (3, 5, 5, 7, 7, 9, 3)),
    "efficientnet_b6": ("1.8", (3, 6, 6, 8, 8, 11, 3)),
    "efficientnet_b7": ("2", (4, 7, 7, 10, 10, 13, 4)),
}
"""torchvision's networks by the width and the blocks of theirs."""


def test_it_has_its_exact_params_and_macs() -> None:
    assert counts(B0) == module_counts(B0) == (5_288_548, 385_814_752)


def test_torchvisions_state_dict_fits_and_gives_its_outputs() -> None:
    assert_is_torchvisions(B0, B0)


@pytest.mark.parametrize("name", SCALED)
def test_wider_and_deeper_it_is_torchvisions_larger_ones(name: str) -> None:
    models = pytest.importorskip("torchvision.models")
    torch = pytest.importorskip("torch")
    width, blocks = SCALED[name]
    with torch.device("meta"):
        theirs = getattr(models, name)(weights=None)
    ours = archscope.build(B0, width=width, blocks=blocks, device="meta")
    ours.load_state_dict(theirs.state_dict(), strict=True)


def test_blocks_are_left_out_the_more_often_the_later_they_come() -> None:
    torchvision = pytest.importorskip("torchvision")
    theirs = [
        (name.removesuffix(".stochastic_depth"), module.p)
        for name, module in torchvision.models.efficientnet_b0(weights=None).named_modules()
        if isinstance(module, torchvision.ops.StochasticDepth)
    ]
    nodes = [node for node in archscope.lower(B0).nodes if isinstance(node.op, StochasticDepth)]
    ours = [(node.path.removesuffix(".stochastic_depth"), node.op.share) for node in nodes]  # type: ignore[attr-defined]
    adding = {node.path.removesuffix(".add") for node in archscope.lower(B0).nodes if node.path.endswith(".add")}
    assert ours == [pytest.approx(each) for each in theirs if each[0] in adding]
    assert len(ours) == 9


def test_its_memory_is_torchs_in_inference_and_in_training() -> None:
    graph = archscope.lower(B0, 2, input_size=(64, 64))
    assert predicted(graph) == measured(graph)


def test_a_stage_that_is_repeated_once_is_a_sequence_of_one_block() -> None:
    keys = archscope.build("resnet18", blocks=(1, 1, 1, 1), device="meta").state_dict()
    assert "layer1.0.conv1.weight" in keys
    assert "features.1.0.block.0.0.weight" in archscope.build(B0, device="meta").state_dict()


def test_refuted_are_four_figures_of_the_larger_networks() -> None:
    assert explained("efficientnet") == [
        (B0, "params of EfficientNet-B2 (Table 2)", "9.2M"),
        (B0, "macs of EfficientNet-B1 (Table 2)", "0.70B"),
        (B0, "macs of EfficientNet-B4 (Table 2)", "4.2B"),
        (B0, "macs of EfficientNet-B5 (Table 2)", "9.9B"),
    ]


def test_running_statistics_would_explain_the_params_of_the_second_network_but_not_of_the_first() -> None:
    graphs = [archscope.lower(B0, width=SCALED[name][0], blocks=SCALED[name][1]) for name in list(SCALED)[:2]]
    stored = [sum(product(each.shape) for each in graph.buffers if each.dtype == "float") for graph in graphs]
    assert [params(graph) + each for graph, each in zip(graphs, stored, strict=True)] == [7_856_232, 9_177_562]

"""MobileNets, both versions: exact figures, multipliers, shares, and torchvision's second one."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest
from zoo import assert_is_torchvisions, counts, explained, module_counts, table, weighted

import archscope
from archscope.core.arithmetic import product
from archscope.ops.conv import Conv
from archscope.ops.fc import FC
from archscope.ops.relu import ReLU
from archscope.spec.table import read_grid

FIRST = (4_231_976, 568_740_352)

SHALLOW = {"row 14.Type / Stride": "", "row 15.Type / Stride": ""}
"""Table 5: "the 5 layers of separable filters with feature size 14 × 14 × 512 in Table 1 are removed"."""

MULTIPLIERS = [
    ("1", 224, 4_231_976, 568_740_352),
    ("0.75", 224, 2_585_560, 325_400_448),
    ("0.5", 224, 1_331_592, 149_497_088),
    ("0.25", 224, 470_072, 41_030_272),
    ("1", 192, 4_231_976, 418_121_728),
    ("1", 160, 4_231_976, 290_675_200),
    ("1", 128, 4_231_976, 186_400_768),
    ("0.5", 160, 1_331_592, 76_524_800),
]
"""Width, side of the input, params and MACs."""


def test_the_first_version_has_its_exact_params_and_macs_in_28_layers() -> None:
    assert counts("mobilenet_v1") == module_counts("mobilenet_v1") == FIRST
    assert archscope.profile("mobilenet").depth == 28


@pytest.mark.parametrize(("width", "side", "params", "macs"), MULTIPLIERS)
def test_width_and_resolution_multipliers_give_exact_figures(width: str, side: int, params: int, macs: int) -> None:
    assert counts("mobilenet_v1", width=width, input_size=(side, side)) == (params, macs)


def test_the_shallow_network_of_table_5_is_the_table_without_its_five_equal_rows() -> None:
    assert counts("mobilenet_v1", set=SHALLOW) == (2_887_976, 307_323_392)


def test_every_row_is_printed_with_the_input_and_the_filter_that_it_has() -> None:
    graph = archscope.lower("mobilenet_v1")
    nodes = weighted(graph)
    rows = [row for row in table("mobilenet_v1").grid.rows if "Conv" in row["Type / Stride"].text]
    braced = [row for row in rows if row["Type / Stride"].text.startswith("5×")]
    at = rows.index(braced[0])
    unrolled = [*rows[:at], *braced * 5, *rows[at + 2 :]]
    for row, node in zip(unrolled, nodes[:-1], strict=True):
        channels, height, width = graph.shapes_in(node)[0][1:]
        out, per_group, *kernel = graph.parameters[node.parameters["weight"]].shape
        depthwise = per_group == 1
        filters = [*kernel, out] if depthwise else [*kernel, per_group, out]
        printed = row["Filter Shape"].text
        assert row["Input Size"].text == f"{height} × {width} × {channels}"
        assert printed == " × ".join(map(str, filters)) + (" dw" if depthwise else "")
        assert isinstance(node.op, Conv)
        strided = re.sub(r".*/ s", "", row["Type / Stride"].text)
        assert strided == str(node.op.stride) or printed == "3 × 3 × 1024 dw"


def test_the_printed_stride_of_the_last_depthwise_convolution_contradicts_the_sizes() -> None:
    graph = archscope.lower("mobilenet_v1")
    last = next(node for node in reversed(weighted(graph)) if isinstance(node.op, Conv) and node.op.kernel_size == 3)
    assert (graph.shapes_in(last)[0], last.op.window.stride) == ((1, 1024, 7, 7), (1, 1))  # type: ignore[union-attr]
    assert graph.shape_out(last) == (1, 1024, 7, 7)
    errata = table("mobilenet_v1").data["errata"]
    assert (errata[0]["row"], errata[0]["printed"]) == ("3 × 3 × 1024 dw", "s2")


def test_printed_shares_are_those_of_the_layers_but_for_two_digits_that_changed_places() -> None:
    graph, found = archscope.lower("mobilenet_v1"), table("mobilenet_v1")
    macs: dict[str, int] = {}
    weights: dict[str, int] = {}
    for node in weighted(graph):
        kind = "Fully Connected"
        if isinstance(node.op, Conv):
            depthwise = "DW " if node.op.groups > 1 else ""
            kind = f"Conv {depthwise}{node.op.kernel_size} × {node.op.kernel_size}"
        macs[kind] = macs.get(kind, 0) + (node.op.macs(*graph.shapes_in(node)) or 0)
        weights[kind] = weights.get(kind, 0) + product(graph.parameters[node.parameters["weight"]].shape)
    assert sum(weights.values()) == 4_209_088
    rows = read_grid(found.source, "published[0]", found.data["published"][0]["grid"]).rows
    printed = {row["Type"].text: (row["Mult-Adds"].text, row["Parameters"].text) for row in rows}
    computed = {kind: (_share(macs, kind), _share(weights, kind)) for kind in macs}
    assert computed == {**printed, "Conv 3 × 3": ("1.91%", "0.02%")}
    assert macs["Conv 3 × 3"] == 10_838_016
    assert sum(Fraction(cells[0][:-1]) for cells in printed.values()) == Fraction("99.29")


def _share(counts_of: dict[str, int], kind: str) -> str:
    return f"{100 * counts_of[kind] / sum(counts_of.values()):.2f}%"


def test_refuted_are_a_stride_two_swapped_digits_and_figures_of_other_networks_than_the_one_beside_them() -> None:
    place = "macs of total (arXiv:1801.04381 (MobileNetV2), Table 4)"
    assert explained("mobilenet_v1") == [
        ("mobilenet_v1", "macs share of Conv 3 × 3 (Table 2)", "1.19%"),
        ("mobilenet_v1", "macs of 1.0 MobileNet-224 (Table 10)", "569"),
        ("mobilenet_v1", "macs of 1.0 MobileNet-192 (Table 10)", "418"),
        ("mobilenet_v1", place, "575M"),
        ("mobilenet_v1", "3 × 3 × 1024 dw, Type / Stride", "s2"),
    ]


def test_the_second_version_has_its_exact_params_and_macs() -> None:
    assert counts("mobilenet_v2") == module_counts("mobilenet_v2") == (3_504_872, 300_774_272)


def test_torchvisions_state_dict_fits_the_second_version_and_gives_its_outputs() -> None:
    assert_is_torchvisions("mobilenet_v2", "mobilenet_v2")


@pytest.mark.parametrize("width", [0.25, 0.35, 0.5, 0.75, 1.4])
def test_at_any_width_the_second_version_is_torchvisions(width: float) -> None:
    models = pytest.importorskip("torchvision.models")
    torch = pytest.importorskip("torch")
    with torch.device("meta"):
        theirs = models.mobilenet_v2(weights=None, width_mult=width)
    ours = archscope.build("mobilenet_v2", width=width, device="meta")
    ours.load_state_dict(theirs.state_dict(), strict=True)
    assert counts("mobilenet_v2", width=width)[0] == sum(each.numel() for each in theirs.parameters())


def test_below_a_width_of_1_the_last_convolution_keeps_its_1280_channels() -> None:
    last = [weighted(archscope.lower("mobilenet_v2", width=width))[-2].op for width in ("1/10", "1", "2")]
    assert [op.out_channels for op in last if isinstance(op, Conv)] == [1280, 1280, 2560]
    assert counts("mobilenet_v2", width="1.4") == (6_108_776, 582_195_824)
    assert counts("mobilenet_v2", width="1.4", round_to=1) != counts("mobilenet_v2", width="1.4")


def test_the_narrowest_and_the_widest_second_version_are_printed_with_figures_that_they_do_not_have() -> None:
    assert explained("mobilenet_v2") == [
        ("mobilenet_v2", "params of MobileNetV2 (1.4) (Table 4)", "6.9M"),
        ("mobilenet_v2", "macs of MobileNetV2 (1.4) (Table 4)", "585M"),
        ("mobilenet_v2", "macs of multiplier 0.35, resolution 96 (section 4)", "7"),
    ]


def test_a_bottleneck_adds_its_input_where_stride_and_channels_allow_it() -> None:
    graph = archscope.lower("mobilenet_v2")
    adds = [node.path for node in graph.nodes if node.path.endswith(".add")]
    blocks = [3, 5, 6, 8, 9, 10, 12, 13, 15, 16]  # all but the first of each row
    assert adds == [f"features.{block}.add" for block in blocks]


def test_the_second_version_ends_every_rectified_layer_at_6_and_its_projections_in_none() -> None:
    graph = archscope.lower("mobilenet_v2")
    rectified = [node for node in graph.nodes if isinstance(node.op, ReLU)]
    assert {node.op.ceiling for node in rectified if isinstance(node.op, ReLU)} == {6}
    assert len(rectified) == 35  # the first and the last convolution, the depthwise ones, and 16 expansions
    assert sum(isinstance(node.op, FC) for node in graph.nodes) == 1

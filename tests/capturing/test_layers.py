"""Single operators of torch between two layers: their MACs, elementwise work and memory are torch's."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
import torch
from measured import Watch, predicted
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.functional import cross_entropy
from torch.utils.flop_counter import FlopCounterMode

import archscope
from archscope.capturing.building import built
from archscope.core.errors import Unsupported
from archscope.core.records import Setting
from archscope.graph.footprint import inference_course
from archscope.ops.convolution import Convolution
from archscope.ops.convtranspose import ConvTranspose
from archscope.ops.matmul import MatMul
from archscope.ops.relu import ReLU

BATCH = 2

OPERATORS: dict[str, tuple[str, Callable[[Tensor], Tensor]]] = {
    "elu": ("ELU", functional.elu),
    "elu of another slope": ("ELU", lambda x: functional.elu(x, 0.5)),
    "leaky relu": ("LeakyReLU", lambda x: functional.leaky_relu(x, 0.2)),
    "gelu": ("GELU", functional.gelu),
    "log softmax": ("LogSoftmax", lambda x: functional.log_softmax(x, 1)),
    "softplus": ("Softplus", lambda x: functional.softplus(x, 2)),
    "einsum over positions": ("Einsum", lambda x: torch.einsum("bchw,bdhw->bcd", x, x.relu())),
    "einsum of three": ("MatMul", lambda x: torch.einsum("bchw,bdhw,bchw->bcd", x, x, x)),
    "einsum of a diagonal": ("Reduction", lambda x: torch.einsum("bcii->bc", x)),
    "einsum of any axes": ("MatMul", lambda x: torch.einsum("...hw,...kw->...hk", x, x)),
    "einsum that sums first": ("Reduction", lambda x: torch.einsum("bchw,bd->bcd", x, x.flatten(1))),
    "einsum that stretches": ("MatMul", lambda x: torch.einsum("bchw,bdhw->bcd", x, x[:, :, :1])),
    "largest of a map": ("Pool", lambda x: functional.adaptive_max_pool2d(x, 1)),
    "largest of quarters": ("Pool", lambda x: functional.adaptive_max_pool2d(x, 2)),
    "mean of a row": ("Pool", lambda x: functional.adaptive_avg_pool1d(x.flatten(2), 1)),
    "pool of a row": ("Pool", lambda x: functional.max_pool1d(x.flatten(2), 2)),
    "pool of a volume": ("Pool", lambda x: functional.max_pool3d(x, 2)),
    "mean of a volume": ("Pool", lambda x: functional.avg_pool3d(x, 2)),
    "ceiled mean of another divisor": ("Pool", lambda x: functional.avg_pool2d(x, 2, divisor_override=3)),
    "pool with gaps": ("Pool", lambda x: functional.max_pool2d(x, 2, dilation=(1, 2))),
    "pool and its places": ("Pool", lambda x: functional.max_pool2d(x, 2, return_indices=True)[0]),
    "batched product": ("MatMul", lambda x: x.flatten(2) @ x.flatten(2).transpose(1, 2)),
    "batched product and sum": ("MatMul", lambda x: torch.baddbmm(x[..., 0], x[..., 1], x[..., :6, 2])),
    "transposed convolution": ("ConvTranspose", nn.ConvTranspose2d(6, 4, 3, 2)),
    "transposed convolution of a row": (
        "ConvTranspose", nn.Sequential(nn.Flatten(2), nn.ConvTranspose1d(6, 4, 3, 2, 1, output_padding=1, bias=False)),
    ),
    "convolution of a row": ("Convolution", nn.Sequential(nn.Flatten(2), nn.Conv1d(6, 4, 3, 2))),
    "convolution of a row that pads nothing": (
        "Convolution", nn.Sequential(nn.Flatten(2), nn.Conv1d(6, 4, 3, padding="valid")),
    ),
    "convolution that keeps the size": ("Conv", nn.Conv2d(6, 4, 3, padding="same", dilation=2)),
    "group norm": ("GroupNorm", nn.GroupNorm(2, 6)),
    "group norm without weights": ("GroupNorm", nn.GroupNorm(3, 6, affine=False)),
    "instance norm": ("InstanceNorm", nn.InstanceNorm2d(6, affine=True)),
    "instance norm without weights": ("InstanceNorm", nn.InstanceNorm2d(6)),
    "batch norm without weights": ("BatchNorm", nn.BatchNorm2d(6, affine=False)),
    "layer norm": ("LayerNorm", nn.LayerNorm((6, 6))),
    "a slope per channel": ("PReLU", nn.PReLU(6)),
    "one slope": ("PReLU", nn.PReLU()),
}  # fmt: skip


class Between(nn.Module):
    """A convolution, the operator, and a classifier."""

    def __init__(self, operator: Callable[[Tensor], Tensor], features: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3)
        self.operator = operator
        self.fc = nn.Linear(features, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.operator(self.conv(x)).flatten(1))


def between(name: str) -> Between:
    operator = deepcopy(OPERATORS[name][1])
    features = operator(torch.zeros(BATCH, 6, 6, 6)).flatten(1).shape[1]
    return built(Between, (operator, features), {}).to("meta")


def taken(model: nn.Module) -> tuple[int, int, int, int, int]:
    """MACs of a forward and of a training step; the bytes kept, and the most at once in inference and training."""
    image, target = torch.empty(BATCH, 3, 8, 8, device="meta"), torch.empty(BATCH, dtype=torch.int64, device="meta")
    known = [*model.parameters(), *model.buffers()]
    with FlopCounterMode(display=False) as forward, torch.no_grad(), Watch(known) as inference:
        inference.note(image)
        model.eval()(image)
    with FlopCounterMode(display=False) as step, Watch(known) as training:
        training.note(image)
        training.note(target)
        loss = cross_entropy(model.train()(image), target)
        saved = training.alive - loss.untyped_storage().nbytes()
        loss.backward()
    flops = forward.get_total_flops(), step.get_total_flops()
    return flops[0] // 2, flops[1] // 2, saved, inference.peak, training.peak


COPIED_GRADIENTS = {
    "instance norm", "einsum of three", "einsum of a diagonal", "einsum that sums first", "batched product and sum",
}  # fmt: skip
"""Whose gradients torch makes larger before it sums them up, or as zeros around a part: more than the model has."""


@pytest.mark.parametrize("name", OPERATORS)
def test_an_operator_costs_and_keeps_what_torch_says(name: str) -> None:
    model = between(name)
    step = archscope.capture(model, (3, 8, 8), batch=BATCH, mode="train")
    assert OPERATORS[name][0] in {type(node.op).__name__ for node in step.nodes}
    profile = archscope.profile(step, columns=("macs", "train_macs"))
    assert all(type(row.op) is str for row in profile.rows)
    totals = profile.totals
    found = predicted(step)
    inference = inference_course(archscope.capture(model, (3, 8, 8), batch=BATCH), Setting(BATCH, device="cpu"))
    assert {total.status for total in totals.values()} == {"exact"}
    numbers = (totals["macs"].value, totals["train_macs"].value, found.saved, inference.peak.alive)
    *expected, peak = taken(model)
    assert numbers == tuple(expected)
    assert found.train_peak == peak or (name in COPIED_GRADIENTS and found.train_peak < peak)


@pytest.mark.parametrize(
    ("operator", "shape", "comparisons"),
    [
        (nn.AdaptiveMaxPool2d(1), (3, 8, 8), 3 * 64),
        (nn.AdaptiveAvgPool1d(2), (3, 8), 3 * 8),
        (nn.MaxPool3d((1, 2, 2)), (3, 2, 4, 4), 3 * 2 * 2 * 2 * 4),
        (nn.AvgPool1d(4), (3, 8), 3 * 2 * 4),
    ],
)
def test_a_pool_looks_at_every_number_of_its_windows(
    operator: nn.Module, shape: tuple[int, ...], comparisons: int
) -> None:
    totals = archscope.profile(nn.Sequential(operator), input=shape, columns=["elementwise_flops", "macs"]).totals
    assert (totals["elementwise_flops"].value, totals["macs"].value) == (comparisons, 0)


class Enlarging(nn.Module):
    """A transposed convolution whose settings are given as they are."""

    def __init__(self, kernel: tuple[int, ...], **settings: int | tuple[int, ...]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(3, 4, *kernel))
        self.run = (functional.conv_transpose1d, functional.conv_transpose2d)[len(kernel) - 1]
        self.settings = settings

    def forward(self, x: Tensor) -> Tensor:
        return self.run(x, self.weight, **self.settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "strides"),
    [
        ({"stride": 2}, (2, 2)),
        ({"stride": (2,), "padding": (1,)}, (2, 2)),
        ({"stride": (3, 2), "output_padding": (2, 0), "dilation": (1, 2)}, (3, 2)),
    ],
)
def test_a_setting_of_a_transposed_convolution_is_one_for_all_axes_or_one_each(
    settings: dict[str, int | tuple[int, ...]], strides: tuple[int, int]
) -> None:
    module = Enlarging((3, 3), **settings)
    (node,) = archscope.capture(module, (3, 8, 6)).nodes
    assert isinstance(node.op, ConvTranspose)
    assert node.op.stride == strides
    assert node.op.out_shape((1, 3, 8, 6)) == tuple(module(torch.zeros(1, 3, 8, 6)).shape)


@pytest.mark.parametrize(("stride", "padding"), [(2, 1), ((2,), (1,)), ((2, 1, 1), (0, 1, 1))])
def test_a_setting_of_a_volumes_convolution_is_one_for_all_axes_or_one_each(stride: Any, padding: Any) -> None:
    class Shrinking(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(4, 3, 3, 3, 3))

        def forward(self, x: Tensor) -> Tensor:
            return functional.conv3d(x, self.weight, None, stride, padding)

    (node,) = archscope.capture(Shrinking(), (3, 8, 6, 5)).nodes
    assert isinstance(node.op, Convolution)
    assert node.op.out_shape((1, 3, 8, 6, 5)) == tuple(Shrinking()(torch.zeros(1, 3, 8, 6, 5)).shape)


def test_statistics_of_a_vector_without_examples_are_no_batch_norm() -> None:
    """torch lets it pass on tensors without data and refuses it on a CPU: there is no axis of channels."""

    class Odd(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return functional.batch_norm(x.flatten(), None, None, training=True)

    with pytest.raises(IndexError):
        Odd()(torch.rand(1, 4))
    graph = archscope.capture(Odd(), (4,))
    assert "BatchNorm" not in {type(node.op).__name__ for node in graph.nodes}
    assert (graph.shape_out(graph.nodes[-1]), sum(row.values["params"] for row in archscope.profile(graph).rows)) == (
        (4,),
        0,
    )


@pytest.mark.parametrize(
    ("run", "written"),
    [(functional.relu6, "nn.ReLU6()"), (lambda x: functional.hardtanh(x, 0, 4), "nn.Hardtanh(0, 4)")],
)
def test_a_ceiling_is_where_torchs_function_ends(run: Callable[[Tensor], Tensor], written: str) -> None:
    class Cut(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return run(x)

    (node,) = archscope.capture(Cut(), (4,)).nodes
    call = node.op.torch((1, 4))
    assert f"{call.name}({', '.join(map(str, call.args))})" == written
    assert isinstance(node.op, ReLU)
    assert node.op.ceiling == run(torch.full((1, 4), 1e9)).max()


def test_a_product_without_rows_takes_no_macs_forward_or_backward() -> None:
    left, right = torch.zeros(0, 8, requires_grad=True), torch.zeros(8, 5, requires_grad=True)
    with FlopCounterMode(display=False) as counted:
        (left @ right).sum().backward()
    assert counted.get_total_flops() == 0
    assert set((MatMul().gradient_macs((0, 8), (8, 5)) or {}).values()) == {MatMul().macs((0, 8), (8, 5))} == {0}


class General(nn.Module):
    """A convolution by the name that ATen has for all of them."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        its: Any = self.layer
        given = (its.stride, its.padding, its.dilation, its.transposed, its.output_padding, its.groups)
        return torch.convolution(x, its.weight, its.bias, *given)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Conv2d(3, 4, 3), (3, 8, 8)),
        (nn.Conv1d(3, 4, 3), (3, 8)),
        (nn.ConvTranspose2d(3, 4, 3), (3, 8, 8)),
        (nn.ConvTranspose1d(3, 4, 3, 2, bias=False), (3, 8)),
    ],
    ids=lambda each: type(each).__name__,
)
def test_a_convolution_by_its_general_name_is_the_one_that_it_is(layer: nn.Module, shape: tuple[int, ...]) -> None:
    general, own = (archscope.capture(each, shape) for each in (General(layer), nn.Sequential(layer)))
    assert [node.op for node in general.nodes] == [node.op for node in own.nodes]


def test_an_even_kernel_that_keeps_the_size_has_the_work_of_all_its_positions() -> None:
    profile = archscope.profile(nn.Sequential(nn.Conv2d(3, 4, 2, padding="same")), input=(3, 8, 8))
    assert (profile.totals["macs"].value, profile.rows[0].values["output_shape"]) == (4 * 64 * 12, (4, 8, 8))


class Grouped(nn.Module):
    """Rows that are multiplied by one of several matrices each: experts."""

    def __init__(self) -> None:
        super().__init__()
        self.experts = nn.Parameter(torch.zeros(2, 16, 32, dtype=torch.bfloat16))

    def forward(self, x: Tensor) -> Tensor:
        ends = torch.tensor([4, 8], dtype=torch.int32, device=x.device)
        return functional.grouped_mm(x.flatten(1).bfloat16(), self.experts, offs=ends)


def test_experts_cost_a_product_of_each_row_and_keep_both_factors_with_the_ends() -> None:
    step = archscope.capture(Grouped(), (16,), batch=8, mode="train")
    (node,) = [each for each in step.nodes if type(each.op).__name__ == "GroupedMatMul"]
    totals = archscope.profile(step, columns=("params", "macs", "train_macs", "elementwise_flops")).totals
    assert (totals["params"].value, totals["macs"].value, totals["elementwise_flops"].value) == (1024, 8 * 16 * 32, 0)
    assert totals["train_macs"].value == 2 * 8 * 16 * 32  # none for the gradient of the image
    rule = node.op.memory(*step.shapes_in(node), setting=Setting(8, mode="train"))
    assert rule is not None
    assert rule.saved == ("input0", "input1", "input2")


class Apply(nn.Module):
    """A function as a module."""

    def __init__(self, operator: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.operator = operator

    def forward(self, x: Tensor) -> Tensor:
        return self.operator(x)


@pytest.mark.parametrize(
    "operator",
    [
        lambda x: torch.addbmm(x[0], x, x),
        lambda x: torch.native_dropout(x, 0.5, train=True)[0],
        lambda x: torch.ops.aten.log_sigmoid_forward(x)[0],
    ],
    ids=["a sum of products", "a result and its mask", "a result and what backward needs"],
)
def test_what_no_rule_fits_is_not_guessed(operator: Callable[[Tensor], Tensor]) -> None:
    profile = archscope.profile(Apply(operator), input=(4, 4), columns=("elementwise_flops",))
    assert profile.totals["elementwise_flops"].status != "exact"


@pytest.mark.parametrize(
    ("operator", "shape", "field"),
    [
        (nn.AdaptiveMaxPool2d(1), (3, 8, 8), 8),
        (nn.AdaptiveMaxPool2d(2), (3, 8, 8), None),
        (nn.AdaptiveAvgPool1d(1), (3, 8), None),
    ],
)
def test_a_pool_to_one_position_sees_the_whole_map(operator: nn.Module, shape: tuple[int, ...], field: Any) -> None:
    profile = archscope.profile(nn.Sequential(operator), input=shape, columns=["receptive_field"])
    assert profile.rows[-1].values["receptive_field"] == field


def test_what_was_only_seen_cannot_be_built() -> None:
    with pytest.raises(Unsupported, match="no-call: cumsum was seen in a module, and cannot be built from a graph"):
        archscope.build(archscope.capture(Apply(lambda x: x.cumsum(1)), (3, 8, 8)))


class Packed(nn.Module):
    """A recurrent layer on sequences without their padding."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(4, 6, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        lengths = torch.tensor([5, 3])
        return self.lstm(nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True))[0].data


def test_a_real_run_counts_the_steps_of_each_packed_sequence() -> None:
    found = archscope.profile(Packed(), input=(5, 4), batch=2, real=True, columns=["macs"])
    assert sum(row.values["macs"] or 0 for row in found.rows) == (5 + 3) * (4 + 6) * 4 * 6

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

"""Backward costs what torch's own counter finds when it really runs on meta tensors, and not just twice the forward."""

from __future__ import annotations

import copy

import probes
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision import models

import archscope
from archscope.capturing.examples import made_example
from archscope.capturing.tape import tensors_in


def counted(model: nn.Module, example: object, batch: int) -> tuple[int, int]:
    """MACs of forward, and of forward and backward, in train mode."""
    model = copy.deepcopy(model).to("meta")
    inputs = made_example(example, batch, torch.float32)
    with FlopCounterMode(display=False) as counter:
        outputs = tensors_in(model.train()(*inputs.args, **inputs.kwargs))
        forward = counter.get_total_flops() // 2
        sum(each.sum() for each in outputs if each.requires_grad).backward()
    return forward, counter.get_total_flops() // 2


def ours(model: nn.Module, example: object, batch: int) -> tuple[int, int]:
    columns = ("macs", "backward_macs", "train_macs")
    totals = archscope.profile(model, batch, input=example, mode="train", columns=columns).totals
    assert [total.status for total in totals.values()] == ["exact"] * 3
    assert totals["macs"].value + totals["backward_macs"].value == totals["train_macs"].value
    return totals["macs"].value, totals["train_macs"].value


NOT_ON_META = {
    "a scripted child",
    "a branch on a constant",
    "a plain tensor attribute",
    "zeros filled with activations",
}
NOTHING_TO_TRAIN = {"einsum and matmul", "a matrix times its transpose"}
GROUPED = {"transposed convolution in groups", "depthwise convolution"}
OF_ITS_OWN = {"bilinear form", "two layers of LSTM", "LSTM both ways", "GRU"}
PLAIN = [name for name in probes.EXACT if name not in {*NOT_ON_META, *NOTHING_TO_TRAIN, *GROUPED, *OF_ITS_OWN}]


@pytest.mark.parametrize("name", PLAIN)
def test_backward_of_a_probe_is_torchs(name: str) -> None:
    module, example, _ = probes.EXACT[name]
    expected = counted(module, example, 3)
    assert ours(module, example, 3) == expected


@pytest.mark.parametrize("name", sorted(NOTHING_TO_TRAIN))
def test_without_anything_to_train_there_is_no_backward(name: str) -> None:
    module, example, macs = probes.EXACT[name]
    batch = 1 if name == "a matrix times its transpose" else 2
    assert ours(module, example, batch) == (batch * macs, batch * macs)


@pytest.mark.parametrize("name", sorted(GROUPED))
def test_backward_in_groups_costs_what_its_forward_costs(name: str) -> None:
    """torch's counter takes each output channel's weights to span all input channels: groups times too many."""
    module, example, macs = probes.EXACT[name]
    assert ours(module, example, 3) == (3 * macs, 6 * macs)
    assert counted(module, example, 3)[1] > 6 * macs


def test_the_order_of_a_bilinear_form_is_not_known() -> None:
    total = archscope.profile(*probes.EXACT["bilinear form"][:1], input=(16,), columns=("backward_macs",))
    assert total.totals["backward_macs"][:3] == (0, "bound", ("Bilinear in form",))


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
@pytest.mark.parametrize("both", [False, True])
def test_backward_of_recurrent_layers_is_torchs(kind: type[nn.RNNBase], both: bool) -> None:
    for layers, bias in ((1, True), (3, False)):
        module = kind(8, 16, layers, bias=bias, batch_first=True, bidirectional=both, device="meta")
        assert ours(module, (5, 8), 2) == counted(module, (5, 8), 2)


@pytest.mark.parametrize("name", ["resnet18", "vit_b_32", "swin_t"])
def test_backward_of_a_network_is_torchs(name: str) -> None:
    with torch.device("meta"):
        model = getattr(models, name)()
    assert ours(model, (3, 224, 224), 2) == counted(model, (3, 224, 224), 2)


def test_frozen_layers_cost_no_backward() -> None:
    with torch.device("meta"):
        model = models.vgg16()
    forward, both = ours(model, (3, 224, 224), 1)
    assert round(both / forward, 3) == 2.994
    model.features.requires_grad_(requires_grad=False)
    assert ours(model, (3, 224, 224), 1) == counted(model, (3, 224, 224), 1)
    forward, both = ours(model, (3, 224, 224), 1)
    assert round(both / forward, 3) == 1.009


def test_a_table_has_the_same_backward_and_can_be_frozen() -> None:
    graph = archscope.lower("vgg16")
    columns = ("macs", "train_macs")
    for each, ratio in ((graph, 2.994), (graph.frozen("features"), 1.009), (graph.frozen("features", "classifier"), 1)):
        totals = archscope.profile(each, columns=columns).totals
        assert round(totals["train_macs"].value / totals["macs"].value, 3) == ratio


def test_a_frozen_layer_in_between_hands_gradients_on() -> None:
    model = nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 16), nn.Linear(16, 2))
    model[1].requires_grad_(requires_grad=False)
    profile = archscope.profile(model, input=(4,), columns=("backward_macs",))
    assert [row.values["backward_macs"] for row in profile.rows] == [32, 128, 64]


def test_what_runs_without_gradients_costs_no_backward() -> None:
    class Partly(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b, self.c = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4)

        def forward(self, x):
            with torch.no_grad():
                x = self.a(x)
            return self.c(self.b(x).detach())

    profile = archscope.profile(Partly(), input=(4,), columns=("backward_macs",))
    assert [row.values["backward_macs"] for row in profile.rows] == [0, 16, 0, 16]


class Doubling(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):  # noqa: ARG004  torch's signature
        return x * 2

    @staticmethod
    def backward(ctx, gradient):  # noqa: ARG004  as above
        return gradient * 2


def test_gradients_flow_through_a_function_with_its_own_backward() -> None:
    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 4)

        def forward(self, x):
            return self.b(Doubling.apply(self.a(x)))

    profile = archscope.profile(Own(), input=(4,), columns=("backward_macs",))
    assert profile.totals["backward_macs"].value == 48
    assert profile.graph is not None
    assert profile.graph.notes == ("Doubling has a backward of its own, which is counted as autograd's would be",)


def test_what_nothing_needs_has_a_backward_only_if_its_result_is_used() -> None:
    """A head whose result is thrown away gets no gradient; autograd never reaches it."""

    class Wasteful(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 4)

        def forward(self, x):
            self.b(x)
            return self.a(x)

    assert ours(Wasteful().to("meta"), (4,), 2) == counted(Wasteful().to("meta"), (4,), 2)

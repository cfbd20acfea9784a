"""What goes wrong in a forward is told with the module, the operator, its arguments and the line."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import nn

import archscope
from archscope.core.errors import ArchscopeError


class Outer(nn.Module):
    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return self.inner(x)


def told(module: nn.Module, example: object, **options: object) -> str:
    with pytest.raises(ArchscopeError) as caught:
        archscope.capture(Outer(module), example, **options)
    return str(caught.value)


@pytest.mark.parametrize(
    ("module", "example", "message", "expected"),
    [
        (
            nn.Conv2d(3, 4, 3),
            (4, 8, 8),
            "cannot run conv2d on input 1×4×8×8, weight 4×3×3×3, bias 4",
            "3 channels, not 4",
        ),
        (nn.Linear(8, 4), (5,), "cannot run linear on input 1×5, weight 4×8, bias 4", "8 features, not 5"),
        (nn.Conv2d(6, 4, 3, groups=2), (4, 8, 8), "cannot run conv2d on input 1×4×8×8", "6 channels, not 4"),
        (nn.BatchNorm2d(4), (5, 8, 8), "cannot run batch_norm on input 1×5×8×8, weight 4", ""),
        (nn.MaxPool2d(9), (3, 4, 4), "cannot run max_pool2d on self 1×3×4×4", ""),
    ],
)
def test_a_wrong_shape_is_told_with_what_was_expected(
    module: nn.Module, example: tuple[int, ...], message: str, expected: str
) -> None:
    text = told(module, example)
    assert text.split("\n")[0].startswith("tests/capturing/test_faults.py:") or "test_faults.py:" in text
    assert f"wrong-shape: inner ({type(module).__name__}) {message}" in text
    assert (f"  expected: {expected}" in text) == bool(expected)
    assert "return self.inner(x)" in text


def test_a_wrong_type_is_told_with_the_types() -> None:
    text = told(nn.Linear(8, 4).to(torch.bfloat16), ((8,), "float32"))
    assert "cannot run linear on input 1×8 (float32), weight 4×8 (bfloat16), bias 4 (bfloat16)" in text


class Raising(nn.Module):
    def forward(self, x):
        raise LookupError(f"nothing for {x.shape[1]}")


def test_a_module_that_raises_is_named() -> None:
    text = told(Raising(), (8,))
    assert "module-raised: inner (Raising) raised LookupError: nothing for 8" in text
    assert 'raise LookupError(f"nothing for {x.shape[1]}")' in text


class Numpy(nn.Module):
    def forward(self, x):
        return torch.as_tensor(x.numpy() + 1)


class Listing(nn.Module):
    def forward(self, x):
        return x * x.tolist()[0][0]


@pytest.mark.parametrize("module", [Numpy(), Listing()])
def test_what_leaves_torch_stops_and_runs_for_real(module: nn.Module) -> None:
    text = told(module, (8,))
    assert f"module-raised: inner ({type(module).__name__}) raised" in text
    assert "  help:     --real runs it on real tensors" in text
    graph = archscope.capture(module, (8,), real=True)
    assert graph.tensors[graph.outputs[0].tensor].shape == (1, 8)


@torch.library.custom_op("archscope_tests::ruleless", mutates_args=())
def ruleless(x: torch.Tensor) -> torch.Tensor:
    return x.clone()


@torch.library.custom_op("archscope_tests::ruled", mutates_args=())
def ruled(x: torch.Tensor) -> torch.Tensor:
    return x.clone()


@ruled.register_fake
def _(x: torch.Tensor) -> torch.Tensor:
    return torch.empty_like(x)


class Custom(nn.Module):
    def __init__(self, kernel: object) -> None:
        super().__init__()
        self.kernel, self.fc = kernel, nn.Linear(8, 8)

    def forward(self, x):
        return self.fc(self.kernel(x))


def test_a_kernel_without_a_shape_rule_stops_and_runs_for_real() -> None:
    text = told(Custom(ruleless), (8,))
    assert "no-shape-rule: inner (Custom) calls archscope_tests::ruleless on x 1×8, and torch cannot tell" in text
    assert "register a fake implementation of it; --real runs it" in text
    total = archscope.profile(Custom(ruleless), input=(8,), real=True).totals["macs"]
    assert (total.value, total.status, total.missing) == (64, "bound", ("archscope_tests::ruleless",))


def test_a_kernel_without_a_count_is_named_and_its_total_a_bound() -> None:
    total = archscope.profile(Outer(Custom(ruled)), input=(8,)).totals["macs"]
    assert (total.value, total.status, total.missing) == (64, "bound", ("archscope_tests::ruled in inner",))


class Choosing(nn.Module):
    def forward(self, x):
        return torch.cond(x.sum() > 0, lambda y: y + 1, lambda y: y - 1, (x,))


def test_control_flow_of_torch_stops() -> None:
    assert "needs-values: inner (Choosing) calls torch's cond, whose course is only known when it runs" in told(
        Choosing(), (8,)
    )


def test_a_lazy_layer_has_no_shape_yet() -> None:
    text = told(nn.LazyLinear(4), (8,))
    assert text.startswith("uninitialised: inner.weight has no shape yet: its module takes it from its first input")
    assert "run the network once before" in text


def test_a_module_on_the_meta_device_cannot_run_for_real() -> None:
    text = told(nn.Linear(8, 8, device="meta"), (8,), real=True)
    assert text.startswith("no-values: inner.weight is on the meta device and has no values to run on")


def test_a_module_of_one_mode_is_not_put_into_the_other() -> None:
    class Fixed(nn.Module):
        def train(self, mode=True):
            raise NotImplementedError("it was exported")

    text = told(Fixed(), (8,), mode="eval")
    assert text.startswith("fixed-mode: Outer cannot be put into eval mode: it was exported")


def test_torchs_own_refusals_in_train_mode_come_through() -> None:
    text = told(nn.BatchNorm1d(8), (8,), mode="train")
    assert "module-raised: inner (BatchNorm1d) raised ValueError: Expected more than 1 value per channel" in text


class Packing(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(8, 4, batch_first=True)

    def forward(self, x):
        packed = nn.utils.rnn.pack_padded_sequence(x, torch.tensor([5]), batch_first=True)
        return nn.utils.rnn.pad_packed_sequence(self.lstm(packed)[0], batch_first=True)[0]


def test_an_operator_that_only_takes_values_stops() -> None:
    text = told(Packing(), (5, 8))
    assert "needs-values: inner (Packing) calls _pack_padded_sequence, which takes tensors with values only:" in text
    assert "  help:     --real runs it on real tensors" in text


def test_quantized_weights_have_no_shape_rule() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.ao is deprecated, and still in use
        module = torch.ao.quantization.quantize_dynamic(nn.Sequential(nn.Linear(16, 16)), {nn.Linear})
        text = told(module, (16,))
    assert "no-shape-rule: inner.0 (Linear) calls quantized::linear_dynamic on X 1×16, and torch cannot tell" in text


def test_attention_of_ones_own_writing_stops() -> None:
    flex = pytest.importorskip("torch.nn.attention.flex_attention").flex_attention

    class Flexible(nn.Module):
        def forward(self, x):
            return flex(x, x, x)

    text = told(Flexible(), (1, 7, 16))
    assert "module-raised: inner (Flexible) raised ValueError: FlexAttention is only supported on" in text
    assert "  help:     --real runs it on real tensors" in text

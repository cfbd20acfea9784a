"""The largest batch, input and width that fit, and microcontrollers: sizes, advice, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

import pytest
import torch

import archscope
from archscope.api.fits import Fit
from archscope.core.arithmetic import Shape
from archscope.core.errors import ShapeError, Unsupported, UsageError
from archscope.core.records import Call, Optimizer, Setting
from archscope.graph.footprint import inference_course, training_course
from archscope.ops import Elementwise

GIB = 2**30
ADAM = Optimizer("adam", 0.0)


def peak(name: Any, batch: int, *, train: bool = True, **changes: Any) -> int:
    course = training_course if train else inference_course
    return course(archscope.lower(name, batch, **changes), Setting(batch, mode="train")).peak_bytes


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("name", ["vgg11", "resnet18", "squeezenet1_1"])
def test_the_largest_input_fits_and_a_pixel_more_does_not(name: str, train: bool):
    fit = archscope.fit(name, GIB, largest="input", batch=4, train=train)
    assert isinstance(fit.value, int)
    peaks = [peak(name, 4, train=train, input_size=(side, side)) for side in (fit.value, fit.value + 1)]
    assert peaks == [fit.moment.bytes, fit.beyond]
    assert peaks[0] <= GIB < peaks[1]


@pytest.mark.parametrize("name", ["vgg11", "resnet18", "mobilenet_v1"])
def test_the_largest_width_fits_and_one_thirty_second_more_does_not(name: str):
    fit = archscope.fit(name, GIB, largest="width", batch=4)
    assert isinstance(fit.value, Fraction)
    peaks = [peak(name, 4, width=width) for width in (fit.value, fit.value + Fraction(1, 32))]
    assert peaks == [fit.moment.bytes, fit.beyond]
    assert peaks[0] <= GIB < peaks[1]


def test_sizes_at_which_there_is_no_network_are_passed_over():
    """Two branches of BN-Inception round differently: most inputs make none."""
    fit = archscope.fit("bn_inception", 300 * 2**20, largest="input", batch=2)
    assert fit.value == 262
    assert peak("bn_inception", 2, input_size=(262, 262)) <= fit.limit < fit.beyond
    with pytest.raises(ShapeError):
        archscope.lower("bn_inception", 2, input_size=(263, 263))


def test_the_input_that_was_given_is_changed_in_its_sides_only():
    fit = archscope.fit("vgg11", GIB, largest="input", input=["1x96x96"], num_classes=10)
    assert fit.value == archscope.fit("vgg11", GIB, largest="input", in_channels=1, num_classes=10).value
    assert fit.changes == ("num_classes=10", "in_channels=1")


def test_everything_fits_at_most_up_to_where_it_is_looked_for():
    fit = archscope.fit("lenet_tutorial", GIB, largest="width")
    assert (fit.value, fit.beyond) == (4, 0)


def test_where_not_even_the_smallest_fits_it_says_by_how_much():
    fit = archscope.fit("resnet18", 10**8, largest="input", batch=2)
    assert (fit.value, fit.beyond) == (None, 0)
    assert fit.moment.bytes == peak("resnet18", 2, input_size=(1, 1))
    assert fit.too_much == fit.moment.bytes - 10**8


def test_vgg_with_batch_norm_under_adam_does_not_fit_2_gib():
    fit = archscope.fit("vgg16_bn", "2GiB", num_classes=2, optimizer=ADAM)
    parts = fit.moment.parts
    held = sum(parts[part] for part in ("params", "grads", "optimizer"))
    assert (fit.value, held, held - 2 * GIB) == (None, 2_148_434_976, 951_328)
    assert fit.too_much > 951_328


def largest(fit: Fit, name: str, optimizer: Optimizer, **more: Any) -> int:
    """The batch that the advice promises, asked for by itself."""
    found = archscope.fit(name, fit.limit, optimizer=optimizer, **more).value
    assert isinstance(found, int)
    return found


def test_advice_is_what_fits_with_its_largest_batch():
    fit = archscope.fit("vgg16_bn", "2GiB", num_classes=2, optimizer=ADAM)
    advice = dict(fit.advice)
    sgd, plain = Optimizer("sgd", 0.9), Optimizer("sgd", 0.0)
    assert advice.pop("SGD with momentum 0.9") == largest(fit, "vgg16_bn", sgd, num_classes=2)
    assert advice.pop("SGD without momentum") == largest(fit, "vgg16_bn", plain, num_classes=2)
    assert advice.pop("inference only") == largest(fit, "vgg16_bn", ADAM, num_classes=2, train=False)
    ((words, batch),) = advice.items()
    width = Fraction(words.removeprefix("width "))
    assert batch == largest(fit, "vgg16_bn", ADAM, num_classes=2, width=width)
    wider = archscope.fit("vgg16_bn", fit.limit, num_classes=2, optimizer=ADAM, width=width + Fraction(1, 32))
    assert wider.value is None


def test_advice_keeps_the_decay_and_the_way_of_the_step():
    chosen = Optimizer("adam", 0.0, 0.1, "for-loop")
    fit = archscope.fit("vgg16", "2GiB", optimizer=chosen)
    assert fit.value is None
    found = dict(fit.advice)["SGD with momentum 0.9"]
    assert found == largest(fit, "vgg16", Optimizer("sgd", 0.9, 0.1, "for-loop"))


def test_advice_for_a_batch_is_to_accumulate():
    fit = archscope.fit("resnet50", "1GiB", largest="input", batch=20_000)
    assert fit.value is None
    batch = dict(fit.advice)["accumulating gradients over smaller batches"]
    assert batch == archscope.fit("resnet50", "1GiB", grads="resident").value
    single = archscope.fit("resnet50", "100MiB", largest="input")
    assert "accumulating gradients over smaller batches" not in dict(single.advice)


def test_what_has_momentum_already_is_not_advised_to_take_it():
    assert "SGD with momentum 0.9" not in dict(archscope.fit("resnet50", "300MiB").advice)
    plain = archscope.fit("resnet50", "200MiB", optimizer=Optimizer("sgd", 0.0))
    assert not {"SGD with momentum 0.9", "SGD without momentum"} & set(dict(plain.advice))


@pytest.mark.parametrize("name", ["alexnet", "resnext50_32x4d", "lenet5"])
def test_groups_and_fixed_channels_do_not_stand_in_the_way_of_advice(name: str):
    """Some widths make no network, and LeNet-5's connection table allows no other one."""
    fit = archscope.fit(name, "500KB")
    assert fit.value is None
    assert not any(words.startswith("width") for words, _ in fit.advice)


def test_a_module_fits_as_its_table_does_and_has_no_width():
    module = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, padding=1), torch.nn.ReLU(True), torch.nn.Flatten(), torch.nn.Linear(8 * 16 * 16, 10)
    )
    mine = archscope.fit(["conv3-8", "relu", "FC-10"], "1MiB", input=(3, 16, 16))
    its = archscope.fit(module, "1MiB", input=(3, 16, 16))
    assert (its.value, its.moment.bytes, its.beyond) == (mine.value, mine.moment.bytes, mine.beyond)
    assert archscope.fit(module, "1KiB", input=(3, 16, 16)).advice == ()


def test_a_reserve_is_kept_free():
    whole, kept = (archscope.fit("resnet18", 4 * GIB, reserve=its) for its in (0, "1GiB"))
    assert (kept.limit, kept.value) == (3 * GIB, archscope.fit("resnet18", 3 * GIB).value)
    assert whole.value != kept.value


@dataclass(frozen=True)
class Silent(Elementwise):
    """It does not say what it does to memory."""

    notation: ClassVar[str | None] = "silent"

    def torch(self, *inputs: Shape) -> Call:  # noqa: ARG002  the contract's signature
        return Call("nn.Tanh")


def test_an_op_without_a_memory_rule_is_named_and_makes_bounds():
    cells = ["conv3-8", "silent", "conv3-8", "FC-4"]
    known = archscope.load([cell.replace("silent", "tanh") for cell in cells], input=(3, 16, 16))
    spec = archscope.load(cells, input=(3, 16, 16), ops=[Silent])
    use = archscope.memory(spec, 4)
    assert use.missing == ("Silent",)
    assert use.training.bytes < archscope.memory(known, 4).training.bytes
    fit = archscope.fit(spec, "1MB")
    assert fit.missing == ("Silent",)
    assert isinstance(fit.value, int)
    assert fit.value > archscope.fit(known, "1MB").value  # type: ignore[operator]  # a batch
    profile = archscope.profile(use.graph, columns=["train_peak_bytes", "saved_activation_bytes"])
    assert {(total.status, total.missing) for total in profile.totals.values()} == {("bound", ("Silent",))}


EITHER = "2GB (1,000,000,000 B each) or 2GiB (1,073,741,824 B each)"

REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "no unit": (
        lambda: archscope.fit("lenet5", "2G"),
        f"memory is '2G', which may mean two things\n  expected: {EITHER}",
    ),
    "no memory": (
        lambda: archscope.fit("lenet5", 0),
        "memory is 0\n  expected: bytes, or a size with its unit: 2GiB",
    ),
    "less than none": (
        lambda: archscope.fit("lenet5", -1),
        "memory is -1\n  expected: bytes, or a size with its unit: 2GiB",
    ),
    "half a byte": (
        lambda: archscope.fit("lenet5", 0.5),  # type: ignore[arg-type]  # that is the test
        "memory is 0.5\n  expected: bytes, or a size with its unit: 2GiB",
    ),
    "all reserved": (
        lambda: archscope.fit("lenet5", "1GB", reserve="1GiB"),
        "a reserve of 1,073,741,824 B leaves nothing of 1,000,000,000 B",
    ),
    "no such question": (
        lambda: archscope.fit("lenet5", "1GB", largest="depth"),
        "largest is 'depth'\n  expected: batch, input, width",
    ),
    "a batch twice": (
        lambda: archscope.fit("lenet5", "1GB", batch=8),
        "batch is 8, and the largest one is looked for\n  help:     a batch is given for the largest input or width",
    ),
    "whole numbers that train": (
        lambda: archscope.fit("lenet5", "1GB", dtype="int8"),
        "dtype is 'int8'\n  expected: float32, float16, bfloat16, float64",
    ),
    "flash without a unit": (
        lambda: archscope.fit_chip("lenet5", flash="4", ram="1MiB"),
        "flash is '4', without a unit\n  expected: 4MiB or 4GiB",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_question_that_makes_no_sense_is_refused(what: str):
    ask, message = REFUSED[what]
    with pytest.raises(UsageError) as caught:
        ask()
    assert str(caught.value) == f"bad-value: {message}"


def test_no_other_width_can_be_looked_for_where_channels_are_fixed():
    with pytest.raises(Unsupported, match="no-such-knob: the connection table of lenet5 fixes its numbers of channels"):
        archscope.fit("lenet5", "1GiB", largest="width")


def test_a_microcontroller_holds_weights_in_flash_and_activations_in_ram():
    """Most is alive behind the first pointwise convolution: its batch norm makes 14 maps of 14, beside the image."""
    fit = archscope.fit_chip("mobilenet_v1", flash="4MiB", ram="512KiB", width="7/32")
    assert fit.fits
    assert fit.width == Fraction(7, 32)
    graph = archscope.lower("mobilenet_v1", width="7/32")
    norms = sum(buffer.shape[0] for buffer in graph.buffers if buffer.dtype == "float")
    params = archscope.profile(graph).totals["params"].value
    assert fit.weights == params + norms
    assert fit.activations == 3 * 224 * 224 + (14 + 14) * 112 * 112


def test_a_chips_largest_width_fits_and_the_next_does_not():
    for flash, ram in (("4MiB", "512KiB"), ("300KiB", "4MiB")):
        fit = archscope.fit_chip("mobilenet_v1", flash=flash, ram=ram)
        assert fit.width is not None
        at, above = (
            archscope.fit_chip("mobilenet_v1", flash=flash, ram=ram, width=width)
            for width in (fit.width, fit.width + Fraction(1, 32))
        )
        assert (at.fits, above.fits) == (True, False)


def test_a_chip_that_is_too_small_for_any_width_is_said_so():
    fit = archscope.fit_chip("vgg16", flash="1MiB", ram="64KiB")
    assert (fit.fits, fit.width) == (False, None)


def test_a_module_fits_a_chip_as_it_is_or_not_at_all():
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.Flatten(), torch.nn.Linear(8 * 14 * 14, 10))
    fits, not_ = (archscope.fit_chip(module, flash=flash, ram="64KiB", input=(3, 16, 16)) for flash in ("1MiB", "1KiB"))
    assert (fits.weights, fits.fits, fits.width) == (3 * 8 * 9 + 8 + 8 * 14 * 14 * 10 + 10, True, Fraction(1))
    assert (not_.fits, not_.width) == (False, None)


def test_what_a_chip_needs_for_activations_is_two_neighbouring_maps():
    cells = ["conv3-8", "relu", "conv3-4", "maxpool", "FC-10"]
    fit = archscope.fit_chip(cells, flash="1MiB", ram="1MiB", input=(3, 16, 16))
    assert fit.activations == 3 * 256 + 8 * 256 + 4 * 256  # the input is the caller's

"""What memory a network needs: figures measured elsewhere, and what must hold of any network."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import memory_specs

import archscope
from archscope.core.errors import ShapeError
from archscope.core.records import Optimizer, Setting
from archscope.graph.footprint import inference_course, peaks_by_node, training_course
from archscope.graph.lowering import lower
from archscope.ops.dropout import Dropout
from archscope.spec.network import Spec
from archscope.studies.memory_use import PARTS, MemoryUse, memory_use

TORCHVISIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "alexnet": ("alexnet_owt", {"adaptive_pool": True}),
    "vgg16": ("vgg16", {"adaptive_pool": True}),
    "vgg16_bn": ("vgg16_bn", {"adaptive_pool": True}),
    "googlenet": ("googlenet_torchvision", {}),
    "resnet50": ("resnet50_v1_5", {}),
}
"""By torchvision's names."""

MEASURED = [
    ("alexnet", 1, 246_339_744, 3_143_080, 736_042_224),
    ("alexnet", 8, 259_894_432, 25_144_584, 760_815_400),
    ("alexnet", 32, 306_367_648, 100_578_312, 847_599_592),
    ("vgg16", 1, 579_722_400, 72_757_160, 1_722_992_880),
    ("vgg16", 8, 763_767_968, 582_057_224, 2_219_016_488),
    ("vgg16", 32, 1_394_781_344, 2_328_228_872, 3_986_817_512),
    ("vgg16_bn", 1, 579_790_088, 126_981_032, 1_771_297_112),
    ("vgg16_bn", 8, 763_835_656, 1_015_611_656, 2_643_038_608),
    ("vgg16_bn", 32, 1_394_849_032, 4_062_345_224, 5_692_717_648),
    ("googlenet", 1, 59_104_952, 47_764_976, 187_174_024),
    ("googlenet", 8, 108_277_432, 381_697_680, 497_752_448),
    ("googlenet", 32, 276_868_792, 1_526_609_808, 1_664_951_360),
    ("resnet50", 1, 113_479_752, 85_523_880, 370_278_040),
    ("resnet50", 8, 190_750_792, 682_703_624, 940_297_936),
    ("resnet50", 32, 455_680_072, 2_730_177_032, 2_987_610_000),
]
"""Real runs of torchvision's networks on a CPU, torch 2.14.1: allocations of tensors at the peak of an inference, alive
after forward besides the batch, and at the peak of a training step; SGD with momentum, one parameter after another."""


@pytest.mark.parametrize(("name", "batch", "inference", "alive", "step"), MEASURED)
def test_torchvisions_networks_need_what_was_measured_of_them(
    name: str, batch: int, inference: int, alive: int, step: int
):
    network, changes = TORCHVISIONS[name]
    use = archscope.memory(network, batch, device="cpu", **changes)
    loss, kept = 4, use.saved_bytes - use.timeline[0].parts["input"]
    assert (use.inference.bytes, kept + loss, use.training.bytes) == (inference, alive, step)


def test_the_adaptive_pool_of_torchvisions_vgg_keeps_one_more_tensor():
    plain, pooled = (archscope.memory("vgg16", 8, adaptive_pool=its) for its in (False, True))
    assert pooled.saved_bytes - plain.saved_bytes == 8 * 512 * 7 * 7 * 4 == 8 * 100_352
    assert set(pooled.saved) - set(plain.saved) == {"avgpool"}


def test_vgg_with_batch_norm_keeps_its_activations_twice():
    plain, normed = (archscope.memory(name).saved_bytes for name in ("vgg16", "vgg16_bn"))
    assert 1.7 < normed / plain < 1.8


def test_peaks_name_the_layer_and_the_phase():
    use = archscope.memory("vgg16", 8)
    assert (use.inference.phase, use.inference.layer) == ("forward", "conv1_2")
    assert (use.training.phase, use.training.layer) == ("backward", "relu4_3")
    adam = archscope.memory("vgg16", optimizer=Optimizer("adam", 0.0))
    assert (adam.training.phase, adam.training.layer) == ("step", "")


def test_auxiliary_heads_are_in_training_and_not_in_inference():
    with_heads, without = (archscope.memory("googlenet_torchvision", 8, aux=aux) for aux in (True, False))
    assert with_heads.saved_bytes > without.saved_bytes
    assert with_heads.training.bytes > without.training.bytes
    assert with_heads.inference.parts["transient"] == without.inference.parts["transient"]
    assert with_heads.inference.parts["params"] > without.inference.parts["params"]  # they are there all the same


def test_a_gpus_dropout_mask_is_a_quarter_of_a_cpus():
    gpu, cpu = (archscope.memory("alexnet_owt", device=device, adaptive_pool=True) for device in ("cuda", "cpu"))
    assert (gpu.saved_bytes, cpu.saved_bytes) == (3_705_260, 3_745_196)


@pytest.mark.parametrize(
    ("optimizer", "peak", "phase"),
    [
        (Optimizer(), 736_042_224, "backward"),
        (Optimizer("sgd", 0.9, 1e-4), 978_000_000, "step"),
        (Optimizer("adam", 0.0), 1_223_000_000, "step"),
    ],
)
def test_a_gpus_step_may_be_the_peak(optimizer: Optimizer, peak: int, phase: str):
    """alexnet at batch 1: 736, 978 and 1,223 MB; a foreach step makes temporaries for all parameters at once."""
    use = archscope.memory("alexnet_owt", optimizer=optimizer, adaptive_pool=True)
    assert use.training.bytes == pytest.approx(peak, abs=1e6)
    assert use.training.phase == phase


def test_mixed_precision_needs_more_where_weights_weigh_more_than_activations():
    for name, batch, more in (("alexnet_owt", 1, True), ("resnet50_v1_5", 32, False)):
        plain, mixed = (archscope.memory(name, batch, amp=amp).training.bytes for amp in ("", "bfloat16"))
        assert (mixed > plain) == more


def test_resident_gradients_add_themselves_to_the_whole_step():
    plain, resident = (archscope.memory("resnet18", 4, grads=grads) for grads in ("none", "resident"))
    assert plain.timeline[0].parts["grads"] == 0
    assert {moment.parts["grads"] >= resident.inference.parts["params"] for moment in resident.timeline} == {True}


SETTINGS = st.builds(
    Setting,
    batch=st.just(2),
    dtype=st.sampled_from(["float32", "bfloat16"]),
    mode=st.just("train"),
    optimizer=st.builds(
        Optimizer,
        st.sampled_from(["sgd", "adam"]),
        st.sampled_from([0.0, 0.9]),
        st.sampled_from([0.0, 0.1]),
        st.sampled_from(["", "for-loop", "foreach", "fused"]),
    ),
    device=st.sampled_from(["cpu", "cuda"]),
    grads=st.sampled_from(["none", "resident"]),
)


def use_of(spec: Spec, setting: Setting) -> MemoryUse | None:
    try:
        graph = lower(spec, setting.batch)
    except ShapeError:
        return None
    return memory_use(graph, graph, setting)


@settings(max_examples=60)
@given(memory_specs(), SETTINGS)
def test_parts_columns_and_peaks_fit_together(spec: Spec, setting: Setting):
    use = use_of(spec, setting)
    if use is None:
        return
    moments = [use.inference, use.ideal, use.training, *use.timeline]
    assert {tuple(each.parts) for each in moments} == {PARTS}
    assert all(size >= 0 for each in moments for size in each.parts.values())
    assert all(sum(each.parts.values()) == each.bytes for each in moments)
    assert use.training.bytes == max(each.bytes for each in use.timeline)
    assert use.ideal.bytes <= use.inference.bytes
    stored = sum(use.inference.parts[part] for part in ("params", "buffers"))
    assert use.training.bytes >= stored + use.saved_bytes
    first = next(each for each in use.timeline if each.phase == "backward")
    batch = use.timeline[0].parts["input"]
    assert 0 <= first.parts["saved"] + batch - use.saved_bytes <= batch  # what nothing keeps of the batch is there, too


@settings(max_examples=30)
@given(memory_specs(), SETTINGS)
def test_a_step_ends_with_what_it_began_with_and_the_gradients(spec: Spec, setting: Setting):
    use = use_of(spec, setting)
    if use is None:
        return
    phases = list(dict.fromkeys(moment.phase for moment in use.timeline))
    assert phases == ["forward", "loss", "backward", "step"]
    last, params = use.timeline[-1], use.inference.parts["params"]
    assert (last.phase, last.layer, last.parts["saved"]) == ("step", "", 0)
    assert (last.parts["params"], last.parts["grads"]) == (params, params)
    assert last.parts["input"] == use.timeline[0].parts["input"]
    assert {moment.parts["optimizer"] for moment in use.timeline} == {last.parts["optimizer"]}


@settings(max_examples=40)
@given(memory_specs())
def test_more_examples_never_need_less(spec: Spec):
    uses = [use_of(spec, Setting(batch, mode="train")) for batch in (1, 2, 3, 7)]
    for figure in ("inference", "ideal", "training"):
        peaks = [getattr(use, figure).bytes for use in uses if use is not None]
        assert peaks == sorted(peaks)


@settings(max_examples=30)
@given(memory_specs())
def test_columns_of_a_profile_add_up_to_the_same_figures(spec: Spec):
    setting = Setting(2, mode="train")
    use = use_of(spec, setting)
    if use is None or use.graph is None:
        return
    columns = ["saved_activation_bytes", "train_peak_bytes", "param_bytes", "buffer_bytes", "grad_bytes"]
    profile = archscope.profile(use.graph, mode="train", columns=[*columns, "optimizer_state_bytes"])
    totals = {name: total.value for name, total in profile.totals.items()}
    assert {total.status for total in profile.totals.values()} == {"exact"}
    assert totals["saved_activation_bytes"] == use.saved_bytes
    assert totals["train_peak_bytes"] == use.training.bytes
    assert totals["param_bytes"] == totals["grad_bytes"] == totals["optimizer_state_bytes"]
    assert totals["param_bytes"] + totals["buffer_bytes"] == sum(
        use.training.parts[part] for part in ("params", "buffers")
    )
    inference = archscope.profile(use.graph, columns=["inference_peak_bytes", "inference_peak_ideal_bytes"])
    assert [total.value for total in inference.totals.values()] == [use.inference.bytes, use.ideal.bytes]


@pytest.mark.parametrize("name", ["alexnet", "googlenet", "resnet18", "densenet121", "lenet5"])
def test_layers_of_a_profile_have_the_peaks_of_their_own_moments(name: str):
    use = archscope.memory(name, 2)
    profile = archscope.profile(name, 2, mode="train", columns=["saved_activation_bytes", "train_peak_bytes"])
    rows = {row.name: row.values for row in profile.rows}
    assert {layer: values["saved_activation_bytes"] for layer, values in rows.items()} == {
        layer: use.saved.get(layer, 0) for layer in rows
    }
    for layer, values in rows.items():
        assert values["train_peak_bytes"] == max(each.bytes for each in use.timeline if each.layer == layer)


def test_a_dead_network_of_views_needs_its_batch_alone_in_ideal_inference():
    graph = lower(archscope.load(["flatten", "FC-2"], input=(3, 4, 4)), 5)
    setting = Setting(5, mode="train")
    stored, batch = (48 * 2 + 2) * 4, 5 * 48 * 4
    assert inference_course(graph, setting, ideal=True).peak_bytes == stored + batch + 5 * 2 * 4
    assert sum(training_course(graph, setting).saved) == batch + 5 * 8 + 5 * 2 * 4 + 4  # log-soft-max, total weight


def test_a_layer_that_is_called_again_keeps_what_each_of_its_calls_keeps():
    class Twice(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.head = torch.nn.Conv2d(4, 4, 3, padding=1), torch.nn.Linear(4, 3)
            self.gate = torch.nn.Sigmoid()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = self.gate(self.conv(x))
            x = self.gate(self.conv(x))
            return self.head(x.mean((2, 3)))  # type: ignore[no-any-return]

    use = archscope.memory(Twice(), 2, input=(4, 8, 8))
    maps = 2 * 4 * 8 * 8 * 4
    assert (use.saved["conv"], use.saved["gate"]) == (maps, 2 * maps)
    assert use.saved_bytes == sum(training_course(use.graph, use.setting).saved)


def test_the_optimizers_step_comes_last_and_is_no_layers() -> None:
    use = archscope.memory("lenet5", 2, optimizer=Optimizer("adam", implementation="foreach"))
    assert (use.timeline[-1].phase, use.timeline[-1].layer) == ("step", "")
    assert all(moment.layer for moment in use.timeline if moment.phase == "forward")


def test_resident_gradients_are_there_all_the_time() -> None:
    params = 4 * archscope.profile("lenet5").totals["params"].value
    freed, kept = (archscope.memory("lenet5", 2, grads=grads) for grads in ("none", "resident"))
    assert (freed.timeline[0].parts["grads"], kept.timeline[0].parts["grads"]) == (0, params)
    assert kept.timeline[0].bytes == freed.timeline[0].bytes + params


@pytest.mark.parametrize(("inplace", "device", "item"), [(False, "cuda", 1), (True, "cuda", 4), (False, "cpu", 4)])
def test_a_mask_is_a_byte_a_number_in_a_gpus_own_dropout_only(inplace: bool, device: str, item: int) -> None:
    """``native_dropout`` of CUDA makes bits; in place and on a CPU, the mask is what the numbers are multiplied by."""
    cells = ["FC-100", Dropout(0.5, inplace), "FC-10"]
    spec = archscope.load(cells, input=(3, 8, 8))
    assert archscope.memory(spec, 2, device=device).saved["1"] == 2 * 100 * item


def test_what_fits_with_resident_gradients_is_what_their_memory_says() -> None:
    found = archscope.fit("lenet5", "8MiB", grads="resident")
    fitting, more = (archscope.memory("lenet5", found.value + n, grads="resident").training.bytes for n in (0, 1))
    assert fitting == found.moment.bytes <= 2**23 < more


def test_the_bytes_of_the_optimizers_step_are_listed_behind_those_of_the_layers() -> None:
    graph = archscope.lower(["FC-3", "FC-900", "FC-3"], 1, input=(1, 1, 1))
    setting = Setting(1, mode="train", device="cuda", optimizer=Optimizer("adam", implementation="foreach"))
    course = training_course(graph, setting)
    *layers, step = peaks_by_node(graph, setting, course)
    assert course.peak.phase == "step"
    assert step == course.peak_bytes > max(layers)

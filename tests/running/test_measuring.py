"""Predictions against real runs on the CPU: every byte that torch's allocator gave, no dispatch mode watching.

What is left over has a name. Step counters of Adam, 4 B for each parameter, are not counted as optimizer state. A
number that torch multiplies a tensor by, or adds to it, lies in a tensor of its own for a moment: 8 B.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import memory_specs

import archscope
from archscope.core.errors import ShapeError, Unsupported
from archscope.core.records import Optimizer, Setting
from archscope.graph.footprint import inference_course, training_course
from archscope.graph.graph import Graph
from archscope.graph.lowering import lower
from archscope.ops.concat import Concat
from archscope.ops.lrn import LRN
from archscope.ops.plus import Plus
from archscope.ops.times import Times
from archscope.running.measuring import Measured, measured
from archscope.spec.network import Spec

COUNTER, NUMBER = 4, 8

NETWORKS: dict[str, tuple[int, dict[str, Any]]] = {
    "alexnet_owt": (2, {"width": "1/4", "head_width": "1/8"}),
    "vgg11_bn": (2, {"input_size": (64, 64), "head_width": "1/8"}),
    "googlenet_torchvision": (2, {"width": "1/2", "input_size": (96, 96)}),
    "resnet18": (2, {"input_size": (64, 64)}),
    "densenet121": (2, {"input_size": (32, 32), "width": "1/4"}),
    "se_resnet50": (2, {"input_size": (64, 64), "width": "1/4"}),
    "mobilenet_v2": (2, {"input_size": (64, 64)}),
    "vgg11": (1, {"dense": True, "input_size": (256, 256), "width": "1/4", "head_width": "1/16"}),
}
"""Batch and changes: small versions of networks with everything that differs."""

SMALL = {name: NETWORKS[name] for name in ("alexnet_owt", "resnet18", "googlenet_torchvision")}


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """Small tensors take longer on many threads than on one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def graph_of(name: str) -> tuple[Graph, int]:
    batch, changes = NETWORKS[name]
    return archscope.lower(name, batch, **changes), batch


def left_over(graph: Graph, setting: Setting) -> tuple[int, int]:
    """By how many bytes a real inference and a real step take more than predicted."""
    real = measured(graph, setting)
    step = training_course(graph, setting).peak_bytes
    return real.inference_peak - inference_course(graph, setting).peak_bytes, real.train_peak - step


@pytest.mark.parametrize("name", NETWORKS)
def test_a_real_inference_and_a_real_step_take_what_is_predicted(name: str):
    graph, batch = graph_of(name)
    assert left_over(graph, Setting(batch, mode="train", device="cpu")) == (0, 0)


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("dtype", ["bfloat16", "float64"])
def test_other_types_take_what_is_predicted(name: str, dtype: str):
    graph, batch = graph_of(name)
    assert left_over(graph, Setting(batch, dtype, "train", device="cpu")) == (0, 0)


@pytest.mark.parametrize("name", SMALL)
def test_mixed_precision_takes_what_is_predicted(name: str):
    graph, batch = graph_of(name)
    assert left_over(graph, Setting(batch, mode="train", device="cpu", amp="bfloat16")) == (0, 0)


@pytest.mark.parametrize("name", SMALL)
def test_gradients_that_stay_take_what_is_predicted(name: str):
    graph, batch = graph_of(name)
    assert left_over(graph, Setting(batch, mode="train", device="cpu", grads="resident")) == (0, 0)


STEP_IS_THE_PEAK = ["conv3-4", "relu", "FC-64", "relu", "FC-10"]
BACKWARD_IS_THE_PEAK = ["conv3-16", "batchnorm", "relu", "conv3-16", "adaptiveavgpool1", "FC-10"]


@pytest.mark.parametrize("implementation", ["for-loop", "foreach", "fused"])
@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize(("name", "momentum"), [("sgd", 0.0), ("sgd", 0.9), ("adam", 0.0), ("adamw", 0.0)])
def test_every_optimizer_takes_what_is_predicted_and_its_counters(
    name: str, momentum: float, decay: float, implementation: str
):
    setting = Setting(2, mode="train", device="cpu", optimizer=Optimizer(name, momentum, decay, implementation))
    for cells in (STEP_IS_THE_PEAK, BACKWARD_IS_THE_PEAK):
        graph = archscope.lower(cells, 2, input=(3, 16, 16))
        inference, step = left_over(graph, setting)
        counters = COUNTER * len(graph.parameters) if name != "sgd" else 0
        in_step = training_course(graph, setting).peak.phase == "step"
        assert inference == 0
        assert step - counters in ({0, NUMBER} if in_step and implementation == "for-loop" else {0})


def test_one_of_those_networks_has_its_peak_in_the_step_and_one_in_backward():
    setting = Setting(2, mode="train", device="cpu", optimizer=Optimizer("adam", 0.0))
    for cells, phase in ((STEP_IS_THE_PEAK, "step"), (BACKWARD_IS_THE_PEAK, "backward")):
        assert training_course(archscope.lower(cells, 2, input=(3, 16, 16)), setting).peak.phase == phase


@pytest.mark.parametrize("name", ["adam", "adamw"])
def test_on_a_cpu_an_optimizer_takes_one_parameter_after_another_unless_told_otherwise(name: str):
    graph, batch = graph_of("alexnet_owt")
    setting = Setting(batch, mode="train", device="cpu", optimizer=Optimizer(name, 0.0))
    assert left_over(graph, setting) == (0, COUNTER * len(graph.parameters) + NUMBER)


@pytest.mark.parametrize("name", ["lenet5", "alexnet"])
def test_beside_that_only_the_numbers_that_torch_makes_tensors_of_are_left_over(name: str):
    graph = archscope.lower(name, 2, **({"width": "1/4", "head_width": "1/8"} if name == "alexnet" else {}))
    check_numbers(graph, Setting(2, mode="train", device="cpu"))


def check_numbers(graph: Graph, setting: Setting) -> None:
    """Holds that what is left over is at most a tensor for each number of the network."""
    numbers = sum({Times: 1, Plus: 1, LRN: 3}.get(type(node.op), 0) for node in graph.nodes) + len(graph.outputs) - 1
    for left in left_over(graph, setting):
        assert left % NUMBER == 0
        assert 0 <= left <= NUMBER * numbers


@settings(max_examples=30)
@given(memory_specs(), st.integers(1, 3), st.sampled_from(["none", "resident"]))
def test_made_up_networks_take_what_is_predicted(spec: Spec, batch: int, grads: str):
    graph = made(spec, batch)
    if graph is not None:
        check_numbers(graph, Setting(batch, mode="train", device="cpu", grads=grads))


@settings(max_examples=30)
@given(memory_specs())
def test_made_up_networks_take_what_is_predicted_in_mixed_precision(spec: Spec):
    graph = made(spec, 2)
    if graph is not None and not any(isinstance(node.op, LRN) for node in graph.nodes):
        check_numbers(graph, Setting(2, mode="train", device="cpu", amp="bfloat16"))


def made(spec: Spec, batch: int) -> Graph | None:
    try:
        return lower(spec, batch)
    except ShapeError:
        return None


@pytest.mark.parametrize("given", [{}, {"dtype": "bfloat16"}, {"dtype": "float64"}, {"amp": "bfloat16"}])
@pytest.mark.parametrize("norm", ["batchnorm", "groupnorm2", "layernorm"])
def test_norms_keep_their_statistics_in_the_type_that_torch_does(norm: str, given: dict[str, str]):
    graph = archscope.lower(["conv3-4", norm, "adaptiveavgpool1", "FC-3"], 2, input=(2, 14, 12))
    assert left_over(graph, Setting(2, mode="train", device="cpu")._replace(**given)) == (0, 0)


MIXED: dict[str, list[Any]] = {
    "an input is converted after the weights": ["batchnorm", "conv3-4/2", "FC-3"],
    "a sum in place keeps the width of what it overwrites": [
        "tanh",
        {"layers": ["conv1-2"], "skip": "add", "project": "never"},
        "FC-3",
    ],
    "a sum of two widths is as wide as the wider": [
        "batchnorm",
        {"join": "add out-of-place", "branches": [["tanh"], ["conv1-2"]]},
        "conv3-2",
        "FC-3",
    ],
    "a join of two widths is as wide as the wider": [
        "batchnorm",
        {"join": "concat", "branches": [[], ["conv3-8"]]},
        "FC-3",
    ],
    "a slope per channel is computed in 16 bits": ["conv3-4", "prelu", "maxpool", "FC-3"],
}


@pytest.mark.parametrize("words", MIXED)
def test_mixed_precision_converts_as_torch_does(words: str):
    graph = archscope.lower(MIXED[words], 2, input=(2, 15, 16))
    assert left_over(graph, Setting(2, mode="train", device="cpu", amp="bfloat16")) == (0, 0)


@pytest.mark.parametrize("join", ["add out-of-place", "mul"])
def test_three_tensors_are_joined_two_at_a_time(join: str):
    cells = [{"join": join, "branches": [["conv1-8"], ["conv1-8"], ["conv1-8"]]}, "adaptiveavgpool1", "FC-3"]
    graph = archscope.lower(cells, 2, input=(2, 12, 12))
    assert left_over(graph, Setting(2, mode="train", device="cpu")) == (0, 0)


def test_mixed_precision_makes_copies_for_lrn_that_count_as_its_kernels_own():
    graph = archscope.lower(["conv3-4", "LRN", "adaptiveavgpool1", "FC-3"], 2, input=(2, 14, 12))
    setting = Setting(2, mode="train", device="cpu", amp="bfloat16")
    real = measured(graph, setting)
    assert inference_course(graph, setting).peak_bytes == real.inference_with_kernels
    assert training_course(graph, setting).peak_bytes == real.train_peak - NUMBER


def test_a_first_gradient_with_gaps_is_not_added_to():
    """Not what a dispatch mode sees: there no gradient is ever added to."""
    cells = ["conv3-8", "tanh", {"join": "concat", "branches": [[], ["conv11-8"]]}, "adaptiveavgpool1", "FC-3"]
    graph = archscope.lower(cells, 2, input=(2, 12, 12))
    setting = Setting(2, mode="train", device="cpu")
    assert left_over(graph, setting) == (0, 0)
    nodes = [node._replace(op=Whole()) if isinstance(node.op, Concat) else node for node in graph.nodes]
    wrong = training_course(replace(graph, nodes=tuple(nodes)), setting)
    assert wrong.peak_bytes < training_course(graph, setting).peak_bytes


class Whole(Concat):
    """A join that is taken to hand out gradients without gaps."""

    def memory(self, *inputs: Any, setting: Setting) -> Any:
        rule = Concat.memory(self, *inputs, setting=setting)
        assert rule is not None
        return rule._replace(grads="alias")


def test_kernels_take_more_for_themselves_and_that_is_told_apart():
    graph, batch = graph_of("resnet18")
    real = measured(graph, Setting(batch, mode="train", device="cpu"))
    assert isinstance(real, Measured)
    assert real.inference_peak <= real.inference_with_kernels
    assert real.train_peak <= real.train_with_kernels


def test_frozen_parameters_are_frozen_in_the_run_too():
    graph, batch = graph_of("resnet18")
    parameters = tuple(each._replace(trainable=each.key.startswith(("fc", "layer4"))) for each in graph.parameters)
    frozen = replace(graph, parameters=parameters)
    setting = Setting(batch, mode="train", device="cpu", optimizer=Optimizer("adam", 0.0))
    inference, step = left_over(frozen, setting)
    assert inference == 0
    assert step - COUNTER * sum(each.trainable for each in parameters) in {0, NUMBER}


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_nothing_is_measured_on_one():
    graph, batch = graph_of("resnet18")
    with pytest.raises(Unsupported) as caught:
        measured(graph, Setting(batch, mode="train"))
    assert str(caught.value) == ("no-gpu: there is no GPU that torch can use\n  help:     --device cpu, or on the GPU")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("name", ["alexnet_owt", "resnet18", "googlenet_torchvision"])
@pytest.mark.parametrize("optimizer", [Optimizer(), Optimizer("adam", 0.0), Optimizer("sgd", 0.9, 0.1)])
def test_a_gpu_is_asked_for_what_is_predicted(name: str, optimizer: Optimizer):
    """torch's ``requested_bytes``; workspaces of cuBLAS and cuDNN are requests, too, so that it may be more."""
    graph = archscope.lower(name, 8)
    setting = Setting(8, mode="train", optimizer=optimizer)
    inference, step = left_over(graph, setting)
    assert inference >= 0
    assert step >= 0
    assert step <= 0.1 * training_course(graph, setting).peak_bytes

"""Which bytes are alive when: what a graph says is what the built module does, storage by storage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from itertools import accumulate
from random import Random
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from measured import measured, predicted
from strategies import memory_specs
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks
from torch.nn.functional import cross_entropy
from torch.profiler import ProfilerActivity, profile

import archscope
from archscope import catalog
from archscope.core.errors import ShapeError, Unsupported
from archscope.core.records import MemoryRule, Setting
from archscope.graph.graph import Graph
from archscope.graph.liveness import training
from archscope.graph.lowering import lower
from archscope.ops import Op, find
from archscope.spec.network import Spec
from archscope.targets.torch_module import module_of

DEEPER = {
    "densenet169", "densenet201", "densenet264", "inception_resnet_v2", "inception_resnet_v2_10_20_10",
    "inception_resnet_v2_released", "resnet101", "resnet152", "resnet101_v1_5", "resnet152_v1_5", "resnet32",
    "resnet44", "resnet56", "resnet110", "resnext_resnet50", "senet_resnet50", "wide_resnet50_2", "wide_resnet101_2",
}  # fmt: skip
"""More of the blocks that others have: ``tests/benchmarks/memory.py`` measures them, too."""

NETWORKS = [name for name in catalog.everything() if name not in DEEPER]

FAKED = ["alexnet", "resnet20", "squeezenet1_1"]


def graph_of(spec: Spec, batch: int = 2) -> Graph | None:
    """The graph, for a network whose sizes fit."""
    try:
        return lower(spec, batch)
    except ShapeError:
        return None


@pytest.mark.parametrize("name", NETWORKS)
def test_peaks_and_saved_bytes_are_those_of_the_module_to_the_byte(name: str):
    graph = archscope.lower(name, 2)
    assert predicted(graph) == measured(graph)


def test_the_networks_that_are_left_out_have_the_ops_of_others():
    ops = {name: {type(node.op) for node in archscope.lower(name).nodes} for name in catalog.everything()}
    assert ops.keys() > DEEPER
    assert set().union(*ops.values()) == set().union(*(ops[name] for name in NETWORKS))


@pytest.mark.parametrize("name", FAKED)
def test_fake_tensors_take_what_meta_tensors_take(name: str):
    graph = archscope.lower(name, 2)
    assert measured(graph, fake=True) == measured(graph)


@pytest.mark.parametrize(
    ("name", "dtype"), [("alexnet_owt", "bfloat16"), ("squeezenet1_1", "bfloat16"), ("resnet20", "float64")]
)
def test_other_types_take_what_they_take(name: str, dtype: str):
    graph = archscope.lower(name, 2)
    assert predicted(graph, dtype) == measured(graph, getattr(torch, dtype))


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("vgg11", {"adaptive_pool": True}),
        ("vgg11", {"dense": True, "input_size": (256, 288)}),
        ("vgg16", {"bn": "conv+fc", "head": "gap", "num_classes": 7}),
        ("googlenet_torchvision", {"aux": False, "in_channels": 1}),
        ("resnet18", {"width": "1/2", "softmax": True}),
    ],
)
def test_changed_networks_take_what_they_take(name: str, changes: dict[str, Any]):
    graph = archscope.lower(name, 3, **changes)
    assert predicted(graph) == measured(graph)


@settings(max_examples=60)
@given(memory_specs(), st.integers(1, 3))
def test_made_up_networks_take_what_they_take(spec: Spec, batch: int):
    graph = graph_of(spec, batch)
    assert graph is None or predicted(graph) == measured(graph)


@settings(max_examples=40)
@given(memory_specs(), st.randoms(use_true_random=False))
def test_networks_with_frozen_parameters_take_what_they_take(spec: Spec, random: Random):
    graph = graph_of(spec)
    if graph is None:
        return
    frozen = frozen_in(graph, [random.random() < 0.5 for _ in graph.parameters])
    try:
        mine = predicted(frozen)
    except Unsupported as error:
        assert error.problems[0].code == "nothing-to-train"  # noqa: PT017
        return
    assert mine == measured(frozen)


def frozen_in(graph: Graph, which: list[bool]) -> Graph:
    pairs = zip(graph.parameters, which, strict=True)
    return replace(graph, parameters=tuple(each._replace(trainable=not its) for each, its in pairs))


def test_a_frozen_backbone_keeps_next_to_nothing():
    graph = archscope.lower("resnet18", 2)
    frozen = frozen_in(graph, [not each.key.startswith("fc.") for each in graph.parameters])
    assert predicted(frozen) == measured(frozen)
    assert 0 < sum(training(frozen, Setting(2)).saved) < sum(training(graph, Setting(2)).saved) // 1000


def test_where_nothing_is_trainable_there_is_no_step():
    graph = archscope.lower("lenet5", 2)
    with pytest.raises(Unsupported) as caught:
        training(frozen_in(graph, [True] * len(graph.parameters)), Setting(2))
    assert str(caught.value) == "nothing-to-train: no parameter that the outputs depend on is trainable"


BROKEN: dict[str, tuple[list[Any], dict[str, Any]]] = {
    "a ReLU that keeps nothing": (["relu", "adaptiveavgpool1", "FC-3"], {"saved": ()}),
    "a ReLU that takes new memory": (["relu", "adaptiveavgpool1", "FC-3"], {"out": "new"}),
    "a pool that keeps no indices": (["maxpool", "FC-3"], {"saved": ("input0",)}),
    "a pool that makes no indices": (["maxpool", "FC-3"], {"aux": (), "saved": ("input0",)}),
    "a batch norm without statistics": (["batchnorm", "FC-3"], {"aux": ()}),
    "a dropout without a mask": (["dropout", "FC-3"], {"aux": ()}),
    "a tanh that keeps its input": (["tanh", "conv3-4", "FC-3"], {"saved": ("input0",)}),
    "an FC layer that keeps nothing": (["FC-30", "FC-3"], {"saved": (), "factors": False}),
    "a constant whose gradient is new": (["plus 1", "adaptiveavgpool1", "FC-3"], {"grads": "new"}),
    "a join whose gradients are new": (
        [{"join": "concat", "branches": [["conv1-4"], ["conv1-4"]]}, "adaptiveavgpool1", "FC-3"],
        {"grads": "new"},
    ),
    "a sum whose gradients are new": (
        [{"join": "add", "branches": [["conv1-8"], ["conv1-8"]]}, "adaptiveavgpool1", "FC-3"],
        {"grads": "new"},
    ),
    "a gate that is never stretched": (
        [{"join": "mul", "branches": [[], ["adaptiveavgpool1", "conv1-4"]]}, "adaptiveavgpool1"],
        {"transient": 0},
    ),
    "a slice that takes new memory": (["slice0:2", "FC-3"], {"out": "new"}),
}
"""Cells behind a convolution, and what is wrong with the rule of one of their ops, the first of its kind."""

KINDS = {
    "a ReLU": "relu", "a pool": "maxpool", "a batch norm": "batchnorm", "a dropout": "dropout", "a tanh": "tanh",
    "an FC": "fc", "a constant": "plus", "a join": "concat", "a sum": "add", "a gate": "mul", "a slice": "slice",
}  # fmt: skip


@pytest.mark.parametrize("mistake", BROKEN)
def test_a_rule_that_is_wrong_is_noticed(mistake: str):
    cells, changed = BROKEN[mistake]
    letters = next(its for words, its in KINDS.items() if mistake.startswith(words))
    graph = archscope.lower(["conv3-4", *cells], 2, input=(2, 12, 12))
    assert predicted(graph) == measured(graph)
    kind = find(letters)
    assert kind is not None
    nodes = [node._replace(op=with_rule(node.op, changed)) if type(node.op) is kind else node for node in graph.nodes]
    assert predicted(replace(graph, nodes=tuple(nodes))) != measured(graph)


def with_rule(op: Op, changed: dict[str, Any]) -> Op:
    """The op with another memory rule."""
    kind = type(op)

    def memory(self: Any, *shapes: Any, setting: Setting) -> MemoryRule:
        rule = kind.memory(self, *shapes, setting=setting)
        assert rule is not None
        return rule._replace(**changed)

    return same_with(op, memory)


def same_with(op: Op, memory: Callable[..., MemoryRule | None]) -> Op:
    made: Any = type(f"Other{type(op).__name__}", (type(op),), {"memory": memory})
    other: Op = made(**{each.name: getattr(op, each.name) for each in fields(op)})
    return other


@settings(max_examples=40)
@given(memory_specs(), st.randoms(use_true_random=False))
def test_without_the_rules_of_some_ops_all_figures_are_lower_bounds(spec: Spec, random: Random):
    graph = graph_of(spec)
    if graph is None:
        return
    nodes = [node._replace(op=same_with(node.op, unknown)) if random.random() < 0.3 else node for node in graph.nodes]
    bounds = predicted(replace(graph, nodes=tuple(nodes)))
    assert all(bound <= exact for bound, exact in zip(bounds, predicted(graph), strict=True))


def unknown(self: Any, *shapes: Any, setting: Setting) -> None:
    """A memory rule that there is not."""


def test_a_relu6_in_place_copies_what_it_overwrites_in_training_only():
    graph = archscope.lower(["conv1-4", "relu6", "adaptiveavgpool1", "FC-3"], 2, input=(2, 12, 12))
    assert predicted(graph) == measured(graph)
    maps = 2 * 4 * 12 * 12 * 4
    assert predicted(graph).inference_peak < 2 * maps < 4 * maps < predicted(graph).train_peak + maps


def test_a_loss_of_weight_1_is_multiplied_by_nothing():
    graph = archscope.lower(["FC-1"], 1, input=(1, 1, 1))
    assert predicted(graph) == measured(graph)


def test_autograd_adds_a_second_gradient_to_the_first_one_in_place():
    """Nothing watches here: what torch's allocator was asked for, which has a third fewer of the largest tensors."""
    ways = {"join": "add", "branches": [["FC-1"], ["FC-1"], ["FC-1"]]}
    graph = archscope.lower(["FC-2000", ways, "FC-2"], 64, input=(4, 1, 1))
    course = training(graph, Setting(64, device="cpu"))
    model, images, target = module_of(graph).train(), torch.rand(64, 4, 1, 1), torch.zeros(64, dtype=torch.int64)
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as watched:
        cross_entropy(model(images), target).backward()
    asked = [each.nbytes() for each in watched.profiler.kineto_results.events() if each.name() == "[memory]"]
    assert max(step.alive for step in course.steps) == images.nbytes + target.nbytes + max(accumulate(asked))


def test_local_response_norm_keeps_wide_numbers_under_autocast_of_a_cpu():
    graph = archscope.lower(["conv1-8", "LRN", "FC-2"], 2, input=(3, 8, 8))
    model, images, target = module_of(graph).train(), torch.rand(2, 3, 8, 8), torch.zeros(2, dtype=torch.int64)
    stored = {each.untyped_storage().data_ptr() for each in model.parameters()}
    kept: dict[int, Tensor] = {}

    def keep(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    with saved_tensors_hooks(keep, lambda tensor: tensor), torch.autocast("cpu", torch.bfloat16):
        cross_entropy(model(images), target)
    bytes_kept = sum(each.untyped_storage().nbytes() for place, each in kept.items() if place not in stored)
    assert sum(training(graph, Setting(2, device="cpu", amp="bfloat16")).saved) == bytes_kept

"""Every number of every shipped network derived: what is printed evaluates to what the profile counts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any, ClassVar

import pytest
from printed_formulas import evaluate

import archscope
from archscope import catalog
from archscope.analyses.receptive_field import fields
from archscope.core.arithmetic import Shape
from archscope.core.records import Setting
from archscope.graph.graph import Graph, Node
from archscope.ops import Op
from archscope.studies.explaining.derivation import Derivation, Step, derivation, first_users
from archscope.studies.explaining.keeping import QUANTITY, kept_step
from archscope.studies.explaining.sight import field_steps
from archscope.studies.explaining.symbols import symbolic

NETWORKS = list(catalog.everything())
COUNTS = ("params", "macs", "activations")
SIGHT = ("receptive_field", "jump", "start")


@cache
def graph_of(network: str, batch: int = 1) -> Graph:
    return archscope.lower(network, batch)


def node_of(network: Any, name: str, batch: int = 1) -> tuple[Graph, Node]:
    graph = graph_of(network, batch) if isinstance(network, str) else archscope.lower(network, batch)
    return graph, next(node for node in graph.nodes if node.name == name)


def derived(network: Any, name: str, batch: int = 1) -> Derivation:
    graph, node = node_of(network, name, batch)
    return derivation(graph, node, Setting(batch), first_users(graph))


def check(step: Step, values: dict[str, int]) -> None:
    """Holds that a step's formula comes to its value, with numbers and with symbols."""
    assert not step.symbols or evaluate(step.symbols, values) == step.value, step
    assert not step.numbers or evaluate(step.numbers) == step.value, step


_checked: dict[Any, tuple[Any, ...]] = {}


def counts_of(graph: Graph, node: Node, setting: Setting, users: dict[int, str]) -> tuple[Any, ...]:
    """Output shape, params, MACs and activations as derived, each formula checked, once for each op and its sizes."""
    key = (node.op, graph.shapes_in(node), setting)
    if key not in _checked:
        found = derivation(graph, node, setting, users)
        values = symbolic(graph, node).values
        for step in found.sizes:
            check(step, values)
            values[step.left] = step.value
        for step in (found.params, found.macs, found.activations):
            check(step, values)
        shape = [values[name] if name else size for name, size in _named(found, graph.shape_out(node)[1:])]
        _checked[key] = (tuple(shape), found.params.value, found.macs.value, found.activations.value)
    return _checked[key]


def _named(found: Derivation, shape: Shape) -> list[tuple[str, int]]:
    """The sizes of an output with the symbol of the step that derives it."""
    names = {"C′": 0, "F′": 0, "M′_h": 1, "M′_w": 2}
    by_place = {names[step.left]: step.left for step in found.sizes if step.left in names}
    by_place |= {place: "M′" for step in found.sizes if step.left == "M′" for place in (1, 2)}
    return [(by_place.get(place, ""), size) for place, size in enumerate(shape)]


@pytest.mark.parametrize("network", NETWORKS)
def test_sizes_params_macs_and_activations_are_the_profiles(network: str) -> None:
    graph = graph_of(network)
    users = first_users(graph)
    rows = archscope.profile(graph, mode="train", columns=("output_shape", *COUNTS)).rows
    for node, row in zip(graph.nodes, rows, strict=True):
        assert counts_of(graph, node, Setting(mode="train"), users) == tuple(row.values.values()), (network, node.name)


@pytest.mark.parametrize("network", NETWORKS)
def test_receptive_fields_are_the_profiles(network: str) -> None:
    graph = graph_of(network)
    found, seen = fields(graph), set()
    for node, row in zip(graph.nodes, archscope.profile(graph, mode="train", columns=SIGHT).rows, strict=True):
        before = [found[tensor] for tensor in node.inputs]
        key = (*((field and tuple(reach[:3] for reach in field.axes)) for field in before), node.op.window)
        if key in seen:
            continue
        seen.add(key)
        steps = field_steps(graph, node, found)
        for step in steps:
            assert not step.numbers or evaluate(step.numbers) == step.value, (network, node.name, step)
        for quantity in SIGHT:
            values = tuple(step.value for step in steps if step.quantity == quantity)
            expected = row.values[quantity]
            assert values in {(expected,), expected, (expected,) * 2}, (network, node.name, quantity)


@pytest.mark.parametrize("network", ["vgg16", "googlenet_lrn", "lenet5", "resnet18", "mobilenet_v2", "se_resnet50"])
def test_kept_bytes_are_those_of_the_memory_model(network: str) -> None:
    graph = graph_of(network)
    rows = archscope.profile(graph, mode="train", columns=(QUANTITY,)).rows
    explained = 0
    for node, row in list(zip(graph.nodes, rows, strict=True))[:60]:
        step = kept_step(graph, node, Setting())
        assert step.value == row.values[QUANTITY], node.name
        assert not step.numbers or evaluate(step.numbers) == step.value, step
        explained += bool(step.numbers) or step.value == 0
    assert (
        explained >= min(len(rows), 60) - 3
    )  # what torch makes of several calls, and the layers whose loss keeps more


def test_a_convolution_of_vgg_reads_as_on_a_slide() -> None:
    found = derived("vgg16", "conv2_1")
    assert found.sizes[0][:5] == ("output side", "M′", "⌊(M − K + 2P)/S⌋ + 1", "⌊(112 − 3 + 2·1)/1⌋ + 1", 112)
    assert found.params[2:5] == ("(K·K·C)·C′ + C′", "(3·3·64)·128 + 128", 73_856)
    assert found.weights == ("(K·K·C)·C′", "(3·3·64)·128", 73_728)
    assert found.macs[2:5] == ("(M′·M′·C′)·(K·K·C)", "(112·112·128)·(3·3·64)", 924_844_032)
    assert found.activations[2:5] == ("C′·M′·M′", "128·112·112", 1_605_632)
    assert {term.symbol: term.value for term in found.terms} == {"M": 112, "C": 64, "K": 3, "C′": 128, "S": 1, "P": 1}


def test_an_fc_layer_behind_a_map_shows_what_was_flattened() -> None:
    found = derived("vgg16", "fc6")
    assert found.params[2:5] == ("F·F′ + F′", "(7·7·512)·4,096 + 4,096", 102_764_544)
    assert derived("vgg16", "fc7").params.numbers == "4,096·4,096 + 4,096"


def test_groups_divide_the_channels_that_a_kernel_sees() -> None:
    spec = archscope.load(["a: conv3-32 groups=4"], input=(16, 8, 8))
    found = derived(spec, "a")
    assert found.params[2:5] == ("(K·K·C/G)·C′ + C′", "(3·3·16/4)·32 + 32", 1_184)
    assert found.macs[2:5] == ("(M′·M′·C′)·(K·K·C/G)", "(8·8·32)·(3·3·16/4)", 73_728)


def test_a_batch_multiplies_macs_and_activations() -> None:
    found = derived("vgg16", "conv2_1", batch=8)
    assert found.macs[2:5] == ("(N·M′·M′·C′)·(K·K·C)", "(8·112·112·128)·(3·3·64)", 8 * 924_844_032)
    assert found.activations.numbers == "8·128·112·112"
    assert found.params.value == 73_856


def test_what_makes_nothing_says_why() -> None:
    assert derived("vgg16", "relu1_1").activations.remarks == ("it overwrites its input",)
    assert derived("vgg16", "flatten").activations.remarks == ("it is a view of its input",)
    assert derived("vgg16", "pool1").macs.remarks == ("nothing is multiplied and added up",)
    assert derived("vgg16_bn", "bn1_1").params.remarks == ("weight + bias",)


@dataclass(frozen=True, slots=True)
class Riddle(Op):
    """An op without rules."""

    notation: ClassVar[str | None] = "riddle"

    def out_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]


def test_an_op_without_rules_is_said_to_have_none() -> None:
    spec = archscope.load(["riddle"], input=(1, 8, 8), ops=[Riddle])
    graph, node = node_of(spec, archscope.lower(spec).nodes[0].name)
    found = derivation(graph, node, Setting(), {})
    assert (found.macs.value, found.macs.remarks) == (None, ("the op has no rule for it",))
    assert (found.activations.value, found.activations.remarks) == (None, ("the op has no memory rule",))
    assert kept_step(graph, node, Setting()).remarks == ("the op has no memory rule",)
    assert field_steps(graph, node, fields(graph))[0].remarks == ("an op does not say what it sees",)


def test_a_shared_parameter_counts_where_it_is_used_first() -> None:
    graph = archscope.lower(archscope.load(["a: conv3-4", "b: conv3-4"], input=(4, 8, 8)))
    nodes = (graph.nodes[0], graph.nodes[1]._replace(parameters=graph.nodes[0].parameters))
    shared = replace(graph, nodes=nodes)
    found = derivation(shared, nodes[1], Setting(), first_users(shared))
    assert (found.params.value, found.params.remarks) == (0, ("shared with a, and counted there",))
    assert archscope.profile(shared).rows[1].values["params"] == 0


def test_what_backward_keeps_names_the_layer_that_kept_it_before() -> None:
    graph, node = node_of("vgg16", "conv3_2")
    assert kept_step(graph, node, Setting())[4:7] == (0, "bytes", ("its input: kept by relu3_1 already",))
    graph, node = node_of("vgg16", "pool1")
    assert kept_step(graph, node, Setting()).remarks[1] == "its indices: 8 bytes each"

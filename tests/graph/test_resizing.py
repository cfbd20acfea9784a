"""Graphs with other sizes: lowered from arrays and symbols, or resized after they were lowered."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import sympy

import archscope
from archscope.core.arithmetic import PointsDiffer, Ratio, unusable_points
from archscope.core.counts import Counts
from archscope.core.errors import ShapeError
from archscope.core.records import Setting
from archscope.graph.graph import Graph
from archscope.graph.resizing import resized
from archscope.ops.conv import Conv
from archscope.studies.profiling import totals

COLUMNS = ("params", "macs", "activations", "weight_layers")
NETWORKS = ("lenet5", "alexnet", "vgg16", "googlenet", "resnet20", "mobilenet_v2", "densenet121", "se_resnet50")


def values(graph: Graph) -> dict[str, object]:
    return {name: total.value for name, total in totals(graph, Setting(), COLUMNS).items()}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_graph_resized_to_another_input_and_batch_is_the_one_that_lowering_gives(name: str):
    spec = archscope.load(name)
    height, width = (size + 64 for size in spec.input_shape[1:])
    there = archscope.lower(spec, 3, input_size=(height, width))
    again = resized(archscope.lower(spec), (3, spec.input_shape[0], height, width))
    assert replace(again, changes=()) == replace(there, changes=())


def test_other_ops_may_stand_in_a_resized_graph():
    graph = archscope.lower(["conv3-8", "relu", "conv3-16"], input=(3, 32, 32))
    again = resized(graph, (1, 3, 32, 32), ops={0: Conv(5, 20)})
    assert [parameter.shape for parameter in again.parameters] == [(20, 3, 5, 5), (20,), (16, 20, 3, 3), (16,)]
    assert again.nodes[0].op == Conv(5, 20)


def test_a_resized_graph_says_at_which_cell_the_sizes_do_not_fit():
    with pytest.raises(ShapeError, match=r"vgg\.toml") as caught:
        resized(archscope.lower("vgg16"), (1, 3, 16, 16))
    assert "a pool of 2 is larger than its padded input 1" in str(caught.value)


def test_the_formula_of_a_network_comes_from_the_rules_that_count():
    n, k, c, w = sympy.symbols("n k c w", positive=True, integer=True)
    graph = archscope.lower("vgg16", n, input_size=(32 * k, 32 * k), num_classes=c, width=Ratio(w, 1))
    found = values(graph)
    assert sympy.expand(found["params"]) == sympy.expand(
        14_708_736 * w**2 + 5_952 * w + 2_097_152 * k**2 * w + 16_785_408 + 4_097 * c
    )
    for numbers in ({n: 1, k: 7, c: 1000, w: 1}, {n: 3, k: 4, c: 10, w: 2}):
        size = 32 * numbers[k]
        profile = archscope.profile(
            "vgg16", numbers[n], input_size=(size, size), num_classes=numbers[c], width=numbers[w]
        )
        for name in ("params", "macs", "activations"):
            assert found[name].subs(numbers) == profile.totals[name].value
    again = values(resized(archscope.lower("vgg16"), (n, 3, 32 * k, 32 * k)))
    assert sympy.expand(again["macs"] - values(archscope.lower("vgg16", n, input_size=(32 * k, 32 * k)))["macs"]) == 0


def test_a_graph_of_arrays_has_the_numbers_of_each_point_and_knows_where_there_is_none():
    widths, sizes = np.array([[1], [3], [8]]), np.array([[31, 32, 64]])
    with unusable_points() as failures:
        graph = archscope.lower("vgg16", 2, width=Ratio(Counts(widths), 8), input_size=(Counts(sizes), Counts(sizes)))
        found = values(graph)
    unusable = np.logical_or.reduce([np.broadcast_to(each.points, (3, 3)) for each in failures])
    assert unusable.tolist() == 3 * [[True, False, False]]
    for (x, y), wrong in np.ndenumerate(unusable):
        size = int(sizes[0, y])
        if wrong:
            with pytest.raises(ShapeError):
                archscope.lower("vgg16", input_size=(size, size))
            continue
        profile = archscope.profile("vgg16", 2, columns=COLUMNS, width=f"{widths[x, 0]}/8", input_size=(size, size))
        for name in ("params", "macs", "activations"):
            assert np.broadcast_to(found[name].values, (3, 3))[x, y] == profile.totals[name].value


def test_points_of_different_structure_are_not_lowered_together():
    # At 1/64 every stage has a channel or two, so that more blocks have a skip than at full width.
    with pytest.raises(PointsDiffer):
        archscope.lower("mobilenet_v2", width=Ratio(Counts(np.array([1, 64])), 64))


def test_a_batch_that_is_no_whole_number_is_refused():
    with pytest.raises(ShapeError, match=r"an input of 1\.5 examples"):
        archscope.lower("vgg16", 1.5)

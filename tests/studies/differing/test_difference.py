"""``diff``: what differs is said in words, once, at its place; what is only written differently is told apart."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zoo import TABLES

import archscope
from archscope import catalog
from archscope.core.errors import Unsupported
from archscope.core.source import Source
from archscope.graph.graph import Graph
from archscope.ops.conv import Conv
from archscope.spec.compiler import compile_table
from archscope.spec.table import read_table
from archscope.studies.differing import alignment
from archscope.studies.differing.difference import Difference

VGG_D = [
    *["conv3-64", "relu"] * 2, "maxpool", *["conv3-128", "relu"] * 2, "maxpool", *["conv3-256", "relu"] * 3, "maxpool",
    *["conv3-512", "relu"] * 3, "maxpool", *["conv3-512", "relu"] * 3, "maxpool",
    "FC-4096", "relu", "dropout", "FC-4096", "relu", "dropout", "FC-1000",
]  # fmt: skip


LONG, SHORT = ["conv3-8", *["conv5-16"] * 33, "conv3-8"], ["conv3-8", *["conv1-4"] * 16, "conv3-8"]


def texts(found: tuple[Difference, ...]) -> list[str]:
    return [str(each) for each in found]


def changed(stem: str, network: str, *pairs: tuple[str, str]) -> Graph:
    """A network of a shipped table with some of its text replaced."""
    text = (TABLES / f"{stem}.toml").read_text(encoding="utf-8")
    for before, after in pairs:
        assert before in text
        text = text.replace(before, after)
    return archscope.lower(compile_table(read_table(Source("net.toml", text)), network), softmax=False)


@pytest.mark.parametrize("name", sorted(catalog.everything()))
def test_no_network_differs_from_itself(name: str) -> None:
    graph = archscope.lower(name)
    assert archscope.diff(graph, graph) == ()
    assert archscope.diff(name, archscope.lower(name, batch=3)) == ()


def test_torchvisions_googlenet_differs_from_the_paper_in_what_is_known_of_it() -> None:
    found = archscope.diff("googlenet_torchvision", "googlenet_lrn")
    assert [str(each) for each in found if each.matters] == [
        "all 59 convs: no bias, spec has one",
        "after all 59 convs: batchnorm eps=0.001 added",
        "after maxpool1: LRN alpha=0.0001 k=1.0 missing",
        "after conv3: LRN alpha=0.0001 k=1.0 missing",
        "branch3.1 in 9 modules, inception3a … inception5b: kernel 3×3, spec 5×5",
        "maxpool4: kernel 2×2, spec 3×3",
        "dropout: dropout 0.2, spec 0.4",
        "aux1.avgpool, aux2.avgpool: adaptiveavgpool4, spec avgpool5/3",
    ]
    assert [str(each) for each in found if not each.matters] == [
        "branch4.0 in 9 modules, inception3a … inception5b: rounds up, spec down: the same windows",
        "avgpool: adaptiveavgpool, spec avgpool7/1: the same windows",
    ]


def test_a_difference_has_both_values_and_every_place() -> None:
    kernel = next(each for each in archscope.diff("googlenet_torchvision", "googlenet") if each.aspect == "kernel_size")
    assert (kernel.network, kernel.spec) == ((3, 3), (5, 5))
    assert kernel.places == tuple(
        f"inception{name}.branch3.1" for name in ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b")
    )


def test_a_conv_fewer_is_counted_by_block_and_depth() -> None:
    found = archscope.diff(archscope.lower("vgg16", blocks=[2, 2, 2, 3, 3]), "vgg16")
    assert texts(found) == ["conv3_3: one conv fewer in block 3: 15 weight layers, not 16"]
    assert texts(archscope.diff("vgg13", "vgg11")) == [
        "conv1_2: one conv more in block 1: 13 weight layers, not 11",
        "conv2_1: one conv more in block 2: 13 weight layers, not 11",
    ]


def test_a_wrong_cell_is_named_with_its_module() -> None:
    row = "| inception (4e) |                   | 14×14×832   | 2     | 256  | 160         | 320"
    found = archscope.diff(changed("googlenet", "googlenet", (row, row.replace("| 256 ", "| 208 "))), "googlenet")
    assert texts(found) == ["inception4e.branch1: 208 channels, spec 256"]


def test_the_auxiliary_heads_are_compared_too() -> None:
    half = changed("googlenet", "googlenet", ("dropout 70%", "dropout 50%"))
    assert texts(archscope.diff(half, "googlenet")) == ["aux1.dropout, aux2.dropout: dropout 0.5, spec 0.7"]
    moved = changed("googlenet", "googlenet", ('after = "inception4d"', 'after = "inception4c"'))
    assert "aux_logits2: starts after inception4c, spec after inception4d" in texts(archscope.diff(moved, "googlenet"))
    assert texts(archscope.diff(archscope.lower("googlenet", aux=False), "googlenet")) == [
        "aux_logits1: auxiliary head after inception4a missing",
        "aux_logits2: auxiliary head after inception4d missing",
    ]


def test_the_order_of_outputs_is_compared() -> None:
    graph = archscope.lower("googlenet")
    main, second, first = graph.outputs
    swapped = replace(graph, outputs=(main, first, second))
    assert texts(archscope.diff(swapped, graph)) == [
        "outputs in the order classifier, head 1, head 2; spec classifier, head 2, head 1"
    ]


def test_branches_are_matched_by_what_they_do_and_their_order_is_said() -> None:
    three, five = '["conv1-{#3×3 reduce}", "conv3-{#3×3}"]', '["conv1-{#5×5 reduce}", "conv5-{#5×5}"]'
    swapped = changed("googlenet", "googlenet", (f"{three},\n  {five}", f"{five},\n  {three}"))
    (found,) = archscope.diff(swapped, "googlenet")
    assert found.aspect == "branches"
    assert found.what == "branches in the order 1, 3, 2, 4 of the spec's"
    assert len(found.places) == 9


def test_a_branch_and_a_block_that_are_missing_are_named() -> None:
    lacking = changed("googlenet", "googlenet", ('  ["conv1-{#5×5 reduce}", "conv5-{#5×5}"],\n', ""))
    assert texts(archscope.diff(lacking, "googlenet"))[0] == "inception3a: branch conv1-16 + conv5-32 missing"
    assert texts(archscope.diff("resnet18", "resnet34"))[0] == (
        "layer1.2: block of two weight layers (conv3-64 no-bias + conv3-64 no-bias | shortcut) missing"
    )


def test_names_decide_nothing() -> None:
    plain = archscope.lower(archscope.load(VGG_D, input=(3, 224, 224)))
    assert archscope.diff(plain, "vgg16") == ()
    shorter = archscope.load([cell for n, cell in enumerate(VGG_D) if n not in {10, 11}], input=(3, 224, 224))
    assert [each.what for each in archscope.diff(shorter, "vgg16")] == [
        "one conv fewer in block 3: 15 weight layers, not 16"
    ]


def test_how_a_pool_rounds_matters_where_something_is_left_over() -> None:
    down = archscope.load(["conv3-8", "maxpool3/2", "FC-10"], input=(3, 32, 32))
    up = archscope.load(["conv3-8", "maxpool3/2 ceil", "FC-10"], input=(3, 32, 32))
    (found,) = archscope.diff(down, up)
    assert found.matters
    assert found.what == "rounds down, spec up: 15×15, spec 16×16"
    (same,) = archscope.diff(replace(down, input_shape=(3, 33, 33)), replace(up, input_shape=(3, 33, 33)))
    assert not same.matters
    assert same.what == "rounds down, spec up: the same windows"


def test_an_adaptive_pool_that_does_nothing_at_this_size_does_not_matter() -> None:
    (found,) = archscope.diff(archscope.lower("vgg16", adaptive_pool=True), "vgg16")
    assert not found.matters
    assert str(found) == "after pool5: adaptiveavgpool7×7 added: it does nothing at this size"
    larger = {"input_size": (256, 256)}
    (found,) = archscope.diff(
        archscope.lower("vgg16", adaptive_pool=True, **larger), archscope.lower("vgg16", **larger)
    )
    assert found.matters


def test_other_inputs_layers_and_activations_are_said() -> None:
    assert texts(archscope.diff(archscope.lower("alexnet", input_size=(224, 224)), "alexnet")) == [
        "input 3×224×224, spec 3×227×227"
    ]
    mine = archscope.load(["conv3-8", "tanh", "avgpool", "FC-10 no-bias", "soft-max"], input=(3, 8, 8))
    its = archscope.load(["conv3-8", "relu", "maxpool", "FC-5"], input=(3, 8, 8))
    assert texts(archscope.diff(mine, its)) == [
        "1: tanh, spec relu",
        "2: avgpool, spec maxpool",
        "3: 10 outputs, spec 5",
        "3: no bias, spec has one",
        "after 3: soft-max added",
    ]


@pytest.mark.parametrize(("a", "b"), [("vgg16", "vgg16_bn"), ("resnet18", "resnet50"), ("alexnet", "alexnet_owt")])
def test_what_one_has_more_the_other_has_fewer(a: str, b: str) -> None:
    there, back = archscope.diff(a, b), archscope.diff(b, a)
    count = {
        aspect: sum(len(each.places) for each in there if each.aspect == aspect) for aspect in ("added", "missing")
    }
    other = {aspect: sum(len(each.places) for each in back if each.aspect == aspect) for aspect in ("added", "missing")}
    assert (count["added"], count["missing"]) == (other["missing"], other["added"])


@settings(max_examples=25)
@given(st.sampled_from(["googlenet", "resnet50", "vgg19", "densenet121", "inception_v3", "mobilenet_v2"]), st.data())
def test_one_changed_kernel_is_one_difference_at_its_place(name: str, data: st.DataObject) -> None:
    graph = archscope.lower(name)
    index = data.draw(st.sampled_from([n for n, node in enumerate(graph.nodes) if isinstance(node.op, Conv)]))
    node = graph.nodes[index]
    assert isinstance(node.op, Conv)
    nodes = list(graph.nodes)
    nodes[index] = node._replace(op=replace(node.op, dilation=4))
    (found,) = archscope.diff(replace(graph, nodes=tuple(nodes)), graph)
    assert found.aspect == "dilation"
    assert len(found.places) == 1
    assert node.name.startswith(found.places[0])


def test_chains_too_long_to_weigh_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alignment, "LONGEST", 100)
    with pytest.raises(Unsupported, match=r"too-long: chains of 33 and 16 different parts are too long to align"):
        archscope.diff(*(archscope.load(each, input=(3, 8, 8)) for each in (LONG, SHORT)))

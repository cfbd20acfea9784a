"""What a word means: layers, blocks, rows, cells; and what is said when it means nothing, or too much."""

from __future__ import annotations

from functools import cache

import pytest

import archscope
from archscope.core.errors import UnknownName, UsageError
from archscope.graph.graph import Graph
from archscope.studies.explaining.locating import Place, place_of, target


@cache
def graph_of(network: str) -> Graph:
    return archscope.lower(network)


@pytest.mark.parametrize(
    ("network", "what", "kind", "name"),
    [
        ("vgg16", "conv3_2", "layer", "conv3_2"),
        ("vgg16", "features.12", "layer", "conv3_2"),
        ("vgg16", "CONV3_2", "layer", "conv3_2"),
        ("vgg16", "row 10", "layer", "conv3_2"),
        ("vgg16", "FC-1000", "layer", "fc8"),
        ("vgg16", "features", "block", "features"),
        ("vgg16", None, "network", "vgg16"),
        ("vgg16", "vgg16", "network", "vgg16"),
        ("vgg16", "depth", "depth", "depth"),
        ("googlenet", "inception3a", "block", "inception3a"),
        ("googlenet", "inception (3a)", "block", "inception3a"),
        ("googlenet", "inception(3a)", "block", "inception3a"),
        ("googlenet", "avg pool", "layer", "avgpool"),
        ("googlenet", "conv5-32", "layer", "inception3a.branch3.1.conv"),
        ("googlenet", "row 3", "row", "row 3"),
        ("googlenet", "inception (3a).#3×3 reduce", "layer", "inception3a.branch2.0.conv"),
        ("googlenet", "Inception(3a).#3x3", "layer", "inception3a.branch2.1.conv"),
        ("vgg16", "row 10.D", "layer", "conv3_2"),
        ("resnet18", "conv3_x.18-layer", "block", "layer2"),
        ("resnet18", "conv1", "layer", "conv1"),
        ("resnet18", "layer1.0", "block", "layer1.0"),
        ("lenet5", "C3", "block", "c3"),
    ],
)
def test_a_word_means_a_part(network: str, what: str | None, kind: str, name: str) -> None:
    found = target(graph_of(network), what)
    assert (found.kind, found.name) == (kind, name)


def test_a_block_has_its_layers_and_no_others() -> None:
    graph = graph_of("googlenet")
    names = [graph.nodes[n].name for n in target(graph, "inception3a").nodes]
    assert len(names) == 14
    assert all(name.startswith("inception3a.") for name in names)
    assert target(graph, "row 5").nodes == target(graph, "inception3a").nodes


@pytest.mark.parametrize(
    ("network", "what", "message", "help_"),
    [
        ("vgg16", "conv3-64", "'conv3-64' is 2 parts of vgg16: conv1_1, conv1_2", "name one of them: conv1_1"),
        (
            "vgg19",
            "conv3-512",
            "'conv3-512' is 8 parts of vgg19: conv4_1, conv4_2, conv4_3, conv4_4, conv5_1, conv5_2, …",
            "name one of them: conv4_1",
        ),
        (
            "googlenet",
            "max pool",
            "'max pool' is 4 parts of googlenet: maxpool1, maxpool2, maxpool3, maxpool4",
            "name one of them: maxpool1",
        ),
    ],
)
def test_a_word_that_means_several_parts_is_refused(network: str, what: str, message: str, help_: str) -> None:
    with pytest.raises(UsageError) as caught:
        target(graph_of(network), what)
    assert str(caught.value) == f"which-layer: {message}\n  help:     {help_}"


@pytest.mark.parametrize(
    ("what", "help_"),
    [
        ("conv3_9", "did you mean conv3_3, conv3_2, conv3_1?"),
        ("inception3a", "archscope summary vgg16 --full shows all layers"),
        ("feature", "did you mean features, flatten?"),
    ],
)
def test_a_word_that_means_nothing_is_refused_with_the_nearest(what: str, help_: str) -> None:
    with pytest.raises(UnknownName) as caught:
        target(graph_of("vgg16"), what)
    assert str(caught.value) == f"unknown-layer: vgg16 has no layer, block, row or cell {what!r}\n  help:     {help_}"


def test_a_place_is_file_line_row_column_and_cell() -> None:
    node = graph_of("vgg16").nodes[12]
    assert place_of(node.span) == Place("tables/vgg.toml", 22, "row 10, column D", "conv3-256")
    assert place_of(None) is None

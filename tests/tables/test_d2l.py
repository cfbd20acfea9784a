"""The book's VGG-11: the paper's with a quarter of the channels."""

from __future__ import annotations

import archscope
from archscope.core.arithmetic import product


def test_it_has_its_exact_params_and_macs() -> None:
    graph = archscope.lower("d2l_vgg11")
    assert sum(product(parameter.shape) for parameter in graph.parameters) == 43_093_322
    assert sum(node.op.macs(*graph.shapes_in(node)) or 0 for node in graph.nodes) == 512_155_648


def test_it_is_vgg11_with_a_quarter_of_the_channels_layer_by_layer() -> None:
    book = archscope.lower("d2l_vgg11")
    paper = archscope.lower("vgg11", width="1/4", in_channels=1, num_classes=10)
    assert [(node.name, node.path, node.op) for node in book.nodes] == [
        (node.name, node.path, node.op) for node in paper.nodes
    ]
    assert book.parameters == paper.parameters

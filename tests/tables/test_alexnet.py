"""AlexNet as of 2012, and the single-column model that torchvision has, against exact figures."""

from __future__ import annotations

from pathlib import Path

import pytest

from archscope.core.arithmetic import product
from archscope.graph.graph import Graph, Node
from archscope.graph.lowering import lower
from archscope.ops.conv import Conv
from archscope.spec.compiler import compile_table
from archscope.spec.naming import named
from archscope.spec.table import Table, read_source, read_table

TABLES = Path(__file__).parents[2] / "tables"


def _table(stem: str) -> Table:
    return read_table(read_source(TABLES / f"{stem}.toml"))


def _graph(stem: str) -> Graph:
    return lower(named(compile_table(_table(stem), stem)))


def _params(graph: Graph) -> int:
    return sum(product(parameter.shape) for parameter in graph.parameters)


def _macs(graph: Graph) -> int:
    return sum(node.op.macs(*graph.shapes_in(node)) or 0 for node in graph.nodes)


def _weighted(graph: Graph) -> list[Node]:
    return [node for node in graph.nodes if node.op.weight_layer]


def test_the_network_of_2012_has_its_exact_params_and_macs() -> None:
    graph = _graph("alexnet")
    assert _params(graph) == 60_965_224
    assert _macs(graph) == 724_406_816


def test_the_printed_kernels_are_those_of_the_layers_two_gpus_included() -> None:
    graph = _graph("alexnet")
    rows = [row for row in _table("alexnet").grid.rows if row["kernels"].text]
    convolutions = [node for node in graph.nodes if isinstance(node.op, Conv)]
    for row, node in zip(rows, convolutions, strict=True):
        out, depth, height, width = graph.parameters[node.parameters["weight"]].shape
        assert (str(out), f"{height}×{width}×{depth}") == (row["kernels"].text, row["kernel size"].text)
    assert [node.op.groups for node in convolutions if isinstance(node.op, Conv)] == [1, 2, 1, 2, 2]


def test_printed_neurons_are_the_outputs_but_for_the_first_layer() -> None:
    graph = _graph("alexnet")
    computed = [product(graph.shape_out(node)) for node in _weighted(graph)]
    rows = [row for row in _table("alexnet").grid.rows if row["neurons"].text]
    printed = [int(row["neurons"].text.replace(",", "")) for row in rows]
    assert printed == [150_528, 253_440, 186_624, 64_896, 64_896, 43_264, 4096, 4096, 1000]
    assert computed == [290_400, *printed[2:]]
    assert (sum(computed), sum(printed[1:])) == (659_272, 622_312)


def test_normalization_stands_between_relu_and_pooling() -> None:
    names = [node.name for node in _graph("alexnet").nodes]
    assert " ".join(names) == (
        "conv1 relu1 norm1 pool1 conv2 relu2 norm2 pool2 conv3 relu3 conv4 relu4 conv5 relu5 pool5 "
        "flatten fc6 relu6 drop6 fc7 relu7 drop7 fc8 prob"
    )


def test_the_printed_input_is_an_erratum_since_its_kernel_has_54_and_a_quarter_places() -> None:
    table = _table("alexnet")
    assert (224 - 11) / 4 + 1 == 54.25
    assert table.data["input"] == [3, 227, 227]
    assert table.grid.rows[0]["layer"].text == "input (224×224×3)"
    listed = [(entry["row"], entry["printed"]) for entry in table.data["errata"] if "published" not in entry]
    assert listed == [
        ("input (224×224×3)", "224×224×3"),
        ("input (224×224×3)", "150,528"),
        ("convolutional 1", "253,440"),
    ]


def test_torchvisions_model_has_its_exact_params_and_macs() -> None:
    graph = _graph("alexnet_owt")
    assert _params(graph) == 61_100_840
    assert _macs(graph) == 714_188_480


def test_torchvisions_model_has_the_keys_and_shapes_of_its_state_dict() -> None:
    torch = pytest.importorskip("torch")
    models = pytest.importorskip("torchvision.models")
    with torch.device("meta"):
        state = models.alexnet(weights=None).state_dict()
    stored = {parameter.key: tuple(parameter.shape) for parameter in _graph("alexnet_owt").parameters}
    assert stored == {key: tuple(tensor.shape) for key, tensor in state.items()}


def test_torchvisions_model_drops_out_before_the_first_two_fc_layers() -> None:
    paths = {node.path: node.name for node in _graph("alexnet_owt").nodes}
    assert [paths[f"classifier.{number}"] for number in range(7)] == [
        "drop1", "fc6", "relu6", "drop2", "fc7", "relu7", "fc8",
    ]  # fmt: skip

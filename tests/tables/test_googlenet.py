"""GoogLeNet's Table 1, and torchvision's variant, against exact figures."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import pytest

from archscope.core.arithmetic import product
from archscope.graph.graph import Graph, Node
from archscope.graph.lowering import lower
from archscope.spec.compiler import compile_table
from archscope.spec.naming import named
from archscope.spec.table import Table, read_source, read_table

TABLES = Path(__file__).parents[2] / "tables"

ROWS: list[tuple[str, ...]] = [
    ("conv1",), ("maxpool1",), ("conv2", "conv3"), ("maxpool2",), ("inception3a",), ("inception3b",), ("maxpool3",),
    ("inception4a",), ("inception4b",), ("inception4c",), ("inception4d",), ("inception4e",), ("maxpool4",),
    ("inception5a",), ("inception5b",), ("avgpool",), ("dropout",), ("fc",), ("softmax",),
]  # fmt: skip
"""Modules of the main network, row by row of Table 1."""

WEIGHTS = {
    "inception3a": (12288, 18432, 110592, 3072, 12800, 6144, 368),
    "inception3b": (32768, 32768, 221184, 8192, 76800, 16384, 640),
    "inception4a": (92160, 46080, 179712, 7680, 19200, 30720, 624),
    "inception4b": (81920, 57344, 225792, 12288, 38400, 32768, 648),
    "inception4c": (65536, 65536, 294912, 12288, 38400, 32768, 664),
    "inception4d": (57344, 73728, 373248, 16384, 51200, 32768, 704),
    "inception4e": (135168, 84480, 460800, 16896, 102400, 67584, 1024),
    "inception5a": (212992, 133120, 460800, 26624, 102400, 106496, 1024),
    "inception5b": (319488, 159744, 663552, 39936, 153600, 106496, 1264),
}
"""Weights per convolution in the order of the columns, counted by hand from Table 1; the biases of all six last."""

TORCHVISION_PARAMS = {
    "conv1": 9536, "conv2": 4224, "conv3": 110976, "inception3a": 155872, "inception3b": 340224,
    "inception4a": 364512, "inception4b": 425232, "inception4c": 486192, "inception4d": 573312, "inception4e": 803840,
    "inception5a": 978944, "inception5b": 1347040, "fc": 1025000, "aux1": 3188968, "aux2": 3191016,
}  # fmt: skip

REFUTED = [
    ("convolution", "params", "2.7K"),
    ("convolution", "ops", "34M"),
    ("inception (4a)", "params", "364K"),
    ("inception (4b)", "params", "437K"),
    ("inception (4c)", "params", "463K"),
    ("inception (4d)", "params", "580K"),
    ("inception (4e)", "params", "840K"),
    ("inception (5a)", "params", "1072K"),
    ("inception (5a)", "ops", "54M"),
    ("inception (5b)", "params", "1388K"),
]


def _table(stem: str = "googlenet") -> Table:
    return read_table(read_source(TABLES / f"{stem}.toml"))


def _graph(stem: str = "googlenet", network: str = "googlenet") -> Graph:
    return lower(named(compile_table(_table(stem), network)))


def _nodes(graph: Graph, *modules: str) -> list[Node]:
    return [node for node in graph.nodes if node.path.split(".")[0] in modules]


def _main(graph: Graph) -> list[Node]:
    return [node for node in graph.nodes if not node.side]


def _params(graph: Graph, nodes: Iterable[Node], *, biases: bool = True) -> int:
    sizes = [(key, product(graph.parameters[at].shape)) for node in nodes for key, at in node.parameters.items()]
    return sum(size for key, size in sizes if biases or key == "weight")


def _macs(graph: Graph, nodes: Iterable[Node]) -> int:
    counts = [node.op.macs(*graph.shapes_in(node)) for node in nodes]
    assert None not in counts
    return sum(count for count in counts if count is not None)


def _printed(value: Fraction, cell: str) -> bool:
    """Whether a value, cut or rounded to the digits of a cell, is what the cell prints."""
    digits = cell.rstrip("KM")
    scale = 10 ** len(digits.partition(".")[2])
    return Fraction(digits) * scale in {math.floor(value * scale), math.floor(value * scale + Fraction(1, 2))}


@pytest.mark.parametrize("network", ["googlenet", "googlenet_lrn"])
def test_the_paper_network_has_exactly_the_params_and_macs_that_table_1_describes(network: str) -> None:
    graph = _graph(network=network)
    assert _params(graph, _main(graph)) == 6_998_552
    assert _params(graph, _main(graph), biases=False) == 6_990_272
    assert _params(graph, graph.nodes) == 13_378_280
    assert _macs(graph, _main(graph)) == 1_582_671_872
    assert _macs(graph, graph.nodes) == 1_591_044_096


@pytest.mark.parametrize("module", WEIGHTS)
def test_every_convolution_of_an_inception_module_has_the_weights_of_its_column(module: str) -> None:
    graph = _graph()
    nodes = _nodes(graph, module)
    weights = [_params(graph, [node], biases=False) for node in nodes if node.parameters]
    assert weights == list(WEIGHTS[module][:-1])
    assert _params(graph, nodes) - sum(weights) == WEIGHTS[module][-1]


def test_every_row_ends_in_its_printed_output_size() -> None:
    graph = _graph()
    for row, modules in zip(_table().grid.rows, ROWS, strict=True):
        channels, *axes = graph.shape_out(_nodes(graph, *modules)[-1])[1:]
        height, width = axes or (1, 1)
        assert f"{height}×{width}×{channels}" == row["output size"].text


def test_printed_depths_are_the_longest_paths_and_add_up_to_22() -> None:
    graph = _graph()
    depths = []
    for modules in ROWS:
        branches: dict[str, int] = {}
        for node in _nodes(graph, *modules):
            branch = node.path.split(".")[1] if "inception" in node.path else ""
            branches[branch] = branches.get(branch, 0) + node.op.weight_layer
        depths.append(max(branches.values()))
    assert [str(depth) for depth in depths] == [row["depth"].text for row in _table().grid.rows]
    assert sum(depths) == 22


def test_errata_are_exactly_the_cells_that_arithmetic_refutes() -> None:
    graph, table = _graph(), _table()
    refuted = []
    for row, modules in zip(table.grid.rows, ROWS, strict=True):
        nodes = _nodes(graph, *modules)
        counts = {
            "params": [Fraction(_params(graph, nodes, biases=biases), 1024) for biases in (False, True)],
            "ops": [Fraction(_macs(graph, nodes), 10**6)],
        }
        for column, values in counts.items():
            cell = row[column].text
            if cell and not any(_printed(value, cell) for value in values):
                refuted.append((row["type"].text, column, cell))
    listed = [entry for entry in table.data["errata"] if "published" not in entry]
    assert refuted == REFUTED
    assert [(entry["row"], entry["column"], entry["printed"]) for entry in listed] == REFUTED


def test_the_grid_has_the_twelve_heads_and_the_cells_of_the_paper() -> None:
    heads = "type|patch size/stride|output size|depth|#1×1|#3×3 reduce|#3×3|#5×5 reduce|#5×5|pool proj|params|ops"
    rows = {
        0: "convolution|7×7/2|112×112×64|1|||||||2.7K|34M",
        2: "convolution|3×3/1|56×56×192|2||64|192||||112K|360M",
        4: "inception (3a)||28×28×256|2|64|96|128|16|32|32|159K|128M",
        9: "inception (4c)||14×14×512|2|128|128|256|24|64|64|463K|100M",
        13: "inception (5a)||7×7×832|2|256|160|320|32|128|128|1072K|54M",
        16: "dropout (40%)||1×1×1024|0||||||||",
        17: "linear||1×1×1000|1|||||||1000K|1M",
    }
    grid = _table().grid
    assert "|".join(grid.heads) == heads
    assert len(grid.rows) == 19
    for number, text in rows.items():
        assert "|".join(cell.text for cell in grid.rows[number].values()) == text


def test_auxiliary_heads_leave_after_4a_and_4d_with_a_loss_weight_of_three_tenths() -> None:
    graph = _graph()
    outputs = [(output.name, output.loss_weight, output.side) for output in graph.outputs]
    assert outputs == [("logits", 1.0, False), ("aux_logits2", 0.3, True), ("aux_logits1", 0.3, True)]
    for head, before, params in (("aux1", "inception4a", 3_188_840), ("aux2", "inception4d", 3_190_888)):
        nodes = _nodes(graph, head)
        assert nodes[0].inputs == _nodes(graph, before)[-1].outputs
        assert graph.shape_out(nodes[0])[2:] == (4, 4)
        assert _params(graph, nodes) == params


def test_the_lrn_network_normalises_after_the_first_pool_and_before_the_second() -> None:
    paths = [node.path for node in _graph(network="googlenet_lrn").nodes]
    assert paths[2:4] == ["maxpool1", "norm1"]
    assert paths[paths.index("norm2") - 1] == "conv3.relu"
    assert paths[paths.index("norm2") + 1] == "maxpool2"
    assert [node.path for node in _graph().nodes] == [path for path in paths if not path.startswith("norm")]


def test_torchvisions_network_has_its_exact_params_and_macs() -> None:
    graph = _graph("googlenet_torchvision", "googlenet_torchvision")
    assert _params(graph, _main(graph)) == 6_624_904
    assert _params(graph, graph.nodes) == 13_004_888
    assert _macs(graph, _main(graph)) == 1_498_376_192
    assert {module: _params(graph, _nodes(graph, module)) for module in TORCHVISION_PARAMS} == TORCHVISION_PARAMS


def test_torchvisions_network_has_the_keys_and_shapes_of_its_state_dict() -> None:
    torch = pytest.importorskip("torch")
    models = pytest.importorskip("torchvision.models")
    graph = _graph("googlenet_torchvision", "googlenet_torchvision")
    with torch.device("meta"):
        state = models.googlenet(weights=None, init_weights=False).state_dict()
    stored = {parameter.key: tuple(parameter.shape) for parameter in graph.parameters}
    stored |= {buffer.key: tuple(buffer.shape) for buffer in graph.buffers}
    assert stored == {key: tuple(tensor.shape) for key, tensor in state.items()}


def test_both_googlenets_call_their_convolutions_alike() -> None:
    paper, torchvision = _graph(), _graph("googlenet_torchvision", "googlenet_torchvision")
    weights = {parameter.key for parameter in paper.parameters if parameter.key.endswith("weight")}
    assert weights <= {parameter.key for parameter in torchvision.parameters}

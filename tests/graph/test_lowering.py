"""From a spec to a graph: where flatten stands, what blocks hold, which tensors share memory, how all is called."""

from __future__ import annotations

import time

import pytest

import archscope
from archscope.core.errors import ShapeError
from archscope.graph.graph import Graph, Node
from archscope.graph.lowering import lower
from archscope.ops import Op, letters
from archscope.ops.add import Add
from archscope.ops.concat import Concat
from archscope.ops.conv import Conv
from archscope.ops.dropout import Dropout
from archscope.ops.fc import FC
from archscope.ops.relu import ReLU
from archscope.spec.naming import named
from archscope.spec.network import Block, Layer, Spec


def graph_of(*cells: object, shape: tuple[int, ...] = (3, 8, 8)) -> Graph:
    return archscope.lower(archscope.load(list(cells), input=shape))


def kinds(graph: Graph) -> str:
    return " ".join(letters(node.op.notation or "") for node in graph.nodes)


def at(graph: Graph, path: str) -> Node:
    return next(node for node in graph.nodes if node.path == path)


@pytest.mark.parametrize(
    ("cells", "wanted"),
    [
        (["conv3-4", "FC-2"], "conv flatten fc"),
        (["conv3-4", "relu", "FC-2"], "conv relu flatten fc"),
        (["conv3-4", "dropout", "FC-2"], "conv flatten dropout fc"),
        (["conv3-4", "batchnorm", "relu", "FC-2"], "conv batchnorm relu flatten fc"),
        (["conv3-4", "relu", "dropout", "FC-2", "relu", "FC-2"], "conv relu flatten dropout fc relu fc"),
        (["conv3-4", "dropout", "relu", "FC-2"], "conv dropout relu flatten fc"),
        (["conv3-4", "dropout", ["dropout", "FC-2"]], "conv flatten dropout dropout fc"),
        (["conv3-4", "dropout"], "conv dropout"),
        (["conv3-4", "flatten", "FC-2"], "conv flatten fc"),
    ],
)
def test_flatten_stands_where_torchvision_has_it(cells: list[object], wanted: str):
    assert kinds(graph_of(*cells)) == wanted


def kinds_of(node: Node) -> str:
    return letters(node.op.notation or "")


def test_batch_norm_before_an_fc_layer_still_works_on_the_map():
    graph = graph_of("conv3-4", "batchnorm", "relu", "FC-2", "batchnorm")
    calls = [node.op.torch(*graph.shapes_in(node)).name for node in graph.nodes if "batchnorm" in kinds_of(node)]
    assert calls == ["nn.BatchNorm2d", "nn.BatchNorm1d"]


def test_a_head_before_the_fc_layer_gets_the_map_and_not_the_vector():
    head = Block((Layer(Conv(1, 4), name="conv"), Layer(FC(5), name="fc")), name="aux", side=True)
    items = (Layer(Conv(3, 4), name="stem"), head, Layer(FC(5), name="fc"))
    graph = lower(named(Spec("net", Block(items), (3, 8, 8))))
    assert [node.path for node in graph.nodes] == ["stem", "aux.conv", "aux.flatten", "aux.fc", "flatten", "fc"]
    assert graph.shapes_in(at(graph, "aux.conv")) == ((1, 4, 8, 8),)


@pytest.mark.parametrize(
    ("branches", "wanted"),
    [
        ([["FC-8"], ["FC-8"]], "conv flatten fc fc add"),
        ([["FC-8"], ["conv3-8", "adaptiveavgpool1", "flatten"]], "conv flatten fc conv adaptiveavgpool flatten add"),
        ([["conv3-8", "adaptiveavgpool1", "flatten"], ["FC-8"]], "conv conv adaptiveavgpool flatten flatten fc add"),
        ([["FC-8"], ["relu", "FC-8"]], "conv flatten fc relu flatten fc add"),
    ],
)
def test_a_branch_that_begins_with_an_fc_layer_flattens_a_map_and_leaves_the_others_alone(branches: list, wanted: str):
    assert kinds(graph_of("conv3-4", {"join": "add", "branches": branches})) == wanted


def test_the_branch_that_fewest_agree_with_is_pointed_at():
    join = {"join": "concat", "branches": [["conv3-4"], ["maxpool2", "relu"], ["conv1-8"]]}
    with pytest.raises(ShapeError, match="branches differ in height or width: 4×8×8, 3×4×4, 8×8×8") as caught:
        graph_of(join)
    span = caught.value.problems[0].span
    assert span is not None
    assert (span.line_text, span.place) == ("relu", "item 1, branch 2, item 2")


def test_scopes_are_a_tree_in_running_order():
    graph = archscope.lower("googlenet")
    root = graph.scopes[0]
    assert (root.parent, root.path, root.inputs) == (-1, "", graph.inputs)
    assert root.outputs == (graph.outputs[0].tensor,)
    for index, scope in enumerate(graph.scopes[1:], 1):
        assert ("scope", index) in graph.scopes[scope.parent].children
        assert scope.path.rpartition(".")[::2] == (graph.scopes[scope.parent].path, scope.attribute)
    assert [node.path for node in graph.nodes_in(0)] == [node.path for node in graph.nodes]
    for index, node in enumerate(graph.nodes):
        assert ("node", index) in graph.scopes[node.scope].children
        assert node.path.rpartition(".")[0] == graph.scopes[node.scope].path


def test_a_block_keeps_its_kind_and_its_cell():
    graph = archscope.lower("googlenet")
    scope = next(each for each in graph.scopes if each.path == "inception3a")
    assert scope.kind == "inception"
    assert scope.span is not None
    assert scope.span.line_text.startswith("| inception (3a) |")
    assert graph.tensors[scope.outputs[0]].shape == (1, 256, 28, 28)


def test_names_leave_out_sections_and_paths_do_not():
    graph = archscope.lower("vgg16")
    assert [(node.path, node.name) for node in graph.nodes[-3:]] == [
        ("classifier.4", "relu7"), ("classifier.5", "drop7"), ("classifier.6", "fc8"),
    ]  # fmt: skip
    assert at(graph, "flatten").name == "flatten"
    assert at(archscope.lower("googlenet"), "inception3a.branch2.0.conv").name == "inception3a.branch2.0.conv"


def test_parameters_and_buffers_bear_their_state_dict_keys():
    graph = graph_of("c: conv3-4", "bn: batchnorm", "fc: FC-2 no-bias")
    assert {its.key: its.shape for its in graph.parameters} == {
        "c.weight": (4, 3, 3, 3), "c.bias": (4,), "bn.weight": (4,), "bn.bias": (4,), "fc.weight": (2, 256),
    }  # fmt: skip
    assert [(its.key, its.shape, its.dtype) for its in graph.buffers] == [
        ("bn.running_mean", (4,), "float"), ("bn.running_var", (4,), "float"), ("bn.num_batches_tracked", (), "int64"),
    ]  # fmt: skip
    assert at(graph, "bn").parameters == {"weight": 2, "bias": 3}


def test_in_place_results_and_views_lie_in_their_inputs_storage():
    graph = graph_of("conv3-4", "relu", "relu out-of-place", "slice0:2", "FC-2")
    storages = [graph.tensors[node.outputs[0]].storage for node in graph.nodes]
    conv, relu, other, part, flat, fc = storages
    assert relu == conv
    assert other == part == flat != conv
    assert fc not in {conv, other}
    assert graph.tensors[graph.inputs[0]].storage == graph.inputs[0]


@pytest.mark.parametrize(
    ("cells", "in_place"),
    [
        (["relu"], [False]),
        (["conv3-3", "relu", "relu"], [True, False]),
        (["conv3-3", "tanh", "relu"], [False]),
        (["conv3-3", {"branches": [["relu"], ["relu", "conv1-2"]]}], [False, False]),
        (["conv3-3", {"join": "add", "branches": [[], ["conv1-3"]]}], [False]),
        (["conv3-3", {"join": "add", "branches": [["conv1-3"], []]}, "relu"], [True, True]),
        (["conv3-3", {"join": "add", "branches": [["conv1-3", "relu"], []]}], [True, False]),
    ],
)
def test_nothing_is_overwritten_that_another_branch_or_backward_still_reads(cells: list[object], in_place: list[bool]):
    graph = graph_of(*cells)
    assert [node.op.in_place for node in graph.nodes if kinds_of(node) in {"relu", "add"}] == in_place


def test_a_sum_lies_in_its_first_operand_and_a_concatenation_is_new():
    for join, shared in ((Add(), True), (Add(inplace=False), False), (Concat(), False)):
        block = Block((Layer(Conv(1, 3), name="a"), Block((), name="shortcut")), name="block", join=join)
        graph = lower(named(Spec("net", Block((block,)), (3, 8, 8))))
        mine, its = (graph.tensors[node.outputs[0]].storage for node in graph.nodes)
        assert (mine == its) is shared


def test_auxiliary_outputs_are_called_as_in_torchvision_and_a_single_one_has_no_number():
    graph = archscope.lower("googlenet")
    assert [(output.name, output.side) for output in graph.outputs] == [
        ("logits", False), ("aux_logits2", True), ("aux_logits1", True),
    ]  # fmt: skip
    assert all(node.side == node.path.startswith("aux") for node in graph.nodes)


@pytest.mark.parametrize(
    ("batch", "shape", "message"),
    [
        (0, (3, 8, 8), "an input of 0 examples of (3, 8, 8) has no elements"),
        (1, (3, 0, 8), "an input of 1 examples of (3, 0, 8) has no elements"),
        (1, (3, 8.5, 8), "an input of 1 examples of (3, 8.5, 8) has no elements"),
        (1, (3, 8, 100_001), "an input of 1 examples of (3, 8, 100001) is absurdly large"),
    ],
)
def test_an_input_without_elements_or_beyond_reason_is_refused(batch: int, shape: tuple[int, ...], message: str):
    with pytest.raises(ShapeError) as caught:
        lower(Spec("net", Block((Layer(ReLU(), name="relu", module="relu"),)), shape), batch)
    assert str(caught.value) == f"impossible-shape: {message}"


@pytest.mark.parametrize("op", [ReLU(), Dropout()], ids=["relu", "dropout"])
def test_ten_thousand_layers_take_seconds(op: Op):
    start = time.process_time()
    layers = (Layer(op),) * 10_000
    graph = lower(named(Spec("long", Block(layers), (3, 8, 8))))
    assert len(graph.nodes) == 10_000
    assert archscope.profile(graph, columns=["params", "macs"]).totals["macs"].value == 0
    assert time.process_time() - start < 5


def test_blocks_may_be_nested_two_hundred_deep():
    block: Block | Layer = Layer(Conv(1, 3))
    for _ in range(200):
        block = Block((block,), name="b")
    graph = lower(named(Spec("deep", Block((block,)), (3, 8, 8))))
    assert len(graph.scopes) == 201
    assert graph.nodes[0].path == ".".join([*["b"] * 200, "0"])
    assert archscope.profile(graph).at_depth(199)[0].values["params"] == 12


def test_what_a_sums_main_way_passes_may_stand_before_the_other_ways():
    """Stochastic depth drops what the main way made, wherever a spec that was made by hand has it."""
    main = Layer(Conv(3, 4), name="main")
    passed = Block((Layer(Dropout(0.5), name="drop"),), inline=True, when="joined")
    other = Layer(Conv(1, 4), name="other")
    orders = ((main, passed, other), (main, other, passed))
    first, last = (
        lower(named(Spec("net", Block((Block(ways, join=Add(), inline=True),)), (3, 8, 8)))) for ways in orders
    )
    assert [kinds(first), kinds(last)] == ["conv dropout conv add", "conv conv dropout add"]
    for graph in (first, last):
        made = {node.outputs[0]: node.path for node in graph.nodes}
        assert [made[tensor] for tensor in graph.nodes[-1].inputs] == ["drop", "other"]

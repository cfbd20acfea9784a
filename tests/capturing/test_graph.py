"""What a captured graph says: modules as scopes, operators in their order, what is shared, held and returned."""

from __future__ import annotations

from typing import NamedTuple

import probes
import pytest
import torch
from torch import nn
from torch.nn import functional

import archscope
from archscope.core.arithmetic import product
from archscope.graph.graph import Graph
from archscope.graph.lifetimes import FOREVER


class Block(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)
        self.act = nn.ReLU(inplace=True)

    def forward(self, x):
        out = self.act(self.conv(x))
        out += x
        return out


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.Identity())
        self.blocks = nn.ModuleList(Block(8) for _ in range(2))
        self.unused = nn.Linear(5, 5)
        self.fc = nn.Linear(8, 10)

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        x = functional.max_pool2d(x, 2)
        return self.fc(x.flatten(2).mean(-1))


def paths(graph: Graph) -> list[str]:
    return [node.path for node in graph.nodes]


def test_nodes_are_in_running_order_and_named_by_their_modules() -> None:
    graph = archscope.capture(Net(), (3, 8, 8))
    assert paths(graph) == [
        "stem.0", "blocks.0.conv", "blocks.0.act", "blocks.0.add", "blocks.1.conv", "blocks.1.act", "blocks.1.add",
        "maxpool", "flatten", "mean", "fc",
    ]  # fmt: skip


def test_scopes_are_the_modules_that_are_more_than_one_operator() -> None:
    graph = archscope.capture(Net(), (3, 8, 8))
    assert [(scope.path, scope.attribute, scope.kind, scope.section) for scope in graph.scopes] == [
        ("", "", "Net", False), ("stem", "stem", "Sequential", True), ("blocks.0", "blocks.0", "Block", False),
        ("blocks.1", "blocks.1", "Block", False),
    ]  # fmt: skip
    block = graph.scopes[2]
    assert block.parent == 0
    assert graph.tensors[block.inputs[0]].shape == (1, 8, 8, 8)
    assert block.children == (("node", 1), ("node", 2), ("node", 3))
    assert block.outputs == graph.nodes[3].outputs
    assert block.span is not None
    assert block.span.line_text.strip().startswith("def forward")


def test_in_place_results_lie_in_their_inputs_storage() -> None:
    graph = archscope.capture(Net(), (3, 8, 8))
    conv, act, add = graph.nodes[1:4]
    assert [node.op.in_place for node in (conv, act, add)] == [False, True, True]
    storages = [graph.tensors[node.outputs[0]].storage for node in (conv, act, add)]
    assert len(set(storages)) == 1
    assert add.inputs == (act.outputs[0], conv.inputs[0])


def test_each_node_knows_the_line_that_made_it() -> None:
    graph = archscope.capture(Net(), (3, 8, 8))
    lines = {node.path: node.span.line_text.strip() for node in graph.nodes if node.span is not None}
    assert lines["stem.0"] == "x = self.stem(x)"
    assert lines["blocks.1.conv"] == "out = self.act(self.conv(x))"
    assert lines["blocks.1.add"] == "out += x"
    assert lines["maxpool"] == "x = functional.max_pool2d(x, 2)"
    assert all(node.span is not None and node.span.source.name.endswith("test_graph.py") for node in graph.nodes)


def test_parameters_that_never_run_are_a_row_of_their_own() -> None:
    profile = archscope.profile(Net(), input=(3, 8, 8), columns=("params", "param_bytes", "macs"))
    assert [each.key for each in profile.graph.idle_parameters()] == ["unused.weight", "unused.bias"]
    last = profile.rows[-1]
    assert (last.name, last.op, last.values) == ("(unused)", "never ran", {"params": 30, "param_bytes": 120, "macs": 0})
    assert profile.totals["params"].value == sum(row.values["params"] for row in profile.rows)
    assert profile.totals["params"].value == sum(each.numel() for each in Net().parameters())
    assert profile.at_depth(0)[-1] == last


def test_a_shared_module_has_its_params_once_and_its_macs_each_time() -> None:
    module, example, _ = probes.EXACT["a module under three names"]
    profile = archscope.profile(module, input=example)
    assert [(row.values["params"], row.values["macs"]) for row in profile.rows] == [(272, 256), (0, 256), (0, 256)]
    assert [node.call for node in profile.graph.nodes] == [0, 1, 2]
    assert [parameter.key for parameter in profile.graph.parameters] == ["a.weight", "a.bias"]


def test_a_module_under_two_parents_is_called_by_the_one_that_runs_it() -> None:
    module, example, _ = probes.EXACT["a convolution under two parents"]
    assert paths(archscope.capture(module, example)) == ["left.0", "right.0", "add"]


def test_a_module_that_calls_itself_is_a_scope_within_itself() -> None:
    module, example, _ = probes.EXACT["a module that calls itself"]
    graph = archscope.capture(module, example)
    assert [scope.parent for scope in graph.scopes] == [-1, 0, 1]
    assert [node.scope for node in graph.nodes] == [0, 1, 2]


def test_tied_weights_are_one_parameter() -> None:
    module, example, _ = probes.EXACT["tied embedding and head"]
    graph = archscope.capture(module, example)
    assert [parameter.key for parameter in graph.parameters] == ["embed.weight"]
    assert [dict(node.parameters) for node in graph.nodes] == [{"weight": 0}, {"weight": 0}]


class Outputs(NamedTuple):
    logits: torch.Tensor
    features: list[torch.Tensor]


class Several(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)

    def forward(self, x, pair=None, *, options=None):
        y = self.fc(x + pair[0]) * options["scale"]
        return {"out": y, "rest": Outputs(y.sum(1), [x, y])}


def test_several_and_nested_inputs_and_outputs() -> None:
    def make(batch: int) -> tuple[tuple[torch.Tensor, ...], dict[str, object]]:
        x = torch.ones(batch, 4)
        return (x, [x * 2, x]), {"options": {"scale": torch.ones(batch, 1)}}

    graph = archscope.capture(Several(), make, batch=3)
    assert [graph.tensors[index].shape for index in graph.inputs] == [(3, 4), (3, 4), (3, 4), (3, 1)]
    assert [output.name for output in graph.outputs] == ["out", "rest.logits", "rest.features.0", "rest.features.1"]
    assert graph.outputs[2].tensor == graph.inputs[0]
    assert graph.outputs[3].tensor == graph.outputs[0].tensor


def test_a_weight_that_is_computed_is_an_input_and_its_parameters_count() -> None:
    module, example, _ = probes.EXACT["weight norm"]
    graph = archscope.capture(module, example)
    linear = graph.nodes[-1]
    assert type(linear.op).__name__ == "FC"
    assert graph.shapes_in(linear) == ((1, 16), (32, 16))
    assert graph.shape_out(linear) == (1, 32)
    assert set(linear.parameters) == {"bias"}
    assert {key for node in graph.nodes for key in node.parameters} == {"v", "g", "bias"}
    assert not graph.idle_parameters()


def test_constants_are_no_nodes_and_keep_their_values() -> None:
    module, example, _ = probes.EXACT["a branch on a constant"]
    assert paths(archscope.capture(module, example)) == ["mul", "fc"]


def test_a_parameter_as_an_operand_is_a_stored_tensor_with_a_gradient() -> None:
    class Scale(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gamma = nn.Parameter(torch.ones(4))
            self.table = nn.Parameter(torch.ones(4, 6))

        def forward(self, x):
            return x * self.gamma @ self.table

    graph = archscope.capture(Scale(), (4,))
    assert [dict(node.parameters) for node in graph.nodes] == [{"other": 0}, {"other": 1}]
    assert dict(graph.stored) == {graph.nodes[0].inputs[1]: 0, graph.nodes[1].inputs[1]: 1}
    profile = archscope.profile(graph, columns=("params", "macs", "backward_macs"))
    assert [profile.totals[name].value for name in ("params", "macs", "backward_macs")] == [28, 24, 48]


def test_tensors_are_held_as_long_as_python_was_seen_to_hold_them() -> None:
    class Holding(nn.Module):
        def forward(self, x):
            first = x + 1
            second = first * 2
            third = second.exp()
            del second
            return third.sin() + first

    graph = archscope.capture(Holding(), (4,))
    assert graph.held == (FOREVER, 4, 2, 4, 4, FOREVER)


def test_half_precision_is_the_modules_own_type() -> None:
    graph = archscope.capture(nn.Linear(4, 4).to(torch.bfloat16), (4,))
    assert graph.dtype == "bfloat16"
    assert {tensor.dtype for tensor in graph.tensors} == {"float"}
    profile = archscope.profile(nn.Linear(4, 4).to(torch.bfloat16), input=(4,), columns=("param_bytes",))
    assert profile.totals["param_bytes"].value == 40


def test_a_list_hides_parameters_and_the_capture_says_so() -> None:
    class Listed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = [nn.Linear(4, 4)]

        def forward(self, x):
            return self.layers[0](x)

    graph = archscope.capture(Listed(), (4,))
    assert paths(graph) == ["<Linear>"]
    assert graph.parameters == ()
    assert graph.notes == (
        "<Linear> has parameters that parameters() and state_dict() do not give: a plain list or attribute hides them",
    )


def test_an_operator_without_a_rule_is_named_and_makes_totals_bounds() -> None:
    class Distances(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(4, 4)

        def forward(self, x):
            return torch.cdist(self.fc(x), x)

    profile = archscope.profile(Distances(), input=(5, 4))
    total = profile.totals["macs"]
    assert (total.value, total.status, total.missing) == (80, "bound", ("_cdist_forward",))


def test_local_response_norm_is_one_node() -> None:
    graph = archscope.capture(nn.Sequential(nn.Conv2d(3, 8, 3), nn.LocalResponseNorm(3, alpha=0.1)), (3, 8, 8))
    assert [type(node.op).__name__ for node in graph.nodes] == ["Conv", "LRN"]
    assert (graph.nodes[1].op.size, graph.nodes[1].op.alpha) == (3, 0.1)


def test_batches_make_every_size_grow_alike() -> None:
    sizes = [
        [product(each.shape) for each in archscope.capture(Net(), (3, 8, 8), batch=batch).tensors]
        for batch in (2, 3, 7)
    ]
    assert [a + 5 * (b - a) for a, b in zip(sizes[0], sizes[1], strict=True)] == sizes[2]


def test_an_op_that_takes_a_parameter_twice_counts_it_once() -> None:
    class Squared(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.ones(16))

        def forward(self, x):
            return x * (self.scale * self.scale)

    assert archscope.profile(Squared(), input=(16,)).totals["params"].value == 16


@pytest.mark.parametrize("device", ["cpu", None])
def test_autocast_in_a_forward_is_left_out_and_said_to_be(device: str | None) -> None:
    class Cast(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(16, 4)

        def forward(self, x):
            with torch.autocast(device or x.device.type, torch.bfloat16):
                return self.fc(x)

    module = Cast()
    graph = archscope.capture(module, (16,))
    assert archscope.profile(graph).totals["macs"][:2] == (64, "exact")
    assert graph.notes == (
        "its forward uses torch.autocast, which is left out: sizes are those of its own types; see memory --amp",
    )
    assert device is None or module(torch.zeros(1, 16)).dtype == torch.bfloat16


def test_a_capture_within_autocast_sees_the_modules_own_types() -> None:
    with torch.autocast("cpu", torch.bfloat16):
        graph = archscope.capture(nn.Linear(16, 4), (16,))
        assert torch.is_autocast_enabled("cpu")
    assert [tensor.dtype for tensor in graph.tensors] == ["float", "float"]
    assert not graph.notes

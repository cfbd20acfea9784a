"""The forwards that are written for blocks: how they read, that they do what they say, and what is refused."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass, replace

import pytest
import torch

from archscope.core.arithmetic import Shape
from archscope.core.errors import Unsupported
from archscope.core.records import Call, Tensor
from archscope.graph.graph import Graph, Node, Output
from archscope.graph.lowering import lower
from archscope.ops import Op
from archscope.ops.add import Add
from archscope.ops.avgpool import AvgPool
from archscope.ops.concat import Concat
from archscope.ops.conv import Conv
from archscope.ops.fc import FC
from archscope.ops.plus import Plus
from archscope.ops.relu import ReLU
from archscope.spec.naming import named
from archscope.spec.network import Block, Layer, Spec
from archscope.targets.forward import class_source, forward_lines
from archscope.targets.torch_module import module_of


def conv(name: str, kernel: int = 1, out: int = 4) -> Layer:
    return Layer(Conv(kernel, out), name=name)


def inception(name: str) -> Block:
    branches = (Block((conv("0"), conv("1", 3)), name="branch1"), Block((conv("0"),), name="branch2"))
    return Block(branches, name=name, kind="inception", join=Concat())


def head(name: str) -> Block:
    return Block((Layer(AvgPool(4), name="pool"), conv("conv"), Layer(FC(5), name="fc")), name=name, side=True)


def tiny() -> Graph:
    """Two inception modules, a residual block with an identity shortcut, and two auxiliary heads."""
    residual = Block((conv("conv1", 3, 8), Layer(ReLU(), name="relu"), conv("conv2", 3, 8)), name="residual")
    added = Block((residual, Block((), name="shortcut")), name="block", join=Add())
    end = (Layer(ReLU(), name="relu"), Layer(AvgPool(2), name="pool"), Layer(FC(5), name="fc"))
    items = (conv("stem", 3), inception("mixed1"), head("aux1"), inception("mixed2"), head("aux2"), added, *end)
    return lower(named(Spec("tiny_net", Block(items), (3, 8, 8))))


def image(graph: Graph) -> torch.Tensor:
    torch.manual_seed(0)
    return torch.rand(graph.tensors[graph.inputs[0]].shape)


def scope_at(graph: Graph, path: str) -> int:
    return next(index for index, scope in enumerate(graph.scopes) if scope.path == path)


def with_node(graph: Graph, op: Op, inputs: tuple[int, ...]) -> Graph:
    """The graph with one more op at its end, whose first output is the network's."""
    new = tuple(Tensor(shape) for shape in op.out_shapes(*(graph.tensors[index].shape for index in inputs)))
    outputs = tuple(range(len(graph.tensors), len(graph.tensors) + len(new)))
    name = f"more{len(graph.nodes)}"
    nodes = (*graph.nodes, Node(op, name, name, inputs, outputs))
    children = (*graph.scopes[0].children, ("node", len(graph.nodes)))
    root = graph.scopes[0]._replace(children=children, outputs=outputs[:1])
    outs = (Output("logits", outputs[0]),)
    return replace(graph, nodes=nodes, tensors=(*graph.tensors, *new), scopes=(root, *graph.scopes[1:]), outputs=outs)


@dataclass(frozen=True)
class Halves(Op):
    """Two outputs of one op."""

    call: Call = Call("torch.chunk", (2, 1))  # noqa: RUF009  a frozen record

    def out_shapes(self, *inputs: Shape) -> tuple[Shape, ...]:
        batch, channels, *axes = inputs[0]
        return ((batch, channels // 2, *axes),) * 2

    def torch(self, *inputs: Shape) -> Call:  # noqa: ARG002  the contract's signature
        return self.call


def test_forwards_read_like_those_that_people_write():
    graph = tiny()
    assert class_source(graph, 0).splitlines() == [
        "class TinyNetOutputs(NamedTuple):",
        "    logits: torch.Tensor",
        "    aux_logits2: torch.Tensor",
        "    aux_logits1: torch.Tensor",
        "",
        "",
        "class TinyNet(nn.Module):",
        "    def forward(self, x):",
        "        x = self.stem(x)",
        "        x = self.mixed1(x)",
        "        if self.training:",
        "            aux1 = self.aux1(x)",
        "        x = self.mixed2(x)",
        "        if self.training:",
        "            aux2 = self.aux2(x)",
        "        x = self.block(x)",
        "        x = self.relu(x)",
        "        x = self.pool(x)",
        "        x = torch.flatten(x, 1)",
        "        x = self.fc(x)",
        "        if self.training:",
        "            return TinyNetOutputs(x, aux2, aux1)",
        "        return x",
    ]
    assert forward_lines(graph, scope_at(graph, "mixed2"))[1:] == [
        "    branch1 = self.branch1(x)",
        "    branch2 = self.branch2(x)",
        "    return torch.cat([branch1, branch2], 1)",
    ]
    assert forward_lines(graph, scope_at(graph, "block"))[1:] == [
        "    residual = self.residual(x)",
        "    residual += x",
        "    return residual",
    ]


def test_a_shortcut_around_plain_layers_is_called_out():
    layers = (conv("conv1", 3), Layer(ReLU(), name="relu"), conv("conv2", 3, 3))
    plain = lower(named(Spec("plain", Block(layers), (3, 8, 8))))
    graph = with_node(plain, Add(), (plain.scopes[0].outputs[0], plain.inputs[0]))
    assert forward_lines(graph, 0) == [
        "def forward(self, x):",
        "    out = self.conv1(x)",
        "    out = self.relu(out)",
        "    out = self.conv2(out)",
        "    out += x",
        "    return out",
    ]
    model, x = module_of(graph), image(graph)
    assert torch.equal(model(x), x + model.conv2(model.conv1(x).relu()))


def test_several_results_get_a_variable_each():
    stem = lower(named(Spec("two", Block((conv("stem"),)), (3, 8, 8))))
    halves = with_node(stem, Halves(), stem.scopes[0].outputs)
    graph = with_node(with_node(halves, Plus(0.5), halves.nodes[-1].outputs[1:]), Add(inplace=False), (2, 4))
    assert forward_lines(graph, 0) == [
        "def forward(self, x):",
        "    x = self.stem(x)",
        "    x, out = torch.chunk(x, 2, 1)",
        "    out = out + 0.5",
        "    return x + out",
    ]
    model, x = module_of(graph), image(graph)
    first, second = model.stem(x).chunk(2, 1)
    assert torch.equal(model(x), first + (second + 0.5))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (Call("torch.chunk", (object,)), "unwritable-value: cannot write <class 'object'> as an argument in source"),
        (Call("torch.chunk", (float("inf"),)), "unwritable-value: cannot write inf as an argument in source"),
        (Call("os.system", ("true",)), "unknown-function: 'more1' calls 'os.system', no function of torch"),
        (Call("torch.load(1)#", ()), "unknown-function: 'more1' calls 'torch.load(1)#', no function of torch"),
        (Call("nn.Conv9d", ()), "unknown-module: 'more1' wants 'nn.Conv9d', no module of torch"),
        (Call("nn.init", ()), "unknown-module: 'more1' wants 'nn.init', no module of torch"),
    ],
)
def test_a_call_that_is_none_of_torch_is_refused(call: Call, message: str):
    stem = lower(named(Spec("one", Block((conv("stem"),)), (3, 8, 8))))
    with pytest.raises(Unsupported) as caught:
        module_of(with_node(stem, Halves(call), stem.scopes[0].outputs))
    assert str(caught.value) == message


def test_a_tensor_from_nowhere_is_refused():
    stem = lower(named(Spec("one", Block((conv("stem"),)), (3, 8, 8))))
    graph = with_node(stem, Plus(1.0), stem.scopes[0].outputs)
    lost = replace(graph, scopes=(graph.scopes[0]._replace(inputs=()),))
    with pytest.raises(Unsupported, match="tensor-elsewhere: 'one' uses a tensor that it neither gets nor makes"):
        module_of(lost)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("a-b", "bad-name: 'a-b' cannot name a part of a module"),
        ("class", "bad-name: 'class' cannot name a part of a module"),
        ("__init__", "bad-name: '__init__' cannot name a part of a module"),
        ("train", "reserved-name: 'train' in 'one' is a word of torch.nn.Module, and cannot name a part of one"),
        ("append", "reserved-name: 'append' in 'one' is a word of torch.nn.Module, and cannot name a part of one"),
        ("head.a", "module-elsewhere: 'head.a' runs within 'one', and is a module of another block"),
    ],
)
def test_a_name_that_no_attribute_can_have_is_refused(path: str, message: str):
    graph = lower(named(Spec("one", Block((conv("a"),)), (3, 8, 8))))
    with pytest.raises(Unsupported) as caught:
        module_of(replace(graph, nodes=(graph.nodes[0]._replace(path=path),)))
    assert str(caught.value).splitlines()[0] == message


def test_an_output_whose_name_no_field_can_have_is_refused():
    graph = tiny()
    outputs = (*graph.outputs[:2], graph.outputs[2]._replace(name="logits"))
    with pytest.raises(Unsupported, match="'logits' cannot name an output beside logits, aux_logits2, logits"):
        module_of(replace(graph, outputs=outputs))


def test_variables_never_hide_what_a_forward_refers_to():
    parallel = Block((Block((conv("a"),), name="torch"), Block((conv("a"),), name="self")), name="both", join=Concat())
    graph = lower(named(Spec("hidden", Block((parallel,)), (3, 8, 8))))
    assert forward_lines(graph, 1) == [
        "def forward(self, x):",
        "    torch_2 = self.torch(x)",
        "    self_2 = self.self(x)",
        "    return torch.cat([torch_2, self_2], 1)",
    ]
    assert module_of(graph)(image(graph)).shape == (1, 8, 8, 8)


def test_a_thousand_parts_are_written_in_a_second():
    layers = tuple(conv(f"conv{number}") for number in range(1000))
    graph = lower(named(Spec("long", Block(layers), (3, 8, 8))))
    graph = with_node(graph, Concat(), tuple(node.outputs[0] for node in graph.nodes))
    start = time.perf_counter()
    lines = forward_lines(graph, 0)
    assert time.perf_counter() - start < 1
    assert len(lines) == 1002


def test_the_package_imports_without_torch():
    code = "import sys, archscope.targets.forward, archscope.targets.torch_module; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_head_within_a_block_is_refused():
    block = Block((conv("a"), head("aux"), conv("b")), name="block")
    graph = lower(named(Spec("deep", Block((block, Layer(FC(5), name="fc"))), (3, 8, 8))))
    with pytest.raises(Unsupported, match="nested-head: 'aux' leaves the network from within 'block'"):
        module_of(graph)

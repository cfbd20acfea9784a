"""The built module: what it holds, how it runs, and that it is torchvision's where torchvision has the network."""

from __future__ import annotations

import copy
import functools
import io
import pickle
import traceback
from dataclasses import replace
from typing import Any

import pytest
import torch
import torchvision
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

import archscope
from archscope.graph.graph import Graph
from archscope.graph.lowering import lower
from archscope.ops.add import Add
from archscope.ops.avgpool import AvgPool
from archscope.ops.concat import Concat
from archscope.ops.conv import Conv
from archscope.ops.fc import FC
from archscope.ops.relu import ReLU
from archscope.spec.naming import named
from archscope.spec.network import Block, Layer, Spec
from archscope.targets.torch_module import module_of

VGGS = ("vgg11", "vgg11_lrn", "vgg13", "vgg16_c", "vgg16", "vgg19", "vgg11_bn", "vgg13_bn", "vgg16_bn", "vgg19_bn")
TORCHVISIONS = {name: name for name in VGGS if name not in ("vgg11_lrn", "vgg16_c")}
TORCHVISIONS |= {"alexnet_owt": "alexnet", "googlenet_torchvision": "googlenet"}


@functools.cache
def shipped(name: str, **changes: Any) -> Graph:
    return archscope.lower(name, **changes)


def conv(name: str, kernel: int = 1, out: int = 4) -> Layer:
    return Layer(Conv(kernel, out), name=name)


def inception(name: str) -> Block:
    branches = (Block((conv("0"), conv("1", 3)), name="branch1"), Block((conv("0"),), name="branch2"))
    return Block(branches, name=name, kind="inception", join=Concat())


def head(name: str) -> Block:
    return Block((Layer(AvgPool(4), name="pool"), conv("conv"), Layer(FC(5), name="fc")), name=name, side=True)


@functools.cache
def tiny(heads: int = 2) -> Graph:
    """Two inception modules, a residual block with an identity shortcut, and auxiliary heads."""
    residual = Block((conv("conv1", 3, 8), Layer(ReLU(), name="relu"), conv("conv2", 3, 8)), name="residual")
    added = Block((residual, Block((), name="shortcut")), name="block", join=Add())
    end = [Layer(ReLU(), name="relu"), Layer(AvgPool(2), name="pool"), Layer(FC(5), name="fc")]
    items = [conv("stem", 3), inception("mixed1"), inception("mixed2"), added, *end]
    if heads > 1:
        items.insert(3, head("aux2"))
    if heads > 0:
        items.insert(2, head("aux1"))
    return lower(named(Spec("tiny_net", Block(tuple(items)), (3, 8, 8))))


def image(graph: Graph, device: str = "cpu") -> torch.Tensor:
    torch.manual_seed(0)
    return torch.rand(graph.tensors[graph.inputs[0]].shape, device=device)


class Sequence(TorchDispatchMode):
    """Writes down the ATen ops that run."""

    def __init__(self) -> None:
        super().__init__()
        self.ops: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.ops.append(str(func))
        return func(*args, **(kwargs or {}))


def sequence_of(model: nn.Module, x: torch.Tensor) -> list[str]:
    with Sequence() as recorded:
        model(x)
    return recorded.ops


def theirs(name: str) -> nn.Module:
    """torchvision's network on the meta device."""
    with torch.device("meta"):
        return getattr(torchvision.models, TORCHVISIONS[name])(
            **({} if name == "alexnet_owt" else {"init_weights": False})
        )


@pytest.mark.parametrize("name", VGGS)
def test_every_row_has_the_shape_and_macs_of_the_graph(name: str):
    graph = shipped(name)
    model = module_of(graph, device="meta").eval()
    shapes: dict[str, tuple[int, ...]] = {}
    for path, module in model.named_modules():
        module.register_forward_hook(lambda _, __, out, path=path: shapes.update({path: tuple(out.shape)}))
    with FlopCounterMode(display=False) as counter:
        model(image(graph, "meta"))
    counts = counter.get_flop_counts()
    for node in graph.nodes:
        if node.op.torch(*graph.shapes_in(node)).is_module:
            assert shapes[node.path] == graph.shape_out(node)
            flops = sum(counts.get(f"{type(model).__name__}.{node.path}", {}).values())
            assert flops == 2 * node.op.macs(*graph.shapes_in(node)), node.path
    assert {key: tuple(its.shape) for key, its in model.named_parameters()} == {
        its.key: its.shape for its in graph.parameters
    }
    assert {key: tuple(its.shape) for key, its in model.named_buffers()} == {
        its.key: its.shape for its in graph.buffers
    }


@pytest.mark.parametrize("name", TORCHVISIONS)
@pytest.mark.parametrize("mode", [True, False], ids=["train", "eval"])
def test_the_same_operations_run_as_in_torchvision(name: str, mode: bool):
    graph = shipped(name, **({} if name == "googlenet_torchvision" else {"adaptive_pool": True}))  # its own is one
    x = image(graph, "meta").expand(2, -1, -1, -1)
    assert sequence_of(module_of(graph, device="meta").train(mode), x) == sequence_of(theirs(name).train(mode), x)


def test_without_an_adaptive_pool_that_is_all_that_is_missing():
    graph = shipped("vgg16")
    wanted = [
        op for op in sequence_of(theirs("vgg16"), image(graph, "meta")) if op != "aten._adaptive_avg_pool2d.default"
    ]
    assert sequence_of(module_of(graph, device="meta"), image(graph, "meta")) == wanted


@pytest.mark.parametrize("name", TORCHVISIONS)
def test_state_dict_keys_are_torchvisions(name: str):
    mine, its = module_of(shipped(name), device="meta").state_dict(), theirs(name).state_dict()
    assert {key: value.shape for key, value in mine.items()} == {key: value.shape for key, value in its.items()}


@pytest.mark.parametrize("name", ["vgg11", "googlenet_torchvision"])
def test_torchvisions_weights_load_and_give_the_same_bits(name: str):
    reference = getattr(torchvision.models, TORCHVISIONS[name])(init_weights=False).eval()
    graph = shipped(name)
    model = module_of(graph, device="meta").eval()
    model.load_state_dict(reference.state_dict(), strict=True, assign=True)
    with torch.no_grad():
        assert torch.equal(model(image(graph)), reference(image(graph)))


def test_heads_give_the_same_bits_as_torchvisions_while_training():
    reference = torchvision.models.googlenet(init_weights=False)
    graph = shipped("googlenet_torchvision")
    model = module_of(graph)
    model.load_state_dict(reference.state_dict(), strict=True)
    x = image(graph).repeat(2, 1, 1, 1) * torch.tensor([1.0, 2.0]).view(2, 1, 1, 1)
    results = []
    for each in (model, reference):
        torch.manual_seed(0)  # dropout
        results.append(each(x))
    assert results[0]._fields == results[1]._fields
    assert all(torch.equal(mine, its) for mine, its in zip(*results, strict=True))


def test_chains_are_sequential_and_keep_their_names():
    model = module_of(shipped("vgg16"), device="meta")
    assert type(model).__name__ == "Vgg16"
    assert [name for name, _ in model.named_children()] == ["features", "classifier"]
    assert type(model.features) is nn.Sequential
    assert type(model.features[0]) is nn.Conv2d
    assert type(module_of(tiny(0)).mixed1.branch1) is nn.Sequential


def test_equal_blocks_share_one_class():
    model = module_of(tiny())
    assert type(model.mixed1) is type(model.mixed2)
    assert type(model.mixed1).__name__ == "Inception"
    assert type(module_of(tiny())) is type(model)


def test_while_training_a_network_with_heads_returns_a_named_tuple():
    model = module_of(tiny())
    with torch.no_grad():
        outputs = model(image(tiny()))
    assert type(outputs).__name__ == "TinyNetOutputs"
    assert outputs._fields == ("logits", "aux_logits2", "aux_logits1")
    x = model.mixed1(model.stem(image(tiny())))
    assert torch.equal(outputs.aux_logits1, model.aux1(x))
    assert torch.equal(outputs.aux_logits2, model.aux2(model.mixed2(x)))
    assert torch.equal(model.eval()(image(tiny())), outputs.logits)
    for again in (pickle.loads(pickle.dumps(outputs)), copy.deepcopy(outputs)):  # noqa: S301  our own bytes
        assert type(again) is type(outputs)
        assert torch.equal(again.logits, outputs.logits)


def test_a_single_head_has_no_number():
    assert module_of(tiny(1))(image(tiny()))._fields == ("logits", "aux_logits")
    assert isinstance(module_of(tiny(0))(image(tiny())), torch.Tensor)


@pytest.mark.parametrize("again", ["deepcopy", "pickle", "torch.save"])
def test_copies_run_on_their_own(again: str):
    model = module_of(tiny()).eval()
    model.fc = nn.Linear(model.fc.in_features, 7)
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    copies = {
        "deepcopy": lambda: copy.deepcopy(model),
        "pickle": lambda: pickle.loads(pickle.dumps(model)),  # noqa: S301
        "torch.save": lambda: torch.load(file, weights_only=False),
    }
    twin = copies[again]()
    x = image(tiny())
    assert torch.equal(twin(x), model(x))
    assert twin(x).shape == (1, 7)
    with torch.no_grad():
        twin.stem.weight.zero_()
    assert not torch.equal(twin(x), model(x))


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
def test_compiles_without_a_break(training: bool):
    torch._dynamo.reset()
    model = module_of(tiny()).train(training)
    compiled = torch.compile(model, fullgraph=True, backend="eager")
    for mine, its in zip(compiled(image(tiny())), model(image(tiny())), strict=True):
        assert torch.equal(mine, its)


def test_exports():
    model = module_of(tiny()).eval()
    exported = torch.export.export(model, (image(tiny()),))
    assert torch.equal(exported.module()(image(tiny())), model(image(tiny())))


def test_hooks_fire_on_blocks_and_replaced_children_are_used():
    model = module_of(tiny()).eval()
    seen: list[tuple[int, ...]] = []
    model.mixed2.register_forward_hook(lambda _, __, out: seen.append(tuple(out.shape)))
    model.fc = nn.Identity()
    assert model(image(tiny())).shape == (1, 8 * 4 * 4)
    assert seen == [(1, 8, 8, 8)]


def test_gradients_reach_every_parameter():
    model = module_of(tiny())
    sum(output.sum() for output in model(image(tiny()))).backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_a_module_called_twice_is_made_once():
    graph = lower(named(Spec("twice", Block((conv("a", 3, 3), conv("b", 3, 3))), (3, 8, 8))))
    nodes = (graph.nodes[0], graph.nodes[1]._replace(path="a", call=1, parameters=graph.nodes[0].parameters))
    model = module_of(replace(graph, nodes=nodes, parameters=graph.parameters[:2]))
    x = image(graph)
    assert [key for key, _ in model.named_parameters()] == ["a.weight", "a.bias"]
    assert torch.equal(model(x), model.a(model.a(x)))


def test_a_parameter_of_two_modules_is_one_tensor():
    graph = lower(named(Spec("tied", Block((conv("a", 3, 3), conv("b", 3, 3))), (3, 8, 8))))
    tied = graph.nodes[1]._replace(
        parameters={**graph.nodes[1].parameters, "weight": graph.nodes[0].parameters["weight"]}
    )
    model = module_of(replace(graph, nodes=(graph.nodes[0], tied)))
    assert model.get_parameter("a.weight") is model.get_parameter("b.weight")
    assert model.get_parameter("a.bias") is not model.get_parameter("b.bias")


def test_tracebacks_show_the_source():
    with pytest.raises(RuntimeError) as caught:
        module_of(tiny())(torch.rand(1, 4, 8, 8))
    assert "x = self.stem(x)" in "".join(traceback.format_exception(caught.value))


def test_dtype_and_device_reach_every_tensor():
    model = module_of(shipped("vgg11_bn"), device="meta", dtype=torch.bfloat16)
    tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    assert {its.device.type for its in tensors.values()} == {"meta"}
    assert {its.dtype for key, its in tensors.items() if "num_batches" not in key} == {torch.bfloat16}

"""The exported table: it reads back as the same network, whatever was changed; of modules too, where it can."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import archscope
from archscope import catalog
from archscope.core.errors import ArchscopeError, Unsupported, UsageError
from archscope.graph.graph import Graph
from archscope.graph.raising import raised
from archscope.graph.sameness import parting
from archscope.ops import Elementwise
from archscope.spec.network import Block, Layer, Spec
from archscope.spec.notation import read

NETWORKS = sorted(catalog.everything())
KINDS = ["vgg13", "alexnet", "googlenet", "resnet18", "mobilenet_v2", "squeezenet1_1", "inception_v3", "densenet121"]
CHANGES: list[dict[str, Any]] = [
    {"width": "1/3", "round_to": 4, "num_classes": 10}, {"bn": "relu+fc", "conv_bias": True}, {"bn": "none"},
    {"adaptive_pool": True, "input_size": (320, 256)}, {"dense": True, "dropout": 0.1},
    {"head": "gap", "in_channels": 1},
    {"softmax": True, "aux": False}, {"transform_input": True, "head_width": "1/8"},
]  # fmt: skip
OVERRIDDEN: list[tuple[str, dict[str, Any]]] = [
    ("vgg16", {"blocks": [1, 1, 2, 2, 2]}), ("vgg11", {"blocks": [64, "M", 128, "M"]}),
    ("resnet50", {"blocks": [1, 2, 3, 1]}), ("densenet121", {"blocks": [2, 3, 4, 2], "width": "1/2"}),
    ("googlenet", {"set": {"inception (4a).#3×3": "192", "inception (3a).#1×1": "8"}}),
    ("lenet5", {"conv_bias": False}), ("se_resnet50", {"width": "1/2"}),
]  # fmt: skip
CAPTURED = [
    "alexnet", "vgg11_bn", "resnet18", "resnext50_32x4d", "squeezenet1_0", "densenet121", "mobilenet_v2",
    "googlenet(aux_logits=False, init_weights=False)", "inception_v3(aux_logits=False, init_weights=False)",
]  # fmt: skip


def read_back(text: str | bytes, folder: Path) -> tuple[Spec, Graph]:
    (folder / "net.toml").write_text(str(text), encoding="utf-8")
    return archscope.load(f"{folder}/net.toml", softmax=True), archscope.lower(f"{folder}/net.toml", softmax=True)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_reads_back_as_the_same_graph(name: str, tmp_path: Path) -> None:
    _, found = read_back(archscope.export(name, "toml"), tmp_path)
    expected = archscope.lower(name)
    assert parting(expected, found) == ""
    assert (found.name, found.title, found.source) == (expected.name, expected.title, expected.source)


@pytest.mark.parametrize("name", KINDS)
def test_what_was_changed_is_in_its_cells_and_said_with_its_numbers(name: str, tmp_path: Path) -> None:
    made = 0
    for changes in CHANGES:
        try:
            expected = archscope.lower(name, **changes)
        except ArchscopeError:  # a network without such a part
            continue
        _, found = read_back(archscope.export(name, "toml", **changes), tmp_path)
        assert parting(expected, found) == ""
        assert found.changes == expected.changes
        made += bool(found.changes)
    assert made >= 4


@pytest.mark.parametrize(("name", "changes"), OVERRIDDEN)
def test_other_blocks_and_cells_read_back_too(name: str, changes: dict[str, Any], tmp_path: Path) -> None:
    _, found = read_back(archscope.export(name, "toml", **changes), tmp_path)
    assert parting(archscope.lower(name, **changes), found) == ""


def test_it_can_be_changed_as_the_network_itself_can(tmp_path: Path) -> None:
    for name in ("mobilenet_v2", "googlenet", "densenet121"):
        own, _ = read_back(archscope.export(name, "toml"), tmp_path)
        once, twice = archscope.lower(own, width="1/4"), archscope.lower(name, width="1/4")
        assert parting(once, twice) == ""


def test_it_reads_as_a_paper_s_table_does() -> None:
    text = str(archscope.export("resnet152", "toml"))
    assert "| layer3  | residual_block_2 256, 1024; 35× residual_block 256, 1024 |" in text
    assert len(text.splitlines()) < 80
    assert "| inception4e | inception 256, 160, 320, 32, 128, 128 |" in str(archscope.export("googlenet", "toml"))
    narrow = str(archscope.export("vgg16", "toml", width="1/4"))
    assert re.search(r"\| features\.conv1_1 +\| conv3-16 +\|", narrow)
    assert 'changes = ["width=1/4"]' in narrow


@pytest.mark.parametrize("call", CAPTURED)
def test_networks_of_torchvision_become_tables_of_the_same_layers(call: str, tmp_path: Path) -> None:
    captured = archscope.capture(f"torchvision.models:{call}")
    _, found = read_back(archscope.export(f"torchvision.models:{call}", "toml"), tmp_path)
    assert parting(archscope.lower(raised(captured)), found) == ""
    assert [node.op for node in found.nodes] == [node.op for node in captured.nodes]
    assert [found.shape_out(node) for node in found.nodes] == [captured.shape_out(node) for node in captured.nodes]
    assert sorted(each.key for each in found.parameters) == sorted(each.key for each in captured.parameters)
    with torch.device("meta"):
        state = archscope.build(f"{tmp_path}/net.toml").state_dict()
    assert {key: each.shape for key, each in state.items()} == {
        each.key: torch.Size(each.shape) for each in (*captured.parameters, *captured.buffers)
    }


class Called(nn.Module):
    """A module whose forward is given: what may go wrong in one."""

    def __init__(self, forward: Any, **parts: nn.Module) -> None:
        super().__init__()
        self.run = forward
        for name, part in parts.items():
            self.add_module(name, part)

    def forward(self, x: torch.Tensor) -> Any:
        return self.run(self, x)


class Adding(nn.Module):
    """The sum of what it gets, convolved: what a dense block's layer does with a concatenation."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1)

    def forward(self, *tensors: torch.Tensor) -> torch.Tensor:
        return self.conv(sum(tensors[1:], tensors[0]))  # type: ignore[no-any-return]


class Joining(nn.Module):
    """Joins all that it is given, and convolves it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, 3, 1)

    def forward(self, *given: torch.Tensor) -> torch.Tensor:
        return self.conv(torch.cat(given, 1))


class Leaking(nn.Module):
    """What it makes first gets out of it by another way than as its result."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.kept = x.relu()
        return self.kept.sigmoid()


def leaked(module: Any, x: torch.Tensor) -> torch.Tensor:
    module.inner(x)
    return module.inner.kept


CONV, CONV_1 = nn.Conv2d(3, 3, 3, padding=1), nn.Conv2d(3, 3, 1)
FROZEN = nn.Conv2d(3, 3, 1).requires_grad_(False)
WITH_MEAN = Called(lambda m, x: m.a(x), a=CONV)
WITH_MEAN.register_buffer("mean", torch.zeros(3))
WRONG = {
    "no-notation: 'linalg_inv' is linalg_inv, and no cell can say that": Called(lambda _, x: torch.linalg.inv(x)),
    "shared-parameter: 'a' shares its weight with another layer": Called(lambda m, x: m.a(m.a(x)), a=CONV),
    "idle-parameter: 'b.weight' is a parameter that no layer uses": Called(lambda m, x: m.a(x), a=CONV, b=CONV_1),
    "frozen-parameter: 'a.weight' is frozen": Called(lambda m, x: m.a(x), a=FROZEN),
    "one-way: Called has 1 inputs and 2 outputs": Called(lambda m, x: (m.a(x), x + x), a=CONV),
    "unwritable-block: 'concat' (Concat) joins one tensor with no other: no table can say that": Called(
        lambda m, x: m.a(torch.cat([x], 1)), a=CONV
    ),
    "unwritable-block: 'two' (a block) begins a way that meets no other": Called(
        lambda m, x: torch.cat([x, y := m.one(x), m.two(x, y)], 1),
        one=Called(lambda m, x: m.a(x), a=CONV), two=Adding(),
    ),
    "unwritable-block: 'add' (Add) uses what is made elsewhere": Called(
        lambda m, x: torch.cat([m.a(y := m.b(x) + x), m.c(x) + y], 1),
        a=CONV, b=nn.Conv2d(3, 3, 1), c=nn.Conv2d(3, 3, 1),
    ),
    "unwritable-block: 'a' (Conv) begins a way that meets no other": Called(
        lambda m, x: m.both(m.a(x), m.b(x)), a=CONV, b=nn.Conv2d(3, 3, 1), both=Joining(6)
    ),
    "unwritable-block: 'first' (a block) begins a way that meets no other": Called(
        lambda m, x: m.last(m.second(x, m.first(x))), first=Joining(3), second=Joining(6), last=nn.ReLU()
    ),
    "unwritable-block: 'two' takes 1 tensors and returns 2": Called(
        lambda m, x: torch.add(*m.two(x)), two=Called(lambda m, x: (y := m.conv(x), y.relu()), conv=CONV)
    ),
    "unwritable-block: 'relu' (ReLU) is used by none of the branches beside it": Called(
        lambda m, x: (x.relu(), m.a(x) + m.b(x))[1], a=CONV, b=nn.Conv2d(3, 3, 1)
    ),
    "unwritable-block: 'Called' uses what is made elsewhere": Called(leaked, inner=Leaking()),
    "other-order: Called runs other ops than its layers, or keeps parameters or buffers that they do not": WITH_MEAN,
}  # fmt: skip


@pytest.mark.parametrize("text", WRONG)
def test_what_no_table_can_say_is_an_error_that_names_it(text: str) -> None:
    with pytest.raises(Unsupported) as caught:
        archscope.export(WRONG[text], "toml", input=(3, 8, 8))
    assert text in str(caught.value)


def test_branches_that_run_in_another_order_than_they_are_joined_in_are_refused() -> None:
    def forward(module: Any, x: torch.Tensor) -> torch.Tensor:
        late = module.late(x)
        return torch.cat([module.early(x), late], 1)

    odd = Called(forward, early=CONV, late=nn.Conv2d(3, 3, 1))
    with pytest.raises(Unsupported, match=r"other-order: 'late' .Conv. runs in another place than its branch"):
        archscope.export(odd, "toml", input=(3, 8, 8))


def test_an_op_without_a_notation_is_named() -> None:
    class Odd(Elementwise):
        __slots__ = ()
        __dataclass_fields__ = {}  # noqa: RUF012  as a dataclass without fields

    spec = Spec("net", Block((Layer(Odd(), name="mine", module="mine"),)), (3, 8, 8))
    with pytest.raises(Unsupported, match="no-notation: 'mine' is Odd, and no cell can say that"):
        archscope.export(spec, "toml")


def test_a_name_that_would_break_the_grid_is_refused() -> None:
    spec = archscope.load(["conv3-8"], input=(3, 8, 8), name="a|b")
    with pytest.raises(Unsupported, match=r"unwritable-cell: 'a\|b' has a bar"):
        archscope.export(spec, "toml")


def test_blocks_that_no_table_wires_so_are_refused() -> None:
    conv = Layer(read("conv3-8"), name="conv", module="conv")
    heads = Block((conv,), name="head", module="head", kind="other", side=True)
    around = Block((conv,), name="odd", module="odd", when="shapes differ")
    inner = Block((conv,), name="deep", module="deep", section=True)
    outer = Block((inner,), name="outer", module="outer", section=True)
    wrong = (((conv, heads), "is no auxiliary head"), ((around,), "is wired in a way"), ((outer,), "within"))
    for items, text in wrong:
        with pytest.raises(Unsupported, match=text):
            archscope.export(Spec("net", Block(items), (3, 8, 8)), "toml")


def test_text_of_a_title_is_quoted(tmp_path: Path) -> None:
    spec = archscope.load(["conv3-8", "FC-10"], input=(3, 8, 8), name="net")
    odd = 'a "quoted" \\ title\x7f\n[networks]'
    from dataclasses import replace

    text = str(archscope.export(replace(spec, title=odd), "toml"))
    assert tomllib.loads(text)["title"] == odd
    assert read_back(text, tmp_path)[0].title == odd


def test_weights_are_for_onnx_only() -> None:
    with pytest.raises(UsageError, match="weights is 'torchvision', and only onnx files hold weights"):
        archscope.export("vgg11", "toml", weights="torchvision")

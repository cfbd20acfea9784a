"""Explanations as plain data, through the public verb."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torchvision

import archscope
from archscope.core.errors import UsageError
from archscope.core.records import Setting
from archscope.studies.explaining.explanation import explained_in_brief


def test_a_layer_says_where_it_stands_and_what_it_reads() -> None:
    found = archscope.explain("vgg16", "conv3_2")
    assert (found.network, found.kind, found.name) == ("vgg16", "layer", "conv3_2")
    assert found.place == ("tables/vgg.toml", 22, "row 10, column D", "conv3-256")
    assert dict(found.facts) == {
        "in the table": "row 10, column D: conv3-256",
        "file": "tables/vgg.toml, line 22",
        "op": "conv3-256, features.12 in the built module",
        "reads": "relu3_1, 256×56×56",
        "read by": "relu3_2",
    }
    assert [section.name for section in found.sections] == ["size", "cost", "receptive field on the image"]
    values = {step.quantity: step.value for section in found.sections for step in section.steps}
    assert values == {
        "output side": 56, "output_shape": (256, 56, 56), "params": 590_080, "macs": 1_849_688_064,
        "activations": 802_816, "saved_activation_bytes": 0, "receptive_field": 32, "jump": 4, "start": -14,
    }  # fmt: skip
    assert found.steps("params")[0].numbers == "(3·3·256)·256 + 256"
    assert {term.symbol: term.value for term in found.terms} == {
        "M": 56, "C": 256, "K": 3, "C′": 256, "S": 1, "P": 1, "r": 24, "j": 4, "a": -10,
    }  # fmt: skip


def test_a_block_adds_up_what_its_layers_have() -> None:
    found = archscope.explain("googlenet", "inception (3a)")
    assert (found.kind, found.name) == ("block", "inception3a")
    for quantity in ("params", "macs"):
        section = next(each for each in found.sections if each.steps[0].quantity == quantity)
        *parts, total = section.steps
        assert total.value == sum(step.value for step in parts)
    assert found.steps("receptive_field")[0].remarks == ("of what it reads: 27",)
    names = [section.name for section in found.sections]
    assert names[-2:] == ["1×1 in front of larger kernels", "closed forms"]


def test_a_large_block_adds_up_its_blocks() -> None:
    found = archscope.explain("resnet152", "layer3")
    section = next(each for each in found.sections if each.name == "params")
    assert [step.label for step in section.steps[:2]] == ["0", "1"]
    assert len(section.steps) == 36 + 1
    assert section.steps[-1].value == sum(step.value for step in section.steps[:-1])


def test_a_network_has_closed_forms_and_what_a_pool_saves() -> None:
    found = archscope.explain("vgg16")
    assert [section.name for section in found.sections] == [
        "cost", "receptive field on the image", "global average pooling against FC layers", "closed forms",
    ]  # fmt: skip
    totals = archscope.profile("vgg16").totals
    cost = {step.quantity: step.value for step in found.sections[0].steps}
    assert cost == {name: totals[name].value for name in ("params", "macs", "activations")}
    assert dict(found.facts)["layers"] == "39, 16 of them with weights, 16 in a row"


def test_depth_names_the_layers_that_count() -> None:
    (section,) = archscope.explain("vgg16", "depth").sections
    assert [step.value for step in section.steps] == [2, 2, 3, 3, 3, 3, 16]
    assert section.steps[2].numbers == "conv3_1 + conv3_2 + conv3_3"
    assert "not counted: 15 ReLU, 5 MaxPool, 1 Flatten, 2 Dropout" in section.notes
    (section,) = archscope.explain("googlenet", "depth").sections
    assert section.steps[-1].value == 22
    assert any(note.startswith("36 more weight layers run beside the longest path") for note in section.notes)
    assert section.notes[-1] == "auxiliary heads run only while training, and do not count"


def test_all_layers_at_once() -> None:
    found = archscope.explain("vgg16", everything=True)
    rows = {row.name: row for row in found.rows}
    assert rows["conv2_1"].weights == ("(K·K·C)·C′", "(3·3·64)·128", 73_728)
    assert rows["conv2_1"].biases == ("C′", "128", 128)
    assert rows["relu2_1"].weights is None
    assert len(rows) == 39
    weights = sum(row.weights.value + row.biases.value for row in found.rows if row.weights and row.biases)
    assert weights == 138_357_544
    assert len(archscope.explain("googlenet", everything=True).rows) == 140
    assert len(archscope.explain("googlenet", everything=True, mode="train").rows) == 156


def test_layers_against_others() -> None:
    found = archscope.explain("vgg16", "conv3_2,conv3_3", instead="conv5-256")
    assert (found.kind, found.name) == ("exchange", "conv3_2,conv3_3")
    assert dict(found.facts)["instead"] == "conv5-256, relu"
    several = archscope.explain("vgg16", "conv3_1", instead=" conv3-256 ; conv3-256")
    assert several == archscope.explain("vgg16", "conv3_1", instead=["conv3-256", "conv3-256"])
    assert dict(several.facts)["instead"] == "conv3-256, relu, conv3-256, relu"


def test_changes_are_told() -> None:
    found = archscope.explain("vgg16", "conv3_2", width="1/2", batch=4)
    assert found.changes == ("width=1/2",)
    assert found.steps("macs")[0].numbers == "(4·56·56·128)·(3·3·128)"


def test_a_graph_is_explained_too() -> None:
    graph = archscope.lower("vgg16", 2)
    assert archscope.explain(graph, "conv3_2").steps("macs")[0].value == 2 * 1_849_688_064
    assert archscope.explain(graph).terms[0][:2] == ("N", 2)


def test_items_written_in_python_stand_nowhere() -> None:
    spec = archscope.load(["a: conv3-8", "relu"], input=(3, 16, 16))
    found = archscope.explain(spec, "a")
    assert found.steps("params")[0].value == 224
    assert archscope.explain(spec).kind == "network"


class Scaled(torch.nn.Module):
    """A convolution, a scale that is learnt, a gate, and a mean over the map."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 8, 3, padding=1)
        self.scale = torch.nn.Parameter(torch.ones(8, 1, 1))
        self.gate = torch.nn.Conv2d(8, 8, 1)
        self.head = torch.nn.Linear(8, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv(x) * self.scale
        x = torch.sigmoid(self.gate(x.mean((2, 3), keepdim=True))) * x
        return self.head(x.mean((2, 3)))


def test_a_module_is_explained_as_far_as_its_ops_are_known() -> None:
    found = archscope.explain(Scaled(), "conv", input=(3, 16, 16))
    assert found.steps("params")[0].numbers == "(3·3·3)·8 + 8"
    assert found.steps("receptive_field")[0].value == 3
    assert dict(found.facts)["in the code"] == "x = self.conv(x) * self.scale"
    graph = archscope.capture(Scaled(), (3, 16, 16))
    rows = archscope.profile(graph, columns=("params", "macs", "activations", "receptive_field")).rows
    for node, row in zip(graph.nodes, rows, strict=True):
        one = archscope.explain(graph, node.path)
        for quantity, value in row.values.items():
            assert one.steps(quantity)[0].value == value, (node.path, quantity)
    assert archscope.explain(graph).sections[-1].notes == (
        "no closed forms: the sizes of some ops were seen while the module ran, at this input",
    )
    with pytest.raises(UsageError, match="a Graph has no cells"):
        archscope.explain(Scaled(), "conv", input=(3, 16, 16), instead="conv3-8")


def test_torchvisions_module_has_the_closed_forms_of_the_table() -> None:
    graph = archscope.capture(torchvision.models.resnet18, (3, 224, 224))
    captured = {step.quantity: step for step in archscope.explain(graph).sections[-1].steps}
    assert captured["macs"].value == archscope.profile("resnet18").totals["macs"].value
    assert captured["macs"].symbols == "N·(37,011,456·k² + 512,000)"
    assert archscope.profile(graph, columns=("receptive_field",)).totals["receptive_field"].value == 435


@pytest.mark.parametrize(
    ("arguments", "keywords", "message"),
    [
        (("vgg16", "conv3_1"), {"everything": True}, "either all layers are explained, a line each, or one part"),
        (("vgg16",), {"instead": "conv3-64"}, "instead needs a layer, or several: conv3_1,conv3_2"),
        (("vgg16", "depth"), {"instead": "conv3-64"}, "'depth' is no layer or block that cells could stand for"),
        (("vgg16", "vgg16"), {"instead": "conv3-64"}, "'vgg16' is no layer or block that cells could stand for"),
        (("vgg16",), {"batch": 0}, "batch is 0"),
        (
            (archscope.lower("vgg11"), "conv1_1"),
            {"batch": 2},
            "a Graph has its sizes, and this one is for a batch of 1",
        ),
        (
            (archscope.lower("vgg11"), "conv1_1"),
            {"instead": "conv3-64"},
            "a Graph has no cells that others could stand for",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: tuple[Any, ...], keywords: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        archscope.explain(*arguments, **keywords)
    assert message in str(caught.value)


def test_the_parts_of_a_network_in_brief_are_what_each_is_alone_without_closed_forms() -> None:
    spec = archscope.load("googlenet")
    graph = archscope.lower(spec)
    found = explained_in_brief(graph, Setting(), ["conv1", "maxpool1", "inception3a", "maxpool1"])
    assert list(found) == ["conv1", "maxpool1", "inception3a"]
    assert found["maxpool1"] == archscope.explain(spec, "maxpool1")
    whole = archscope.explain(spec, "inception3a")
    assert found["inception3a"].sections == tuple(each for each in whole.sections if each.name in BRIEF)
    assert found["inception3a"].facts == whole.facts


BRIEF = {"params", "MACs", "activations", "receptive field on the image"}

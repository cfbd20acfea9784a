"""Rules on networks: each finds its fault with the number that proves it, and is silent where all is right."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import archscope
from archscope import catalog, linting
from archscope.api.lints import promised
from archscope.core.source import Source
from archscope.graph.graph import Graph
from archscope.linting import Finding
from archscope.linting.sources.syntax import script_of


def graph_of(cells: list[Any], shape: tuple[int, int, int] = (3, 32, 32), name: str = "mine") -> Graph:
    return archscope.lower(archscope.load(cells, input=shape, name=name), 2)


def found(graph: Graph | str, rule: str, **changes: Any) -> list[Finding]:
    return list(archscope.lint(graph, select=[rule], **changes))


def one(graph: Graph | str, rule: str, **changes: Any) -> Finding:
    (only,) = found(graph, rule, **changes)
    assert all((only.what, only.why, only.mend, only.source))
    assert only.id == rule
    return only


KNOWN = {"inception_v3_torchvision": ["batch-norm-of-one"]}
"""Shipped networks of which a rule warns."""


@pytest.mark.parametrize("name", sorted(catalog.everything()))
def test_no_shipped_network_has_an_error_and_only_known_ones_a_warning(name: str) -> None:
    assert [each.id for each in archscope.lint(name) if each.level != linting.INFO] == KNOWN.get(name, [])


def test_a_vgg13_of_eleven_layers_is_configuration_a() -> None:
    finding = one(replace(archscope.lower("vgg11"), name="VGG_13"), "name-and-depth")
    assert finding.level == linting.ERROR
    assert finding.what == "'VGG_13' has 11 weight layers, 1+1+2+2+2+3 by resolution: it is vgg11"
    assert "132,863,336 against 133,047,848; the MACs do: 7.61 G against 11.31 G" in finding.why
    assert finding.mend == "give it 13 weight layers, or call it VGG11"


def test_a_vgg16_without_one_conv_is_no_vgg16() -> None:
    finding = one("vgg16", "name-and-depth", blocks=[2, 2, 2, 3, 3])
    assert finding.what == "'vgg16' has 15 weight layers, 2+2+2+3+3+3 by resolution"


@pytest.mark.parametrize("name", ["vgg16", "resnet50", "densenet264", "wide_resnet50_2", "mobilenet_v2"])
def test_a_name_that_fits_its_depth_is_fine(name: str) -> None:
    assert found(archscope.lower(name), "name-and-depth") == []


@pytest.mark.parametrize(("classes", "least"), [(2, "0.313"), (10, "1.461"), (1000, "5.909")])
def test_a_soft_max_keeps_the_loss_from_falling(classes: int, least: str) -> None:
    finding = one(graph_of(["conv3-8", "relu", f"FC-{classes}", "soft-max"]), "softmax-before-loss")
    assert finding.level == linting.WARNING
    assert finding.why.endswith(f"cannot fall below ln(e + {classes - 1:,}) - 1 = {least}")


def test_the_least_loss_is_what_torch_computes() -> None:
    torch = pytest.importorskip("torch")
    from archscope.linting.softmax_before_loss import least_loss

    for classes in (2, 10, 1000):
        logits = torch.zeros(1, classes, dtype=torch.float64)
        logits[0, 0] = 1e3
        loss = torch.nn.functional.cross_entropy(torch.softmax(logits, dim=1), torch.tensor([0]))
        assert loss.item() == pytest.approx(least_loss(classes), abs=1e-12)


def test_with_the_loss_in_sight_a_soft_max_is_an_error() -> None:
    script = script_of(Source("train.py", "from torch import nn\ncriterion = nn.CrossEntropyLoss()\n"))
    graph = graph_of(["conv3-8", "relu", "FC-2", "relu", "soft-max"])
    subject = linting.Subject("mine", graph, script=script)
    levels = {each.id: each.level for each in linting.findings(subject)}
    assert levels["softmax-before-loss"] == linting.ERROR
    assert levels["activation-on-logits"] == linting.ERROR


def test_logits_are_fine_and_so_is_a_relu_before_the_last_pool() -> None:
    assert found("vgg16", "softmax-before-loss") == []
    assert found("squeezenet1_0", "activation-on-logits") == []
    assert found("nin_imagenet", "activation-on-logits") == []


def test_a_relu_after_the_last_layer_cuts_logits_off() -> None:
    finding = one(graph_of(["conv3-8", "relu", "FC-10", "relu"]), "activation-on-logits")
    assert finding.level == linting.WARNING
    assert "ln 10 = 2.303" in finding.why


def test_a_bias_before_batch_norm_is_counted() -> None:
    finding = one("vgg16_bn", "bias-before-batch-norm")
    assert finding.level == linting.INFO
    assert finding.what == "13 layers with a bias in front of batch norm"
    assert finding.why.startswith("4,224 params")
    assert found("resnet50", "bias-before-batch-norm") == []


def test_a_share_that_is_kept_is_not_dropped() -> None:
    graph = replace(archscope.lower("googlenet", dropout=0.3), name="googlenet")
    finding = one(graph, "dropout-share")
    assert finding.level == linting.ERROR
    assert finding.what == "dropout 0.3 where the paper drops 0.7"
    assert one(graph_of(["conv3-8", "relu", "dropout 0.8", "FC-10"]), "dropout-share").level == linting.WARNING
    assert found("googlenet", "dropout-share") == []


def test_dropout_that_the_paper_has_is_missed() -> None:
    cells = ["conv3-64", "relu", "maxpool", "FC-4096", "relu", "FC-4096", "relu", "FC-10"]
    assert one(graph_of(cells, (3, 64, 64)), "dropout-missing").level == linting.INFO
    graph = archscope.lower("vgg11")
    without = replace(graph, name="VGG11", nodes=tuple(n for n in graph.nodes if type(n.op).__name__ != "Dropout"))
    bridged = _bridged(graph, without)
    findings = found(bridged, "dropout-missing")
    assert [each.what for each in findings] == ["no dropout after fc6, fc7"]
    assert findings[0].level == linting.WARNING
    assert found(replace(graph, name="VGG11"), "dropout-missing") == []


def _bridged(whole: Graph, part: Graph) -> Graph:
    """A graph without some nodes of one input: who read their results reads their inputs."""
    kept = {node.path for node in part.nodes}
    same = {node.outputs[0]: node.inputs[0] for node in whole.nodes if node.path not in kept}
    return replace(part, nodes=tuple(n._replace(inputs=tuple(same.get(t, t) for t in n.inputs)) for n in part.nodes))


def test_layers_without_an_activation_between_them_are_one_layer() -> None:
    finding = one(graph_of(["conv3-8", "batchnorm", "conv3-8", "relu", "FC-10"]), "missing-activation")
    assert finding.level == linting.WARNING
    assert finding.what == "no activation between 1 pair of layers: 0 and 2"
    finding = one(graph_of(["conv3-8", "avgpool", "conv3-8", "dropout", "FC-16", "FC-10"]), "missing-activation")
    assert finding.level == linting.ERROR
    assert finding.why == "a linear map of a linear map is a linear map: all 4 layers are one"
    assert found(graph_of(["conv3-8", "maxpool", "conv3-8", "tanh", "FC-10"]), "missing-activation") == []


def test_krizhevskys_alpha_under_torchs_formula_is_too_small() -> None:
    finding = one(graph_of(["conv3-8", "relu", "LRN alpha=1e-4", "FC-10"]), "lrn-alpha")
    assert finding.mend == "alpha=0.0005"
    assert "5 times less" in finding.why
    assert found("alexnet", "lrn-alpha") == []
    assert found("googlenet_lrn", "lrn-alpha") == []


def test_a_pool_that_never_reads_the_last_row_is_noted() -> None:
    finding = one(graph_of(["conv7-64/2", "maxpool3/2", "FC-10"], (3, 224, 224)), "pool-rounding")
    assert finding.level == linting.INFO
    assert finding.what == "the pool reads 111 of 112 rows, and makes 55"
    assert found("googlenet", "pool-rounding") == []
    assert found("resnet50", "pool-rounding") == []


def test_a_pool_that_rounds_otherwise_than_the_papers_is_a_warning() -> None:
    graph = archscope.lower("squeezenet1_0", input_size=(224, 224))
    nodes = tuple(
        node._replace(op=replace(node.op, ceil_mode=False)) if getattr(node.op, "ceil_mode", False) else node
        for node in graph.nodes
    )
    findings = found(replace(graph, nodes=nodes, name="SqueezeNet1_0"), "pool-rounding")
    assert {each.level for each in findings} == {linting.WARNING}
    assert "ceil_mode=True" in {each.mend for each in findings}


def test_padding_around_a_1x1_kernel_makes_positions_of_bias_alone() -> None:
    finding = one(graph_of(["conv3-8", "relu", "conv1-10 padding=1", "FC-10"], (3, 13, 13)), "padding-beyond-kernel")
    assert finding.why.startswith("13×13 becomes 15×15, and 56 of those positions")
    assert found("vgg16_c", "padding-beyond-kernel") == []


def test_a_relu_before_the_addition_is_noticed() -> None:
    block = {"join": "add", "branches": [["conv3-8", "relu", "conv3-8", "relu"], []]}
    finding = one(graph_of(["conv3-8", "relu", block, block, "FC-10"]), "residual-order")
    assert finding.what == "ReLU before the addition in 2 residual blocks"
    right = {"join": "add", "branches": [["conv3-8", "relu", "conv3-8"], []]}
    assert found(graph_of(["conv3-8", "relu", right, "relu", "FC-10"]), "residual-order") == []


def test_batch_norm_over_one_value_needs_two_examples() -> None:
    finding = one(graph_of(["conv3-8", "relu", "FC-16", "batchnorm", "relu", "FC-10"]), "batch-norm-of-one")
    assert finding.level == linting.WARNING
    script = script_of(Source("t.py", "from torch.utils.data import DataLoader\nl = DataLoader(d, drop_last=True)\n"))
    graph = graph_of(["conv3-8", "relu", "FC-16", "batchnorm", "relu", "FC-10"])
    assert linting.findings(linting.Subject("mine", graph, script), ["batch-norm-of-one"]) == ()


def test_another_input_size_is_told_from_the_papers() -> None:
    finding = one("alexnet", "input-size", input_size=(224, 224))
    assert finding.level == linting.WARNING
    assert "sees 6,400 numbers, and 9,216 in the paper" in finding.why
    assert one("vgg16", "input-size", input_size=(244, 244)).what == "the input is 244×244: typed for 224?"
    assert one("squeezenet1_0", "input-size", input_size=(224, 224)).level == linting.INFO
    assert one("inception_v3_torchvision", "input-size", input_size=(224, 224), aux=False)
    assert found("vgg16", "input-size") == []


def test_the_classifier_comes_first_and_heads_are_numbered_in_order() -> None:
    graph = archscope.lower("googlenet")
    main, second, first = graph.outputs
    assert found(graph, "heads-order") == []
    finding = one(replace(graph, outputs=tuple(o._replace(side=False) for o in (first, second, main))), "heads-order")
    assert finding.what == "the first of 3 outputs is an auxiliary head, the classifier comes as number 3"
    swapped = (main, second._replace(name="aux_logits1"), first._replace(name="aux_logits2"))
    assert one(replace(graph, outputs=swapped), "heads-order").level == linting.ERROR


def test_a_network_that_its_name_does_not_promise_is_named() -> None:
    finding = one(replace(archscope.lower("alexnet_owt"), name="alexnet"), "not-the-paper")
    assert finding.level == linting.INFO
    assert finding.what.endswith(": it is alexnet_owt")
    finding = one(replace(archscope.lower("googlenet", dropout=0.2), name="net.py:GoogLeNet"), "not-the-paper")
    assert finding.level == linting.WARNING
    assert "dropout 0.2, spec 0.4" in finding.what
    assert found(replace(archscope.lower("vgg16", num_classes=5), name="VGG16"), "not-the-paper") == []


def test_what_a_name_promises() -> None:
    graph = archscope.lower("vgg11", num_classes=7)
    assert promised("torchvision.models:vgg11", graph).name == "vgg11"
    assert promised("./net.py:VGGNet-13(width=2)", graph).name == "vgg13"
    assert promised("GoogLeNet", graph).name == "googlenet"
    assert promised("Net", graph) is None
    assert promised("vgg11", graph).tensors[promised("vgg11", graph).outputs[0].tensor].shape == (1, 7)


def test_rules_are_selected_and_ignored_by_id() -> None:
    assert {each.id for each in archscope.lint("vgg16_bn")} == {"bias-before-batch-norm"}
    assert archscope.lint("vgg16_bn", ignore=["bias-before-batch-norm"]) == ()
    assert archscope.lint("vgg16_bn", select=["input-size"]) == ()


def test_a_head_that_starts_elsewhere_than_the_papers_is_named() -> None:
    graph = replace(archscope.lower("googlenet"), name="GoogLeNet")
    assert found(graph, "heads-place") == []
    readers = [n for n, node in enumerate(graph.nodes) if node.path == "aux2.avgpool"]
    (earlier,) = [node.outputs[0] for node in graph.nodes if node.path == "inception4c.concat"]
    nodes = list(graph.nodes)
    nodes[readers[0]] = nodes[readers[0]]._replace(inputs=(earlier,))
    finding = one(replace(graph, nodes=tuple(nodes)), "heads-place")
    assert finding.what == "the auxiliary head starts after inception4c, spec after inception4d"


def test_what_the_rules_say_of_torch_is_so() -> None:
    torch = pytest.importorskip("torch")
    saved = archscope.profile("vgg16", columns=["saved_activation_bytes"]).totals["saved_activation_bytes"].value
    assert round(saved / 2**20) == 70  # evaluation-with-gradients
    weight, total, sizes = torch.ones(4, requires_grad=True), 0, []
    for _ in range(3):  # loss-without-item
        total = total + (weight**2).sum()
        sizes.append(_reachable(total.grad_fn))
    assert sizes[2] - sizes[1] == sizes[1] - sizes[0] > 0
    assert torch.softmax(torch.randn(1, 5), dim=0).tolist() == [[1.0] * 5]  # softmax-dim
    with pytest.raises(ValueError, match="Expected more than 1 value per channel when training"):  # batch-norm-of-one
        torch.nn.BatchNorm1d(3)(torch.ones(1, 3))
    assert 1025 % 32 == 1


def _reachable(function: Any) -> int:
    seen, waiting = set(), [function]
    while waiting:
        each = waiting.pop()
        if each is not None and each not in seen:
            seen.add(each)
            waiting.extend(following for following, _ in each.next_functions)
    return len(seen)

"""What other tools call the memory of a network: the tools themselves, run, print what their formulas give."""

from __future__ import annotations

import logging
import warnings
from math import prod

import pytest
import torch
import torchinfo
from torch import nn

import archscope
from archscope.core.records import Setting
from archscope.graph.graph import Graph
from archscope.studies.other_tools import Estimate, estimates
from archscope.targets.torch_module import module_of

NETWORKS = ["alexnet_owt", "vgg16", "googlenet_torchvision", "resnet18", "se_resnet50"]


def told(graph: Graph) -> dict[str, Estimate]:
    batch = graph.tensors[graph.inputs[0]].shape[0]
    return {each.tool: each for each in estimates(graph, Setting(batch, mode="train"))}


@pytest.mark.parametrize("name", NETWORKS)
def test_torchinfo_says_what_its_formula_gives(name: str):
    graph = archscope.lower(name, 2)
    model = module_of(graph, device="meta").eval()
    found = torchinfo.summary(model, input_size=graph.tensors[0].shape, device="meta", verbose=0, mode="eval")
    assert told(graph)["torchinfo"].bytes == found.total_input + found.total_output_bytes + found.total_param_bytes


@pytest.mark.parametrize("name", ["lenet5", "alexnet_owt", "resnet18", "googlenet_torchvision"])
def test_fvcore_says_what_its_formula_gives(name: str):
    graph = archscope.lower(name)
    model = module_of(graph, device="meta").eval().to_empty(device="cpu")
    logging.getLogger("fvcore").setLevel(logging.ERROR)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fvcore traces through torch.jit, which torch has deprecated
        from fvcore.nn import ActivationCountAnalysis

        counted = ActivationCountAnalysis(model, torch.zeros(graph.tensors[0].shape))
        elements = counted.unsupported_ops_warnings(False).uncalled_modules_warnings(False).total()
    assert told(graph)["fvcore"].bytes == 4 * elements


@pytest.mark.parametrize("name", NETWORKS)
def test_torchsummary_counts_every_module_that_is_no_sequential(name: str):
    """Its rules (``torchsummary.py``, 1.5.1), written down anew: hooks on all modules but the network and chains."""
    graph = archscope.lower(name, 2)
    model = module_of(graph, device="meta").eval()
    outputs, params = [], []

    def note(module: nn.Module, _given: object, output: torch.Tensor) -> None:
        outputs.append(prod(output.shape))
        params.extend(
            each.numel()
            for each in (getattr(module, "weight", None), getattr(module, "bias", None))
            if each is not None
        )

    for module in model.modules():
        if not isinstance(module, nn.Sequential) and module is not model:
            module.register_forward_hook(note)
    image = torch.empty(graph.tensors[0].shape, device="meta")
    model(image)
    assert told(graph)["torchsummary"].bytes == 4 * (image.numel() + 2 * sum(outputs) + sum(params))


@pytest.mark.parametrize(
    ("name", "batch", "megabytes"),
    [
        ("alexnet_owt", 1, 739.1),
        ("alexnet_owt", 32, 920.9),
        ("vgg16", 1, 1782.2),
        ("vgg16", 32, 5561.1),
        ("vgg16_bn", 1, 1782.3),
    ],
)
def test_cs231ns_recipe_gives_what_was_worked_out_by_hand(name: str, batch: int, megabytes: float):
    """Twice the activations and the input, three times the parameters: 60,950,432 B forward for VGG-16's listing."""
    assert round(told(archscope.lower(name, batch))["CS231n"].bytes / 1e6, 1) == megabytes


def test_none_of_them_is_what_training_takes():
    use = archscope.memory("alexnet_owt", device="cpu", adaptive_pool=True)
    assert use.graph is not None
    shares = {tool: each.bytes / use.training.bytes - 1 for tool, each in told(use.graph).items()}
    assert {tool: round(100 * share) for tool, share in shares.items()} == {
        "torchinfo": -66, "torchsummary": -66, "CS231n": 0, "fvcore": -100,
    }  # fmt: skip


def test_each_says_what_it_leaves_out():
    assert {tool: each.claims for tool, each in told(archscope.lower("lenet5")).items()} == {
        "torchinfo": "estimated total size",
        "torchsummary": "estimated total size",
        "CS231n": "training: activations twice, params three times",
        "fvcore": "activations",
    }
    assert all("no " in each.why or "not " in each.why for each in told(archscope.lower("lenet5")).values())

"""Networks of torchvision, timm and transformers: exact, no operator unknown, equal to torch's counter and metadata."""

from __future__ import annotations

import re
import warnings
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision import models

import archscope
from archscope.capturing.building import built
from archscope.capturing.examples import made_example
from archscope.capturing.standins import LARGEST_CONSTANT


def exact(model: nn.Module, example: Any) -> int:
    """MACs, params being those of the module, and both exact."""
    profile = archscope.profile(model, input=example)
    assert profile.totals["params"][:3] == (sum(each.numel() for each in model.parameters()), "exact", ())
    assert profile.totals["macs"][1:3] == ("exact", ())
    return int(profile.totals["macs"].value)


def torchs(model: nn.Module, example: Any) -> int:
    """Half of what torch's own counter finds on the meta device."""
    inputs = made_example(example, 1, torch.float32)
    model = model.to("meta").eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(*inputs.args, **inputs.kwargs)
    return counter.get_total_flops() // 2


CLASSIFIERS = (
    "alexnet", "convnext_tiny", "densenet121", "efficientnet_b0", "efficientnet_v2_s", "googlenet", "inception_v3",
    "maxvit_t", "mnasnet0_5", "mobilenet_v2", "mobilenet_v3_small", "regnet_x_400mf", "resnext50_32x4d",
    "shufflenet_v2_x0_5", "squeezenet1_0", "swin_v2_t", "vgg11_bn", "vit_b_16", "wide_resnet50_2",
)  # fmt: skip
"""One of each family; all 80 are in tests/benchmarks/coverage.py."""

OPTIONS = {"googlenet": {"init_weights": False, "aux_logits": False}, "inception_v3": {"init_weights": False}}


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_classifier_of_torchvision_has_its_published_numbers(name: str) -> None:
    published = next(iter(models.get_model_weights(name)))
    crop = published.transforms().crop_size[0]
    model = built(getattr(models, name), (), OPTIONS.get(name, {}))
    macs = exact(model, (3, crop, crop))
    assert round(macs / 1e9, 3) == published.meta["_ops"]
    if name != "inception_v3":  # whose auxiliary head is counted here, and not there
        assert sum(each.numel() for each in model.parameters()) == published.meta["num_params"]


OTHERS: dict[str, Any] = {
    "fcn_resnet50": (3, 520, 520),
    "deeplabv3_mobilenet_v3_large": (3, 520, 520),
    "r3d_18": (3, 16, 112, 112),
    "s3d": (3, 64, 224, 224),
    "raft_small": [(3, 128, 128), (3, 128, 128)],
}


@pytest.mark.parametrize("name", OTHERS)
def test_segmentation_video_and_optical_flow_are_torchs(name: str) -> None:
    backbone = {"weights_backbone": None} if "resnet50" in name or "mobilenet" in name else {}
    model = built(models.get_model_builder(name), (), {"weights": None, **backbone})
    assert exact(model, OTHERS[name]) == torchs(model, OTHERS[name])


@pytest.mark.parametrize("name", ["regnet_y_128gf", "regnet_x_8gf", "vit_h_14", "vgg19"])
def test_a_network_is_built_without_its_weights(name: str) -> None:
    """``torch.device("meta")`` is not enough for RegNets: their constructors look at values."""
    state = torch.get_rng_state()
    model = built(getattr(models, name), (), {})
    assert {each.is_meta for each in model.parameters() if each.numel() > LARGEST_CONSTANT} == {True}
    assert torch.equal(state, torch.get_rng_state())


SMALL = re.compile(r"atto|femto|pico|nano|tiny|mini|small|xxs|xx?t|_[st](_|\d|$)")


def timm_names() -> list[str]:
    """A small network of each module of timm; one that skips where timm is not installed."""
    try:
        from timm.models import list_models, list_modules
    except ImportError:
        return [""]
    own = (list_models(module=module) for module in list_modules())
    return [min(names, key=lambda each: (SMALL.search(each) is None, len(each), each)) for names in own if names]


@pytest.mark.filterwarnings("ignore")  # theirs
@pytest.mark.parametrize("name", timm_names())
def test_a_network_of_timm_is_exact(name: str) -> None:
    timm = pytest.importorskip("timm", reason="timm is an extra")
    model = built(timm.create_model, (name,), {})
    assert exact(model, None) > 0


IDS = {"input_ids": ((128,), "int64")}
TRANSFORMERS: dict[str, tuple[str, dict[str, int], Any]] = {
    "BertModel": ("BertConfig", {}, IDS),
    "GPT2LMHeadModel": ("GPT2Config", {}, IDS),
    "ViTModel": ("ViTConfig", {}, {"pixel_values": (3, 224, 224)}),
    "LlamaForCausalLM": (
        "LlamaConfig",
        {"hidden_size": 512, "intermediate_size": 1376, "num_hidden_layers": 4, "num_attention_heads": 8,
         "num_key_value_heads": 4},
        IDS,
    ),
    "T5ForConditionalGeneration": ("T5Config", {}, {**IDS, "decoder_input_ids": ((32,), "int64")}),
    "WhisperModel": (
        "WhisperConfig", {}, {"input_features": (80, 3000), "decoder_input_ids": ((32,), "int64")},
    ),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")  # theirs
@pytest.mark.parametrize("name", TRANSFORMERS)
def test_a_network_of_transformers_is_exact(name: str) -> None:
    transformers = pytest.importorskip("transformers", reason="transformers is an extra")
    config, options, example = TRANSFORMERS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = built(getattr(transformers, name), (getattr(transformers, config)(**options),), {})
    assert exact(model, example) == torchs(model, example)

"""How many networks capturing counts: ``python tests/benchmarks/coverage.py [torchvision] [timm] [transformers]``.

Each network is built without weights and captured once. ``exact``: no operator was unknown, params are the module's,
and MACs are half of what torch's own counter finds on the meta device, where that runs. All of timm takes half an hour.
"""

from __future__ import annotations

import gc
import statistics
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision import models

import archscope
from archscope.capturing.building import built
from archscope.capturing.examples import made_example
from archscope.core.errors import ArchscopeError

ATTENTION = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}
IDS = {"input_ids": ((128,), "int64")}
TRANSFORMERS: dict[str, tuple[str, dict[str, Any], Any]] = {
    "BertModel": ("BertConfig", {}, IDS),
    "GPT2LMHeadModel": ("GPT2Config", {}, IDS),
    "ViTModel": ("ViTConfig", {}, {"pixel_values": (3, 224, 224)}),
    "LlamaForCausalLM": ("LlamaConfig", {**ATTENTION, "num_key_value_heads": 2}, IDS),
    "MixtralForCausalLM": ("MixtralConfig", {**ATTENTION, "num_key_value_heads": 2}, IDS),
    "T5ForConditionalGeneration": ("T5Config", {}, {**IDS, "decoder_input_ids": ((32,), "int64")}),
    "WhisperModel": ("WhisperConfig", {}, {"input_features": (80, 3000), "decoder_input_ids": ((32,), "int64")}),
    "MambaForCausalLM": ("MambaConfig", {"hidden_size": 64, "num_hidden_layers": 2}, IDS),
    "SwinModel": ("SwinConfig", {}, {"pixel_values": (3, 224, 224)}),
    "Wav2Vec2Model": ("Wav2Vec2Config", {}, {"input_values": (16000,)}),
    "CLIPModel": ("CLIPConfig", {}, {"input_ids": ((77,), "int64"), "pixel_values": (3, 224, 224)}),
}


class Network(NamedTuple):
    """A network to be captured: how it is made, and on what."""

    group: str
    name: str
    make: Callable[[], nn.Module]
    example: Any
    bounded: bool = False
    compared: bool = True


def torchvisions() -> Iterator[Network]:
    """All of torchvision's builders: classification, segmentation, video, optical flow, detection twice."""
    homes = {
        "classification": models, "segmentation": models.segmentation, "video": models.video,
        "optical flow": models.optical_flow, "quantizable": models.quantization,
    }  # fmt: skip
    for group, home in homes.items():
        for name in models.list_models(home):
            yield Network(group, name, maker(name), torchvision_example(group, name))
    for name in models.list_models(models.detection):
        yield Network("detection", name, maker(name), detection_example, compared=False)
        yield Network("detection, upper bound", name, maker(name), detection_example, bounded=True, compared=False)


def maker(name: str) -> Callable[[], nn.Module]:
    builder = models.get_model_builder(name)
    backbone = {"weights_backbone": None} if "weights_backbone" in builder.__annotations__ else {}
    return lambda: built(builder, (), {"weights": None, **backbone})


def torchvision_example(group: str, name: str) -> Any:
    if group == "segmentation":
        return (3, 520, 520)
    if group == "video":
        small = name in {"r3d_18", "mc3_18", "r2plus1d_18"}
        return (3, 16, 112, 112) if small else (3, 64 if name == "s3d" else 16, 224, 224)
    if group == "optical flow":
        return [(3, 128, 128), (3, 128, 128)]
    if name == "vit_h_14":
        return (3, 224, 224)
    crop = 299 if "inception" in name else 224
    return (3, crop, crop)


def detection_example(_: int) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return ([torch.empty(3, 800, 800, device="meta")],), {}


def timms() -> Iterator[Network]:
    """All of timm's networks."""
    import timm

    for name in timm.list_models():
        yield Network("timm", name, lambda name=name: built(timm.create_model, (name,), {}), None)


def transformers_own() -> Iterator[Network]:
    """Some of transformers, from their configuration."""
    import transformers

    for name, (config, options, example) in TRANSFORMERS.items():
        made = getattr(transformers, config)(**options)
        yield Network(
            "transformers", name, lambda name=name, made=made: built(getattr(transformers, name), (made,), {}), example
        )


def examined(network: Network) -> tuple[str, str, float]:
    """``exact``, ``bound``, ``stopped`` or ``wrong``; why it is not exact; milliseconds of its first capture."""
    model = network.make()
    start = time.process_time()
    try:
        graph = archscope.capture(model, network.example, upper_bound=network.bounded)
    except ArchscopeError as error:
        return "stopped", error.problems[0].message, 0.0
    took = 1000 * (time.process_time() - start)
    totals = archscope.profile(graph, columns=("params", "macs")).totals
    if totals["params"].value != sum(each.numel() for each in model.parameters()):
        return "wrong", "params", took
    if totals["macs"].status != "exact":
        return totals["macs"].status, ", ".join((*totals["macs"].missing, *graph.assumptions))[:90], took
    reference = torchs(model, network.example) if network.compared else None
    if reference is not None and reference != totals["macs"].value:
        return "wrong", f"{totals['macs'].value} MACs, torch's counter finds {reference}", took
    return "exact", "", took


def torchs(model: nn.Module, example: Any) -> int | None:
    """Half of what torch's own counter finds on the meta device; None where it fails."""
    inputs = made_example(example or tuple(model.pretrained_cfg["input_size"]), 1, torch.float32)  # of timm's own
    try:
        model = model.to("meta").eval().requires_grad_(requires_grad=False)  # its module tracker fails on parameters
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            model(*inputs.args, **inputs.kwargs)
    except (RuntimeError, NotImplementedError, AssertionError, ValueError):
        return None
    return counter.get_total_flops() // 2


def main() -> None:
    warnings.simplefilter("ignore")
    sources = {"torchvision": torchvisions, "timm": timms, "transformers": transformers_own}
    found: dict[str, Counter[str]] = {}
    times: dict[str, list[float]] = {}
    for source in sys.argv[1:] or sources:
        for number, network in enumerate(sources[source]()):
            status, why, took = examined(network)
            found.setdefault(network.group, Counter())[status] += 1
            times.setdefault(network.group, []).append(took)
            if status != "exact":
                print(f"{network.group}: {network.name}: {status}: {why}", flush=True)
            if number % 50 == 0:
                gc.collect()
    for group, counts in found.items():
        spelled = ", ".join(f"{count} {status}" for status, count in counts.items())
        print(
            f"{group}: {counts.total()} networks: {spelled}; first capture {statistics.median(times[group]):.0f} ms CPU"
        )


if __name__ == "__main__":
    main()

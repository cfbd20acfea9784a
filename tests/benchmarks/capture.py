"""How fast a capture is, against tools that count less: ``python tests/benchmarks/capture.py [runs]``.

Each model is built once on the meta device; then the tools take turns (A B C A B C …), each after two warm-up calls,
and the ratios are of medians. fvcore needs real weights and computes; it runs on some models only, and fewer times.
"""

from __future__ import annotations

import resource
import statistics
import sys
import time
import warnings
from collections.abc import Callable

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision import models

import archscope
from archscope.capturing.building import built

MODELS = (
    "resnet18", "resnet50", "mobilenet_v3_large", "efficientnet_b0", "densenet121", "regnet_y_8gf", "convnext_tiny",
    "vit_b_16", "swin_t", "maxvit_t", "bert",
)  # fmt: skip
FVCORE = ("resnet18", "mobilenet_v3_large", "convnext_tiny")


def made(name: str) -> tuple[nn.Module, dict[str, torch.Tensor], object]:
    """A model on the meta device, the named inputs of its forward, and the example that capture takes."""
    if name == "bert":
        transformers = __import__("transformers")
        model = built(transformers.BertModel, (transformers.BertConfig(),), {})
        return (
            model.to("meta").eval(),
            {"input_ids": torch.zeros(1, 128, dtype=torch.int64, device="meta")},
            "input_ids:128:int64",
        )
    model = built(getattr(models, name), (), {}).to("meta").eval()
    return model, {"x": torch.empty(1, 3, 224, 224, device="meta")}, (3, 224, 224)


def ours(model: nn.Module, example: object) -> Callable[[], object]:
    return lambda: archscope.capture(model, example)


def profile(model: nn.Module, example: object) -> Callable[[], object]:
    return lambda: archscope.profile(model, input=example)


def flop_counter(model: nn.Module, inputs: dict[str, torch.Tensor]) -> Callable[[], object]:
    def run() -> object:
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            model(*inputs.values())
        return counter.get_total_flops()

    return run


def torchinfo(model: nn.Module, inputs: dict[str, torch.Tensor]) -> Callable[[], object]:
    import torchinfo

    data = list(inputs.values())
    return lambda: torchinfo.summary(model, input_data=data, device="meta", verbose=0)


def fvcore(model: nn.Module, inputs: dict[str, torch.Tensor]) -> Callable[[], object]:
    import logging

    from fvcore.nn import FlopCountAnalysis

    logging.getLogger("fvcore").setLevel(logging.ERROR)
    real = model.to_empty(device="cpu")
    data = tuple(torch.zeros_like(each, device="cpu") for each in inputs.values())
    return lambda: (
        FlopCountAnalysis(real, data).unsupported_ops_warnings(False).uncalled_modules_warnings(False).total()
    )


def in_turn(actions: dict[str, Callable[[], object]], runs: int) -> dict[str, float]:
    """Milliseconds of each action, the median of calls in turn after two that warm up."""
    times: dict[str, list[float]] = {name: [] for name in actions}
    for turn in range(runs + 2):
        for name, action in actions.items():
            start = time.perf_counter()
            action()
            if turn >= 2:
                times[name].append(1000 * (time.perf_counter() - start))
    return {name: statistics.median(each) for name, each in times.items()}


def llama() -> str:
    """A Llama of 70 billion parameters on 4,096 tokens."""
    import transformers

    config = transformers.LlamaConfig(
        hidden_size=8192, intermediate_size=28672, num_hidden_layers=80, num_attention_heads=64, num_key_value_heads=8,
        vocab_size=32000, max_position_embeddings=4096,
    )  # fmt: skip
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    model = built(transformers.LlamaForCausalLM, (config,), {})
    between = time.perf_counter()
    graph = archscope.capture(model, "input_ids:4096:int64")
    end = time.perf_counter()
    macs = archscope.profile(graph).totals["macs"]
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return (
        f"Llama 70B, 4,096 tokens: built in {between - start:.2f} s, captured in {end - between:.2f} s, "
        f"{len(graph.nodes)} nodes, {macs.value / 1e12:.1f} T MACs ({macs.status}), {grown:.0f} MiB more"
    )


def main() -> None:
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    ratios: dict[str, list[float]] = {}
    for name in MODELS:
        start = time.perf_counter()
        model, inputs, example = made(name)
        first = ours(model, example)
        begun = time.perf_counter()
        first()
        once = 1000 * (time.perf_counter() - begun)
        actions = {
            "capture": first,
            "capture and profile": profile(model, example),
            "FlopCounterMode": flop_counter(model, inputs),
            "torchinfo": torchinfo(model, inputs),
        }
        found = in_turn(actions, runs)
        if name in FVCORE:
            found["fvcore"] = in_turn({"fvcore": fvcore(model, inputs)}, 2)["fvcore"]
        own = found["capture and profile"]
        for tool, took in found.items():
            ratios.setdefault(tool, []).append(took / own)
        spelled = "  ".join(f"{tool} {took:.0f}" for tool, took in found.items())
        print(f"{name:20} {spelled}  (first {once:.0f}, built in {1000 * (begun - start):.0f}) ms", flush=True)
    for tool, each in ratios.items():
        print(f"{tool} takes {statistics.median(each):.1f} times as long as capture and profile, median of {len(each)}")
    print(llama())


if __name__ == "__main__":
    main()

"""Other tools beside archscope, in one run: ``python tests/benchmarks/peers.py``; prints a Markdown table.

Each tool counts the probes of ``tests/probes.py``, whose MACs are worked out by hand, and three networks of
torchvision, in a process of its own. Then come its time on ResNet-18, in turn with ``archscope.profile`` of the same
module, and a whole process that counts VGG-16, in turn with ``archscope summary vgg16``. Ratios only: the machine is
not the point. A tool that is not installed is left out, and said so.
"""

from __future__ import annotations

import contextlib
import copy
import io
import json
import os
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

Counted = tuple[float | None, float | None]
"""MACs and params; None where a tool does not say."""

NETWORKS = {"vgg16": 15_470_264_320, "googlenet": 1_498_376_192, "vit_b_16": 17_563_828_224}
"""MACs of convolutions and matrix products: VGG-16 by hand, the others agree with torchvision's own metadata."""

RUNS = 3


def torchinfo(model: Any, x: Any) -> Counted:
    """Counts by torchinfo."""
    from torchinfo import summary

    found = summary(model, input_data=x, verbose=0, device=x.device)
    return found.total_mult_adds, found.total_params


def fvcore(model: Any, x: Any) -> Counted:
    """Counts by fvcore."""
    import logging

    from fvcore.nn import FlopCountAnalysis, parameter_count

    logging.getLogger("fvcore").setLevel(logging.CRITICAL)
    return FlopCountAnalysis(model, x).total(), parameter_count(model)[""]


def _ptflops(model: Any, x: Any, backend: str) -> Counted:
    from ptflops import get_model_complexity_info

    shape = tuple(x.shape[1:])
    found = get_model_complexity_info(
        model, shape, as_strings=False, print_per_layer_stat=False, backend=backend, input_constructor=lambda _: x
    )
    return found[0], found[1]


def ptflops_pytorch(model: Any, x: Any) -> Counted:
    """Counts by ptflops, by its hooks."""
    return _ptflops(model, x, "pytorch")


def ptflops_aten(model: Any, x: Any) -> Counted:
    """Counts by ptflops, by operators."""
    return _ptflops(model, x, "aten")


def thop(model: Any, x: Any) -> Counted:
    """Counts by ultralytics-thop."""
    from thop import profile

    found = profile(model, inputs=(x,), verbose=False)
    return found[0], found[1]


def calflops(model: Any, x: Any) -> Counted:
    """Counts by calflops."""
    from calflops import calculate_flops

    found = calculate_flops(model, args=[x], print_results=False, output_as_string=False)
    return found[1], found[2]


def torchscan(model: Any, x: Any) -> Counted:
    """Counts by torchscan; what it calls partial is not taken for a count."""
    from torchscan import crawl_module

    totals = crawl_module(model, args=(x,))["totals"]
    return totals["macs"]["value"], totals["parameters"]["value"]


def torchlens(model: Any, x: Any) -> Counted:
    """Counts by torchlens."""
    from torchlens import trace

    found = trace(model, x)
    return found.total_macs_forward, found.num_params


def torchview(model: Any, x: Any) -> Counted:
    """Torchview draws, and counts neither."""
    from torchview import draw_graph

    draw_graph(model, input_data=x, device=x.device)
    return None, None


def flop_counter(model: Any, x: Any) -> Counted:
    """Counts by torch's FlopCounterMode."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        model(x)
    return counter.get_total_flops() / 2, None


def _on_meta(model: Any, x: Any) -> Counted:
    return flop_counter(model.to("meta"), x.to("meta"))


def archscope(model: Any, x: Any) -> Counted:
    """Counts by archscope."""
    import archscope as library

    dtype = "" if x.is_floating_point() else ":int64"
    found = library.profile(model, input=f"x:{','.join(map(str, x.shape[1:]))}{dtype}" if dtype else tuple(x.shape[1:]))
    return found.totals["macs"].value, found.totals["params"].value


class Tool(NamedTuple):
    """A tool: how it counts, the package it comes from, whether its model may be on meta, and what it does not do."""

    count: Callable[[Any, Any], Counted]
    package: str
    lacks: str
    meta: bool = False


TOOLS = {
    "archscope": Tool(archscope, "archscope", "modules whose flow depends on values stop, or run with `--real`", True),
    "torchinfo": Tool(torchinfo, "torchinfo", "operators outside layers; memory of training; receptive field", True),
    "fvcore": Tool(fvcore, "fvcore", "meta tensors; memory; a command", False),
    "ptflops (pytorch)": Tool(ptflops_pytorch, "ptflops", "shapes per layer; memory; a command", True),
    "ptflops (aten)": Tool(ptflops_aten, "ptflops", "layers; memory; a command", True),
    "ultralytics-thop": Tool(thop, "ultralytics-thop", "shapes; memory; a command", True),
    "calflops": Tool(calflops, "calflops", "meta tensors of any module; memory; needs transformers undeclared", True),
    "torchscan": Tool(torchscan, "torchscan", "cumulative receptive field; graphs; predicted peaks", True),
    "torchlens": Tool(torchlens, "torchlens", "meta tensors: it runs and keeps everything", False),
    "torchview": Tool(torchview, "torchview", "counts: it draws", True),
    "FlopCounterMode, CPU": Tool(flop_counter, "torch", "params, shapes, memory; fused attention and RNNs on CPU"),
    "FlopCounterMode, meta": Tool(flop_counter, "torch", "params, shapes, memory", True),
}


def network(name: str, device: str) -> tuple[Any, Any]:
    """A network of torchvision in evaluation, and one image."""
    import torch
    from torchvision import models

    keywords = {"init_weights": False} if name == "googlenet" else {}
    with torch.device(device):
        return getattr(models, name)(**keywords).eval(), torch.zeros(1, 3, 224, 224)


def probe(name: str) -> tuple[Any, Any]:
    """A probe and its input, a batch of one."""
    import probes
    import torch

    module, example, _ = probes.EXACT[name]
    if isinstance(example, str):
        return copy.deepcopy(module).eval(), torch.zeros(1, int(example.split(":")[1]), dtype=torch.int64)
    return copy.deepcopy(module).eval(), torch.randn(1, *example)


def counted(tool: Tool, model: Any, x: Any) -> list[Any]:
    """MACs and params, or the name of what was raised."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            return [None if each is None else float(each) for each in tool.count(model, x)]
        except Exception as error:  # noqa: BLE001  whatever a tool raises is what is measured
            return [type(error).__name__, type(error).__name__]


def leaves_alone(tool: Tool) -> bool:
    """Whether a model in training is as it was: mode, state, hooks."""
    import torch

    model, x = network("resnet18", "cpu")
    model.train()
    before = copy.deepcopy(model.state_dict())
    counted(tool, model, x)
    after = model.state_dict()
    same = before.keys() == after.keys() and all(torch.equal(after[key], before[key]) for key in before)
    hooks = any(each._forward_hooks or each._forward_pre_hooks for each in model.modules())
    return same and not hooks and all(each.training for each in model.modules())


def times(tool: Tool) -> float:
    """Time on ResNet-18 as a multiple of archscope's, the median of runs in turn after one that warms up."""
    model, x = network("resnet18", "meta" if tool.meta else "cpu")
    own, image = network("resnet18", "meta")
    ratios = []
    for _ in range(RUNS + 1):
        start = time.process_time()
        counted(TOOLS["archscope"], own, image)
        middle = time.process_time()
        counted(tool, model, x)
        ratios.append((time.process_time() - middle) / (middle - start))
    return statistics.median(ratios[1:])


def of_tool(name: str) -> dict[str, Any]:
    """Everything about a tool that is measured within its process."""
    import probes

    tool = TOOLS[name]
    on_cpu = tool.package != "torch" or not tool.meta
    found: dict[str, Any] = {"probes": {}, "params": {}, "networks": {}}
    for each in probes.EXACT:
        model = probes.EXACT[each][0]
        wanted = probes.PARAMS.get(each, sum(p.numel() for p in model.parameters()))
        macs, params = counted(tool if on_cpu else tool._replace(count=_on_meta), *probe(each))
        found["probes"][each] = macs if isinstance(macs, str | None) else macs / probes.EXACT[each][2]
        found["params"][each] = params if isinstance(params, str | None) else params == wanted
    for each, macs in NETWORKS.items():
        value, _ = counted(tool, *network(each, "cpu" if on_cpu else "meta"))
        found["networks"][each] = value if isinstance(value, str | None) else value / macs
    value, _ = counted(tool, *network("vgg16", "meta"))
    found["meta"] = value == NETWORKS["vgg16"] if isinstance(value, float) else value
    found["alone"] = leaves_alone(tool)
    found["time"] = times(tool)
    return found


def process(*arguments: str) -> tuple[float, float]:
    """CPU seconds and peak MiB of a run of this interpreter."""
    child = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, _, usage = os.wait4(child.pid, 0)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def from_nothing(name: str) -> tuple[float, float]:
    """CPU time and memory of a process that counts VGG-16, as multiples of ``archscope summary vgg16``."""
    ours, theirs = process("-m", "archscope", "summary", "vgg16"), process(__file__, "--vgg16", name)
    return theirs[0] / ours[0], theirs[1] / ours[1]


def row(name: str, found: dict[str, Any], cold: tuple[float, float]) -> str:
    """A tool's row of the table."""
    probes = list(found["probes"].values())
    exact = sum(each == 1.0 for each in probes)
    silent = sum(isinstance(each, float) and not 0.8 < each < 1.25 for each in probes)
    none = all(each is None for each in probes)
    params = list(found["params"].values())
    right = "" if all(each is None for each in params) else f"{sum(each is True for each in params)}"
    nets = [
        "" if each is None else each if isinstance(each, str) else f"{each:.3f}" for each in found["networks"].values()
    ]
    meta = (
        "yes" if found["meta"] is True else "no" if found["meta"] is None and not none else str(found["meta"] or "yes")
    )
    cells = [
        f"{name} {metadata.version(TOOLS[name].package)}",
        *(["", ""] if none else [f"{exact} of {len(probes)}", f"{silent}"]), right,
        *nets, meta.replace("False", "other MACs"), "yes" if found["alone"] else "no",
        f"{found['time']:.2g}×", f"{cold[0]:.0f}×", f"{cold[1]:.0f}×", TOOLS[name].lacks,
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Every tool in turn. Imports nothing large: a process begins with the memory of the one that starts it."""
    heads = [
        "tool", "MACs exact", "off by a fifth or more", "params right", *NETWORKS, "meta",
        "leaves the model alone", "time", "time from nothing", "memory", "does without",
    ]  # fmt: skip
    print(f"| {' | '.join(heads)} |\n|:--|{'--:|' * 6}:--|:--|{'--:|' * 3}:--|", flush=True)
    details = {}
    for name in sys.argv[1:] or TOOLS:
        try:
            metadata.version(TOOLS[name].package)
        except metadata.PackageNotFoundError:
            print(f"{name} is not installed", file=sys.stderr)
            continue
        done = subprocess.run([sys.executable, __file__, "--tool", name], capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{name}: {done.stderr[-2000:]}")
        details[name] = json.loads(done.stdout.splitlines()[-1])
        print(row(name, details[name], from_nothing(name)), flush=True)
    for name, found in details.items():
        off = {each: value for each, value in found["probes"].items() if value not in {1.0, None}}
        listed = ", ".join(f"{each} {v if isinstance(v, str) else f'{v:.3f}'}" for each, v in off.items())
        print(f"{name}: {listed or 'nothing else'}", file=sys.stderr)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    if sys.argv[1:2] == ["--tool"]:
        print(json.dumps(of_tool(sys.argv[2])))
    elif sys.argv[1:2] == ["--vgg16"]:
        counted(TOOLS[sys.argv[2]], *network("vgg16", "meta" if TOOLS[sys.argv[2]].meta else "cpu"))
    else:
        main()

"""How fast the foundation is, as ratios measured side by side in one run: ``python tests/benchmarks/foundation.py``.

Whole processes run in turn (A B A B …), each timed by the operating system's own accounting; medians are of the ratios
pair by pair. In-process figures are the best of several, after a warm-up.
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

SUMMARY = ("-m", "archscope", "summary", "vgg16")
TORCHINFO = ("-c", "import torchvision, torchinfo; torchinfo.summary(torchvision.models.vgg16(), (1, 3, 224, 224))")
CHECK = ("-m", "archscope", "check", "--all", "--witness", "published")
BARE = ("-c", "pass")


def process(arguments: Sequence[str]) -> tuple[float, float, float]:
    """CPU seconds, wall seconds and peak MiB of one run of this interpreter."""
    start = time.perf_counter()
    child = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{' '.join(arguments)} ended with {child.returncode}")
    return usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024


def in_turn(a: Sequence[str], b: Sequence[str], runs: int) -> str:
    """Median ratios b / a of CPU, wall time and peak memory, of runs in turn."""
    process(a), process(b)
    pairs = [(process(a), process(b)) for _ in range(runs)]
    cpu, wall, memory = (statistics.median(y[n] / x[n] for x, y in pairs) for n in range(3))
    first = [statistics.median(x[n] for x, _ in pairs) for n in range(3)]
    return f"{cpu:6.1f}× CPU  {wall:6.1f}× wall  {memory:6.1f}× memory  (1 = {first[0]:.3f} s, {first[2]:.0f} MiB)"


def best(action: Callable[[], object], runs: int = 20) -> float:
    """Milliseconds of the fastest of several runs."""
    action()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return 1000 * min(times)


def library() -> None:
    """Reading, compiling, profiling, and a chain of 10,000 convolutions."""
    import archscope
    from archscope import catalog

    def read() -> object:
        catalog._read.cache_clear()
        return archscope.lower("vgg16")

    graph = archscope.lower("vgg16")
    chain = ["conv3-8"] * 10_000
    print(f"read and compile vgg16      {best(read):8.2f} ms (at most 10)")
    print(f"profile vgg16               {best(lambda: archscope.profile(graph)):8.2f} ms (at most 1)")
    whole = best(lambda: archscope.profile(archscope.load(chain, input=(8, 32, 32))), 3)
    print(f"10,000 convolutions         {whole:8.0f} ms (at most 1,000)")


def modules() -> None:
    """Building, and a training step against torchvision's own, interleaved."""
    import torch
    import torchvision

    import archscope

    torch.set_num_threads(1)
    meta = best(lambda: archscope.build("vgg16", device="meta"))
    print(f"build vgg16 on meta         {meta:8.2f} ms (at most 20)")
    pairs = []
    for _ in range(3):
        ours = best(lambda: archscope.build("vgg16"), 1)
        pairs.append(ours / best(torchvision.models.vgg16, 1))
    print(f"build vgg16 on CPU          {statistics.median(pairs):8.2f}× torchvision's constructor (at most 1)")
    mine = archscope.build("vgg11", adaptive_pool=True, width="1/8", head_width="1/32", input_size=(64, 64))
    kept = [layer for layer in mine.features if not isinstance(layer, torch.nn.ReLU)]
    layers = [layer.out_channels if isinstance(layer, torch.nn.Conv2d) else "M" for layer in kept]
    theirs = torchvision.models.VGG(torchvision.models.vgg.make_layers(layers))
    theirs.classifier = mine.classifier
    image = torch.rand(4, 3, 64, 64)

    def step(model: torch.nn.Module) -> float:
        start = time.perf_counter()
        model(image).sum().backward()
        return time.perf_counter() - start

    for _ in range(5):
        step(mine), step(theirs)
    ratios = [step(mine) / step(theirs) if n % 2 else 1 / (step(theirs) / step(mine)) for n in range(60)]
    low, high = interval(ratios)
    middle = statistics.median(ratios)
    print(
        f"forward and backward        {middle:8.3f}× torchvision's, 95 % interval {low:.3f} to {high:.3f} (contains 1)"
    )


def interval(values: Sequence[float]) -> tuple[float, float]:
    """The 95 % bootstrap interval of the median."""
    source = random.Random(0)
    medians = sorted(statistics.median(source.choices(values, k=len(values))) for _ in range(2000))
    return medians[50], medians[1949]


if __name__ == "__main__":
    print("bare interpreter -> summary ", in_turn(BARE, SUMMARY, 15), "(at most 16× CPU)")
    print("summary -> torchinfo        ", in_turn(SUMMARY, TORCHINFO, 5), "(at least 30× wall, 25× memory)")
    print("summary -> all printed cells", in_turn(SUMMARY, CHECK, 7), "(at most 6× CPU)")
    library()
    modules()

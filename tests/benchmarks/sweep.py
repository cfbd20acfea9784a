"""How fast a sweep is, and that its numbers are right: ``python tests/benchmarks/sweep.py [speed peers equal memory]``.

speed: designs a second of one core, by CPU time, for whole sweeps whose best twenty are kept. peers: building each
design on meta and counting it with torch's FlopCounterMode or torchinfo, 20 s each, in turn with the sweep of the same
designs. equal: every number of 10,000 random designs per network against ``profile``. memory: what 10⁸ designs take.
"""

from __future__ import annotations

import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import archscope
from archscope import analyses

COUNTS = ["params", "macs", "activations", *(["receptive_field"] if "receptive_field" in analyses.columns() else [])]
PEAKS = ["inference_peak_bytes", "train_peak_bytes"]
SPACE: dict[str, Any] = {"width": "1/32:2:1/32", "input": "224:728:8", "batch": "1:256:1"}
SMALL: dict[str, Any] = {"width": "1/32:2:1/32", "input": "224:728:8", "batch": "1:16:1"}
AIMS = {("vgg16", "counts"): 1_000_000, ("googlenet", "counts"): 300_000, ("vgg16", "peaks"): 50_000,
        ("googlenet", "peaks"): 50_000}  # fmt: skip
SECONDS = 20
EQUAL = 10_000


def timed(action: Callable[[], Any]) -> tuple[Any, float, float]:
    """The result, CPU seconds and wall seconds of a call."""
    cpu, wall = time.process_time(), time.perf_counter()
    result = action()
    return result, time.process_time() - cpu, time.perf_counter() - wall


def rate(network: str, columns: list[str], space: dict[str, Any]) -> float:
    """Designs per CPU second: the best of three whole sweeps."""
    rates = []
    for _ in range(3):
        found, cpu, _ = timed(
            lambda: archscope.sweep(network, vary=space, columns=columns, where="params > 1", sort=["macs"], top=20)
        )
        rates.append(found.points / cpu)
    return max(rates)


def speed() -> None:
    """Designs a second."""
    for (network, what), aim in AIMS.items():
        found = rate(network, COUNTS if what == "counts" else [*COUNTS, *PEAKS], SPACE if what == "counts" else SMALL)
        print(f"{network:10} {what:7} {found:12,.0f} designs/s of CPU (at least {aim:,})")


def designs(network: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Random designs of the space, as a batch and changes."""
    source = random.Random(network)
    while True:
        size = source.randrange(224, 736, 8)
        width = Fraction(source.randint(1, 64), 32)
        yield source.randint(1, 256), {"width": width, "input_size": (size, size)}


def peers() -> None:
    """Building and counting the same designs one by one, as other tools do."""
    import torch
    import torchinfo
    from torch.utils.flop_counter import FlopCounterMode

    def flop_counter(model: torch.nn.Module, image: torch.Tensor) -> None:
        with FlopCounterMode(display=False) as counter:
            model(image)
        counter.get_total_flops(), sum(each.numel() for each in model.parameters())

    def summary(model: torch.nn.Module, image: torch.Tensor) -> None:
        torchinfo.summary(model, input_data=image, verbose=0, device="meta", mode="eval")

    for network in ("vgg16", "googlenet"):
        for name, count in (("FlopCounterMode", flop_counter), ("torchinfo", summary)):
            ours = rate(network, COUNTS, SPACE)
            number, start = 0, time.process_time()
            for batch, changes in designs(network):
                model = archscope.build(network, device="meta", **changes).eval()
                count(model, torch.empty(batch, 3, *changes["input_size"], device="meta"))
                number += 1
                if time.process_time() - start > SECONDS:
                    break
            theirs = number / (time.process_time() - start)
            print(
                f"{network:10} {name:16} {theirs:6.1f} designs/s; the sweep {ours / theirs:10,.0f}× (at least 10,000×)"
            )


def equal() -> None:
    """Every number of random designs, from a sweep and from their own profiles."""
    columns = [*COUNTS, *PEAKS]
    for network in ("vgg16", "googlenet", "mobilenet_v2"):
        found = archscope.sweep(network, vary=SMALL | {"batch": "1,2,7,64"}, columns=columns)
        rows = random.Random(0).sample(range(found.points), k=EQUAL)
        differing = 0
        for row in rows:
            size = int(found["input"][row])
            changes = {"width": str(Fraction(found["width"][row])), "input_size": (size, size)}
            totals = archscope.profile(network, int(found["batch"][row]), columns=columns, **changes).totals
            differing += any(found[name][row] != totals[name].value for name in columns)
        print(f"{network:13} {len(rows):,} of {found.points:,} designs: {differing} differ (none may)")


def memory() -> None:
    """10⁸ designs, of which few are kept."""
    space = {"width": "1/64:2:1/64", "input": "64:1056:2", "batch": "1:64:1", "classes": "10:250:10"}
    found, _, wall = timed(
        lambda: archscope.sweep(
            "vgg16", vary=space, where="params < 50M and macs < 10G", pareto=["macs", "-activations"], sort=["macs"]
        )
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    kept = len(found["macs"])
    print(f"{found.points:,} designs in {wall:.0f} s, {kept:,} kept: {peak:.0f} MiB at most (at most 500 MB)")


if __name__ == "__main__":
    parts = {"memory": memory, "speed": speed, "peers": peers, "equal": equal}
    chosen = sys.argv[1:] or list(parts)
    if len(chosen) == 1:
        parts[chosen[0]]()
    else:
        for part in chosen:  # each in a process of its own, whose memory is its own
            subprocess.run([sys.executable, __file__, part], check=True)

"""Is memory exact, and how long does it take? ``python tests/benchmarks/memory.py``, some ten minutes.

Every network at batches of 2 and 8 at its full size against its module on fake tensors: what is left over, in bytes.
Then what predicting takes, and what ``archscope fit`` takes beyond ``archscope summary``, processes in turn.
``--quick`` leaves the first part out.
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

import archscope
from archscope import catalog
from archscope.core.records import Setting
from archscope.graph.footprint import training_course
from archscope.studies.memory_use import memory_use

BATCHES = (2, 8)

SUMMARY = ("-m", "archscope", "summary", "vgg16")
FIT = ("-m", "archscope", "fit", "vgg16", "--memory", "8GiB")
MEMORY = ("-m", "archscope", "memory", "vgg16", "--batch", "8")


def exactness() -> None:
    """What the graph says minus what the module takes, network by network."""
    sys.path.append(str(Path(__file__).parents[1]))
    from measured import Measured, measured, predicted

    worst = dict.fromkeys(Measured._fields, 0)
    for name in catalog.everything():
        for batch in BATCHES:
            graph = archscope.lower(name, batch)
            real = measured(graph, fake=True)
            left = [mine - its for mine, its in zip(predicted(graph), real, strict=True)]
            words = ", ".join(f"{what} {size:+,}" for what, size in zip(Measured._fields, left, strict=True))
            print(f"{name:<32} batch {batch}: {words} B of {real.train_peak:,}", flush=True)
            for what, size in zip(Measured._fields, left, strict=True):
                worst[what] = max(worst[what], abs(size))
    print(f"largest differences: {worst}")


def times() -> None:
    """One prediction of a training step, of all that the command prints, and of the largest batch; without torch."""
    from foundation import best  # beside this file, when it is run

    for name, at_most in (("vgg16", 20), ("googlenet", 0), ("resnet152", 100), ("densenet264", 0)):
        graph = archscope.lower(name, 8)
        setting = Setting(8, mode="train")
        limit = f" (at most {at_most})" if at_most else ""
        step = best(lambda graph=graph, setting=setting: training_course(graph, setting), 10)
        whole = best(lambda graph=graph, setting=setting: memory_use(graph, graph, setting), 10)
        print(f"{name:<12} training step {step:7.2f} ms{limit}, all that memory prints {whole:7.2f} ms")
    assert "torch" not in sys.modules
    for name in ("vgg16", "resnet152"):
        print(f"{name:<12} largest batch {best(lambda name=name: archscope.fit(name, '24GiB'), 5):7.1f} ms")


def commands(runs: int = 15) -> None:
    """CPU milliseconds of whole processes, in turn."""
    from foundation import process

    for words in (SUMMARY, FIT, MEMORY):
        process(words)
    rounds = [[process(words)[0] * 1000 for words in (SUMMARY, FIT, MEMORY)] for _ in range(runs)]
    summary, fit, memory = (statistics.median(column) for column in zip(*rounds, strict=True))
    more = [statistics.median(each[n] - each[0] for each in rounds) for n in (1, 2)]
    print(f"summary vgg16 {summary:6.0f} ms, fit {fit:6.0f} ms: {more[0]:+.0f} ms (at most +150)")
    print(f"memory vgg16 {memory:6.0f} ms: {more[1]:+.0f} ms")


if __name__ == "__main__":
    times()
    commands()
    if "--quick" not in sys.argv:
        exactness()

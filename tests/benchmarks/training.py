"""Verdicts on networks that learn and on planted faults, runs that are killed, and speed against a loop by hand.

    python tests/benchmarks/training.py verdicts [SEEDS]    a table of every network by seeds 0,1,2,3,4
    python tests/benchmarks/training.py faults [SEEDS]      every planted fault and the healthy network
    python tests/benchmarks/training.py kills [COUNT]       SIGKILL at random moments, each resumed, weights compared
    python tests/benchmarks/training.py speed [ROUNDS]      images a second, interleaved, with intervals

The verdict's thresholds were last changed after seeds 0 to 4 and 10 to 14 had been looked at.
Set OMP_NUM_THREADS on a machine that others use.
"""

from __future__ import annotations

import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

import planted
import torch
from safetensors.torch import load_file
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

import archscope
from archscope.training.loop import train as steps_of
from archscope.training.machine import machine_of
from archscope.training.progress import progress_of
from archscope.training.recipe import Recipe
from archscope.training.sampling import order

STEPS = 4
"""Of a timing."""

NETWORKS = {
    "vgg11_bn": "1/8", "vgg13_bn": "1/8", "vgg16_bn": "1/8", "vgg19_bn": "1/8", "resnet18": "1/4", "lenet5": None,
    "alexnet_owt": "1/4", "googlenet": None, "googlenet_torchvision": None,
}  # fmt: skip


class Run(NamedTuple):
    """What ``archscope train`` said. wall, cpu: seconds of the whole process, its start included."""

    verdict: str
    epochs: int
    accuracy: float
    wall: float
    cpu: float


def verdicts(seeds: list[int]) -> None:
    """A table: a row per network, the held-out accuracy of each seed, and what the command takes."""
    print(f"| network | epochs | {' | '.join(f'seed {seed}' for seed in seeds)} | learns | wall s | CPU s |")
    print(f"|:--|--:|{'--:|' * len(seeds)}--:|--:|--:|")
    for network, width in NETWORKS.items():
        runs = [_commanded(network, width, seed) for seed in seeds]
        cells = [f"{run.accuracy:.1%}" if run.verdict == "learns" else f"**{run.verdict}**" for run in runs]
        learns = sum(run.verdict == "learns" for run in runs)
        wall = [run.wall for run in runs]
        spent = f"{min(wall):.1f} to {max(wall):.1f} | {statistics.median(run.cpu for run in runs):.1f}"
        name = f"{network} at width {width}" if width else network
        print(f"| {name} | {runs[0].epochs} | {' | '.join(cells)} | {learns} of {len(runs)} | {spent} |", flush=True)


def _commanded(network: str, width: str | None, seed: int) -> Run:
    """One run of the command, as a user starts it."""
    asked = [sys.executable, "-m", "archscope", "train", network, "--seed", str(seed), "--format", "json"]
    before, since = os.times(), time.perf_counter()
    done = subprocess.run([*asked, *(["--width", width] if width else [])], capture_output=True, text=True, check=False)
    wall, after = time.perf_counter() - since, os.times()
    found = json.loads(done.stdout)
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    causes = f": {', '.join(found['causes'])}" if found["causes"] else ""
    history = found["history"]
    accuracy = history[-1]["validation_accuracy"] if history else 0.0
    return Run(found["verdict"] + causes, len(history), accuracy, wall, cpu)


def faults(seeds: list[int]) -> None:
    """One line per fault: how often the verdict and the first cause are right."""
    for name in ("healthy", *planted.FAULTS):
        right = 0
        for seed in seeds:
            case = planted.FAULTS.get(name, planted.healthy)(seed)
            done = archscope.train(case.model, case.data, case.recipe, input=planted.SHAPE)
            wanted = ("learns", ()) if name == "healthy" else ("does not learn", (case.cause,))
            found = (done.verdict.verdict, done.verdict.causes)
            right += found == wanted
            if found != wanted:
                print(f"  {name}, seed {seed}: {found}", flush=True)
        print(f"{name}: {right} of {len(seeds)}", flush=True)


def small_run(folder: Path, *, resume: bool = False) -> None:
    """A short training with dropout and batch norm in a folder."""
    recipe = Recipe(epochs=4, seed=1, lr=2e-3, optimizer="adamw", batch_size=64)
    torch.manual_seed(1)
    archscope.train(planted.Small(), planted.digits(1), recipe, input=planted.SHAPE, out=folder, resume=resume)


def kills(count: int) -> None:
    """Kills a run at random moments, goes on with it, and compares the last weights bit for bit."""
    with tempfile.TemporaryDirectory() as parent:
        whole = Path(parent) / "whole"
        since = time.perf_counter()
        _in_process(lambda: small_run(whole), 0)
        length = time.perf_counter() - since
        wanted = _weights(whole)
        moments = random.Random(0)
        same = begun = 0
        for number in range(count):
            folder = Path(parent) / str(number)
            _in_process(lambda folder=folder: small_run(folder), moments.uniform(0.05, 0.95) * length)
            there = (folder / "checkpoints" / "last.pt").is_file()
            begun += there
            if there:
                small_run(folder, resume=True)
            else:
                small_run(Path(f"{folder}-again"))
                folder = Path(f"{folder}-again")
            found = _weights(folder)
            same += all(torch.equal(found[key], wanted[key]) for key in wanted)
        print(f"{count} kills, {begun} after a first checkpoint; {same} end with the very weights of the whole run")


def _in_process(run: Callable[[], None], kill_after: float) -> None:
    """Runs in a process of its own, killed after so many seconds unless 0."""
    child = os.fork()
    if not child:
        run()
        os._exit(0)
    if kill_after:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def _weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(next((folder / "checkpoints").glob("last-*.safetensors")))


def speed(rounds: int) -> None:
    """Images a second of vgg11 at width 1/4 and 96×96, against the same loop written by hand, interleaved."""
    rate = {"lr": 0.01, "optimizer": "sgd", "momentum": 0.9, "weight_decay": 5e-4}
    recipe = Recipe(steps=STEPS, batch_size=32, init="default", warmup=0.0, log_every=1000, **rate)
    data = archscope.training.data.open_data("digits", input_shape=(3, 96, 96), seed=0)
    variants = {"ours": recipe, "channels_last": Recipe(**{**recipe.plain(), "channels_last": True})}
    times: dict[str, list[float]] = {name: [] for name in ("by hand", *variants)}
    losses: dict[str, list[float]] = {}
    for _ in range(rounds):
        for name, spent in times.items():
            torch.manual_seed(0)
            model = archscope.build(
                "vgg11", width="1/4", head_width="1/4", num_classes=10, input_size=(96, 96), dropout=0.0
            )  # a DataLoader draws random numbers, and masks would differ
            seconds, losses[name] = _by_hand(model, data) if name == "by hand" else _ours(model, data, variants[name])
            spent.append(seconds)
    print(f"losses of the steps: {losses}")
    hand = times.pop("by hand")
    for name, spent in times.items():
        ratios = [theirs / own for theirs, own in zip(hand, spent, strict=True)]
        low, high = interval(ratios)
        print(
            f"{name}: {statistics.median(ratios):.2f}× the images a second of a loop by hand, {low:.2f} to {high:.2f}"
        )


def _ours(model: torch.nn.Module, data: archscope.training.data.Data, recipe: Recipe) -> tuple[float, list[float]]:
    machine = machine_of(recipe)
    progress = progress_of(machine.placed(model), data, recipe, machine)
    since = time.perf_counter()
    for event in steps_of(progress):
        if getattr(event, "step", 0) == recipe.steps:
            break  # the evaluation is not part of it
    return time.perf_counter() - since, progress.curve.tolist()


def _by_hand(model: torch.nn.Module, data: archscope.training.data.Data) -> tuple[float, list[float]]:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    everything = TensorDataset(data.train.batch(torch.arange(len(data.train))), data.train.labels)
    loader = DataLoader(everything, 32, sampler=order(0, 0, len(everything)).tolist()[: 32 * STEPS])
    losses = []
    model.train()
    since = time.perf_counter()
    for x, labels in loader:
        loss = cross_entropy(model(x), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    return time.perf_counter() - since, losses


def interval(values: list[float], draws: int = 2000) -> tuple[float, float]:
    """A 95 % bootstrap interval of the median."""
    chance = random.Random(0)
    medians = sorted(statistics.median(chance.choices(values, k=len(values))) for _ in range(draws))
    return medians[draws // 40], medians[-draws // 40]


def main() -> None:
    """Runs what is asked for."""
    what, *more = sys.argv[1:] or ["verdicts"]
    if os.environ.get("OMP_NUM_THREADS"):
        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    if what in {"kills", "speed"}:
        {"kills": kills, "speed": speed}[what](int(more[0]) if more else 20)
    else:
        seeds = more[0] if more else "0,1,2,3,4"
        {"verdicts": verdicts, "faults": faults}[what]([int(each) for each in seeds.split(",")])


if __name__ == "__main__":
    main()

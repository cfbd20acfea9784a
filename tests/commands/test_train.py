"""``archscope train``: what it says before, while and after; exit codes; what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

NET = """
import torch
from torch import nn


class Net(nn.Sequential):
    def __init__(self, last="logits"):
        layers = [nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(4), nn.Flatten(), nn.Linear(128, 10)]
        super().__init__(*layers, *([nn.Softmax(1)] if last == "softmax" else []))
"""


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def net(here: Path) -> str:
    (here / "net.py").write_text(NET, encoding="utf-8")
    return "./net.py:Net"


def test_it_says_what_it_will_do_how_it_goes_and_what_it_comes_to(archscope: Callable, here: Path) -> None:
    outcome = archscope("train lenet5 --epochs 2 --out runs/one")
    assert (outcome.code, outcome.err) == (0, "")
    lines = outcome.out.split("\n")
    assert lines[0] == "lenet5 on digits at 1×32×32 · changed: a linear layer to 10 classes behind its features"
    assert lines[1] == "train      1,438 images of 10 classes, 139 to 146 of each"
    assert "network    60,850 params" in lines
    assert "step       32 images, 27,734,016 MACs forward and backward; 2 epochs, 90 steps" in lines
    assert "init xavier, seed 0" in outcome.out
    assert "memory     " in outcome.out
    epochs = [line for line in lines if "images/s" in line]
    assert [line.split()[0] for line in epochs] == ["45/90", "90/90"]
    assert all("held-out" in line and "GFLOP/s" in line and "% of matmul" in line for line in epochs)
    assert "✓ held-out  " in outcome.out
    assert "lenet5: learns" in lines
    written = {path.name for path in (here / "runs/one").iterdir()}
    assert {"history.csv", "metrics.jsonl", "curves.png", "confusion.png", "classes.json", "checkpoints"} <= written
    again = archscope("train lenet5 --epochs 2 --out runs/one")
    assert again.code == 2
    assert "there is a run in 'runs/one' already" in again.err
    resumed = archscope("train lenet5 --resume --out runs/one")
    assert resumed.code == 0
    assert "images/s" not in resumed.out  # nothing was left to do


def test_a_module_of_the_users_is_trained_by_its_address(net: str, archscope: Callable) -> None:
    outcome = archscope(f"train '{net}' --input 1x16x16 --epochs 2")
    assert outcome.code == 0
    assert outcome.out.startswith("Net on digits at 1×16×16\n")
    assert "Net: learns" in outcome.out


def test_a_fault_ends_with_1_and_says_what_would_help(net: str, archscope: Callable) -> None:
    outcome = archscope(f"train '{net}(last=\"softmax\")' --input 1x16x16 --epochs 2")
    assert outcome.code == 1
    assert "the loss cannot fall below ln(e + C − 1) − 1 = 1.461" in outcome.out
    assert "Net: does not learn: soft-max before cross-entropy" in outcome.out
    assert "try: return logits: cross-entropy applies soft-max" in outcome.out


def test_too_short_a_run_is_undecided_and_ends_with_3(net: str, archscope: Callable) -> None:
    outcome = archscope(f"train '{net}' --input 1x16x16 --steps 2 --format json")
    assert outcome.code == 3
    found = json.loads(outcome.out)
    assert (found["verdict"], found["causes"]) == ("undecided", [])
    assert found["recipe"]["steps"] == 2
    assert {"name", "status", "what"} <= set(found["signs"][0])
    assert "on digits at" in outcome.err  # what people read does not disturb what machines do


def test_a_dry_run_trains_nothing(archscope: Callable, here: Path) -> None:
    outcome = archscope("train vgg11_bn --width 1/8 --dry-run --out runs/none")
    assert (outcome.code, outcome.err) == (0, "")
    assert "head_width=1/8" in outcome.out
    assert "time       about" in outcome.out
    assert not any(here.iterdir())


def test_what_does_not_fit_is_refused_with_what_would(archscope: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archscope.training.planning.available_bytes", lambda _: 20 * 2**20)
    outcome = archscope("train vgg11_bn --width 1/8 --batch-size 512 --dry-run")
    assert outcome.code == 1
    assert "does-not-fit: a step of vgg11_bn with 512 examples at once needs" in outcome.err
    assert "and cpu has 20.00 MiB" in outcome.err
    fitting = int(outcome.err.split("--batch-size ")[1].split(",")[0])
    assert archscope(f"train vgg11_bn --width 1/8 --batch-size {fitting} --dry-run").code == 0
    assert archscope(f"train vgg11_bn --width 1/8 --batch-size {fitting + 1} --dry-run").code == 1
    assert archscope("train vgg11_bn --width 1/8 --batch-size 512 --dry-run --force").code == 0


@pytest.mark.parametrize(
    ("line", "code", "text"),
    [
        ("train vgg61", 1, "no network is called 'vgg61'"),
        ("train lenet5 --data digit", 1, "no data is called 'digit'"),
        ("train lenet5 --lr 0", 2, "lr is 0.0"),
        ("train lenet5 --steps 1 --epochs 1", 2, "steps and epochs both say how long it trains"),
        ("train lenet5 --freeze conv9", 1, "no parameter is called 'conv9'"),
        ("train googlenet --init paper", 1, "not supported: init paper for"),
        ("train vgg11_bn --input 16", 1, "the smallest square input that it takes is 32×32: --input 32x32"),
        ("train vgg11_bn --batch-size 1", 2, "batch norm takes the mean of several examples, and 1 at once"),
        ("train lenet5 --input 2x32x32", 2, "the network takes 2×32×32, and pictures have 1 or 3 channels"),
        ("train lenet5 --weights nothing.pt", 1, "weights is 'nothing.pt'"),
        ("train torch.nn:Linear(3,4) --input 3", 2, "Linear(3,4) takes 3, and is trained on pictures"),
        ("train lenet5 --resume", 2, "which run is to go on?"),
    ],
)
def test_what_makes_no_sense_is_refused(line: str, code: int, text: str, archscope: Callable, here: Path) -> None:
    outcome = archscope(line)
    assert (outcome.code, text in outcome.err) == (code, True), outcome.err
    assert not any(here.iterdir())


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_an_error(archscope: Callable) -> None:
    outcome = archscope("train lenet5 --device cuda")
    assert outcome.code == 1
    assert "there is no GPU that torch can use" in outcome.err


def test_a_folder_that_cannot_be_written_is_an_error(archscope: Callable, here: Path) -> None:
    (here / "file").write_text("", encoding="utf-8")
    outcome = archscope("train lenet5 --steps 1 --out file/run")
    assert outcome.code == 1
    assert "cannot-write: 'file/run'" in outcome.err


def test_frozen_parameters_are_counted(net: str, archscope: Callable) -> None:
    outcome = archscope(f"train '{net}' --input 1x16x16 --freeze '0.*' --dry-run")
    assert "network    1,370 params, 80 of them frozen" in outcome.out

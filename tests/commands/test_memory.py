"""``archscope memory``: what it says, in every format, and what it refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

import archscope as library
from archscope.studies.memory_use import PARTS

MOMENT = {"bytes", "phase", "layer", "parts"}


def data_of(archscope: Callable, line: str) -> dict:
    outcome = archscope(f"{line} --format json")
    assert (outcome.code, outcome.err) == (0, "")
    return json.loads(outcome.out)


def test_machines_get_every_moment_and_every_part(archscope: Callable) -> None:
    found = data_of(archscope, "memory googlenet_torchvision --batch 8 --optimizer adam --classes 10")
    use = library.memory(
        "googlenet_torchvision", 8, optimizer=library.api.settings.checked_optimizer("adam"), num_classes=10
    )
    assert found["network"] == "googlenet_torchvision"
    assert found["input_shape"] == [3, 224, 224]
    assert found["changes"] == ["num_classes=10"]
    assert (found["status"], found["missing"]) == ("exact", [])
    assert found["setting"]["batch"] == 8
    assert found["setting"]["optimizer"] == {
        "name": "adam", "momentum": 0.0, "weight_decay": 0.0, "implementation": "",
    }  # fmt: skip
    for name, moment in (
        ("inference_peak", use.inference), ("inference_peak_ideal", use.ideal), ("train_peak", use.training),
    ):  # fmt: skip
        assert found[name].keys() == MOMENT
        assert (found[name]["bytes"], found[name]["layer"]) == (moment.bytes, moment.layer)
    assert found["saved"] == use.saved
    assert found["saved_bytes"] == sum(found["saved"].values())
    assert [moment["bytes"] for moment in found["timeline"]] == [moment.bytes for moment in use.timeline]
    assert all(tuple(moment["parts"]) == PARTS for moment in found["timeline"])
    assert [tool["tool"] for tool in found["other_tools"]] == ["torchinfo", "torchsummary", "CS231n", "fvcore"]


def test_a_graph_of_the_step_belongs_to_text_and_not_to_tables(archscope: Callable) -> None:
    formats = {
        name: archscope(f"memory lenet5 --format {name}").out for name in ("terminal", "markdown", "csv", "latex")
    }
    assert {name: "└forward" in text for name, text in formats.items()} == {
        "terminal": True, "markdown": True, "csv": False, "latex": False,
    }  # fmt: skip
    fenced = formats["markdown"].split("```")
    assert len(fenced) == 3
    assert "┤" in fenced[1]
    assert formats["csv"].splitlines()[0] == "part,inference,ideal,training"


def test_the_setting_is_said_with_the_numbers(archscope: Callable) -> None:
    out = archscope(
        "memory lenet5 --amp bfloat16 --grads resident --weight-decay 0.1 --implementation fused --device cpu"
    ).out
    assert (
        "float32 with bfloat16 autocast, SGD, momentum 0.9, weight decay 0.1, fused, gradients resident, on cpu" in out
    )
    assert "on a GPU, estimates" not in out
    assert "on a GPU, estimates" in archscope("memory lenet5").out


def test_measured_figures_stand_beside_the_predicted_ones(archscope: Callable) -> None:
    outcome = archscope("memory lenet5 --batch 2 --device cpu --measure")
    assert (outcome.code, outcome.err) == (0, "")
    pattern = r"(\w+) peak measured: ([\d,]+) B, predicted ([\d,]+) B, ([-+\d,]+) B; with what kernels"
    found = {what: [int(each.replace(",", "")) for each in rest] for what, *rest in re.findall(pattern, outcome.out)}
    assert found.keys() == {"inference", "training"}
    for measured, predicted, left in found.values():
        assert predicted - measured == left
        assert -50 * 8 <= left <= 0  # numbers that torch makes tensors of: see tests/running
    data = data_of(archscope, "memory lenet5 --batch 2 --device cpu --measure")
    assert data["measured"].keys() == {
        "inference_peak", "train_peak", "inference_with_kernels", "train_with_kernels",
    }  # fmt: skip
    assert "measured" not in data_of(archscope, "memory lenet5")


WRONG = {
    "memory vgg16 --dtype int8": "bad-value: dtype is 'int8'\n  expected: float32, float16, bfloat16, float64\n",
    "memory vgg16 --optimizer lion": "bad-value: optimizer is 'lion'\n  expected: sgd, adam, adamw\n",
    "memory vgg16 --optimizer adam --momentum 0.9": "bad-value: adam has no momentum to set\n  help:     sgd has\n",
    "memory vgg16 --device tpu": "bad-value: device is 'tpu'\n  expected: cuda, cpu\n",
    "memory vgg16 --grads x": "bad-value: grads is 'x'\n  expected: none, resident\n",
    "memory vgg16 --amp x": "bad-value: amp is 'x'\n  expected: bfloat16, float16\n",
    "memory vgg16 --weight-decay 2": "bad-value: weight_decay is 2.0\n  expected: 0 up to, not including, 1\n",
    "memory vgg16 --implementation x": "bad-value: implementation is 'x'\n  expected: for-loop, foreach, fused\n",
}


@pytest.mark.parametrize("line", WRONG)
def test_what_makes_no_sense_ends_with_2(line: str, archscope: Callable) -> None:
    assert archscope(line) == (2, "", WRONG[line])


def test_without_a_gpu_there_is_nothing_to_measure_on_it(archscope: Callable) -> None:
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    said = "no-gpu: there is no GPU that torch can use\n  help:     --device cpu, or on the GPU\n"
    assert archscope("memory lenet5 --measure") == (1, "", said)


def test_a_table_without_a_memory_rule_says_that_its_figures_are_bounds(archscope: Callable, here: Path) -> None:
    cells = "title = 'Net'\ninput = [3, 16, 16]\ngrid = '''\n| A |\n|---|\n| conv3-8 |\n| rmsnorm |\n| FC-3 |\n'''\n"
    (here / "net.toml").write_text(cells, encoding="utf-8")
    outcome = archscope("memory ./net.toml")
    assert outcome.code == 0
    assert "lower bounds: the memory of RMSNorm is not known" in outcome.out
    assert "tensors of torch's eager mode; a GPU's" in outcome.out
    assert data_of(archscope, "memory ./net.toml")["status"] == "bound"
    fit = archscope("fit ./net.toml --memory 1MiB")
    assert "A: the memory of RMSNorm is not known: less may fit" in fit.out
    assert "tensors of eager torch; a GPU's" in fit.out

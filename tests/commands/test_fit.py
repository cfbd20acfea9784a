"""``archscope fit``: what fits, by how much it does not, and what would instead."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest


def test_vgg_with_batch_norm_under_adam_misses_2_gib_by_less_than_a_megabyte_before_any_activation(
    archscope: Callable,
) -> None:
    outcome = archscope("fit vgg16_bn --classes 2 --optimizer adam --memory 2GiB")
    assert (outcome.code, outcome.err) == (1, "")
    assert (
        "vgg16_bn, 2.00 GiB: parameters, gradients and optimizer state alone need 2,148,434,976 B, 951,328 B too much\n"
        in outcome.out
    )
    ways = next(line for line in outcome.out.splitlines() if "what would fit" in line)
    for words in ("SGD with momentum 0.9 (batch ", "SGD without momentum (batch ", "inference only (batch ", "width "):
        assert words in ways
    assert "none" in outcome.out


def test_machines_get_the_same_answer(archscope: Callable) -> None:
    outcome = archscope("fit vgg16_bn --classes 2 --optimizer adam --memory 2GiB --memory 4GiB --format json")
    assert (outcome.code, outcome.err) == (1, "")
    small, large = json.loads(outcome.out)["fits"]
    assert (small["value"], small["largest"], small["mode"]) == (None, "batch", "train")
    parts = small["peak"]["parts"]
    assert parts["params"] + parts["grads"] + parts["optimizer"] == 2_148_434_976
    assert small["too_much"] == small["peak"]["bytes"] - 2 * 2**30
    assert {each["change"].split(" ")[0] for each in small["advice"]} == {"SGD", "inference", "width"}
    assert large["value"] >= 1
    assert large["peak"]["bytes"] <= 4 * 2**30 < large["next_bytes"]
    assert (large["too_much"], large["advice"]) == (0, [])


def test_each_network_has_a_line_for_each_memory(archscope: Callable) -> None:
    outcome = archscope("fit alexnet vgg16 --memory 8GiB --memory 24GiB --format csv")
    lines = [line.split(",") for line in outcome.out.splitlines()]
    assert lines[0] == ["network", "memory", "value", "peak", "layer", "phase", "next"]
    assert [(line[0], int(line[1]) // 2**30) for line in lines[1:]] == [
        ("alexnet", 8), ("alexnet", 24), ("vgg16", 8), ("vgg16", 24),
    ]  # fmt: skip
    assert all(int(line[3]) <= int(line[1]) < int(line[6]) for line in lines[1:])


def test_a_name_of_a_table_is_all_its_networks(archscope: Callable) -> None:
    outcome = archscope("fit vgg --memory 16GiB --format csv")
    assert len(outcome.out.splitlines()) > 10


def test_a_width_is_a_fraction(archscope: Callable) -> None:
    outcome = archscope("fit resnet18 --memory 1GiB --largest width --batch 8 --format json")
    (found,) = json.loads(outcome.out)["fits"]
    assert (found["largest"], found["setting"]["batch"]) == ("width", 8)
    assert "/" in found["value"]


def test_a_chip_that_is_too_small_ends_with_1(archscope: Callable) -> None:
    outcome = archscope("fit mobilenet_v1 lenet5 --flash 4MiB --ram 512KiB")
    assert outcome.code == 1
    rows = {line.split()[0]: line.split() for line in outcome.out.splitlines() if line.startswith(("mobile", "lenet"))}
    assert (rows["mobilenet_v1"][-2:], rows["lenet5"][-2:]) == (["no", "7/32"], ["yes", "1"])
    (mobile, _) = json.loads(archscope("fit mobilenet_v1 lenet5 --flash 4MiB --ram 512KiB --format json").out)["fits"]
    assert (mobile["width"], mobile["flash"], mobile["ram"]) == ("7/32", 4 * 2**20, 512 * 2**10)


CHIPS = (
    "bad-usage: a microcontroller has --flash and --ram, both of them, and no --memory\n"
    "  help:     archscope fit mobilenet --flash 4MiB --ram 512KiB\n"
)

WRONG = {
    "fit vgg16": "missing-option: archscope fit needs --memory\n  help:     --memory 8GiB, or auto\n",
    "fit": "missing-argument: archscope fit needs NETWORK…\n  help:     archscope fit --help\n",
    "fit vgg16 --memory 2G": "bad-value: memory is '2G', which may mean two things\n"
    "  expected: 2GB (1,000,000,000 B each) or 2GiB (1,073,741,824 B each)\n",
    "fit vgg16 --memory 4096": "bad-value: memory is '4096', without a unit\n  expected: 4096MiB or 4096GiB\n",
    "fit vgg16 --memory 0GiB": "bad-value: memory is '0GiB', which is no memory at all\n",
    "fit vgg16 --memory=-1GiB": "bad-value: memory is '-1GiB'\n  expected: a size with its unit, such as 2GiB\n",
    "fit vgg16 --memory 1GiB --reserve 1GiB": "bad-value: a reserve of 1,073,741,824 B leaves nothing of "
    "1,073,741,824 B\n",
    "fit vgg16 --memory 1GiB --largest depth": "bad-value: largest is 'depth'\n  expected: batch, input, width\n",
    "fit vgg16 --memory 1GiB --batch 8": "bad-value: batch is 8, and the largest one is looked for\n"
    "  help:     a batch is given for the largest input or width\n",
    "fit vgg16 --flash 1MiB": CHIPS,
    "fit vgg16 --ram 1MiB": CHIPS,
    "fit vgg16 --flash 1MiB --ram 1MiB --memory 1GiB": CHIPS,
    "fit vgg16 --flash 1MiB --ram 1MiB --device cpu": "bad-usage: --device means nothing for a microcontroller\n",
    "fit vgg16 --flash 1MiB --ram 1MiB --infer": "bad-usage: --train/--infer means nothing for a microcontroller\n",
    "fit vgg16 --memory 1GiB --infer --momentum 0.9": "bad-usage: --momentum means nothing for inference\n",
}


def test_nothing_kept_free_may_be_said(archscope: Callable) -> None:
    assert archscope("fit vgg16 --memory 8GiB --reserve 0GiB") == archscope("fit vgg16 --memory 8GiB")


@pytest.mark.parametrize("line", WRONG)
def test_what_makes_no_sense_ends_with_2(line: str, archscope: Callable) -> None:
    assert archscope(line) == (2, "", WRONG[line])


def test_auto_asks_the_gpu_and_says_so_where_there_is_none(archscope: Callable) -> None:
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    said = "no-gpu: there is no GPU whose free memory torch could ask for\n  help:     --memory 8GiB\n"
    assert archscope("fit vgg16 --memory auto") == (1, "", said)


@pytest.mark.gpu
def test_auto_is_what_is_free_on_the_gpu(archscope: Callable) -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    (found,) = json.loads(archscope("fit vgg16 --memory auto --format json").out)["fits"]
    assert 0 < found["memory"] <= torch.cuda.mem_get_info()[1]

"""What training depends on, and what makes no sense of it."""

from __future__ import annotations

from typing import Any

import pytest

import archscope
from archscope.api.settings import checked_optimizer, training_setting
from archscope.core.errors import Unsupported, UsageError
from archscope.core.records import Optimizer

FLOATS = "float32, float16, bfloat16, float64"

WIDE = "dtype is 'bfloat16': mixed precision keeps its parameters in float32"

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"dtype": "float8"}, "dtype is 'float8'\n  expected: "),
    ({"dtype": "int8"}, f"dtype is 'int8'\n  expected: {FLOATS}"),
    ({"device": "tpu"}, "device is 'tpu'\n  expected: cuda, cpu"),
    ({"grads": "some"}, "grads is 'some'\n  expected: none, resident"),
    ({"amp": "float32"}, "amp is 'float32'\n  expected: bfloat16, float16"),
    (
        {"amp": "float16", "dtype": "bfloat16"},
        f"{WIDE}\n  help:     either amp='float16' or dtype='bfloat16'",
    ),
    ({"batch": 0}, "batch is 0\n  expected: a whole number from 1 on"),
    ({"batch": "2"}, "batch is '2'\n  expected: a whole number from 1 on"),
]


@pytest.mark.parametrize(("given", "message"), REFUSED)
def test_a_setting_that_makes_no_sense_is_refused(given: dict[str, Any], message: str):
    with pytest.raises(UsageError) as caught:
        training_setting(given.pop("batch", 1), **given)
    assert str(caught.value).startswith(f"bad-value: {message}")


def test_inference_may_have_any_type():
    assert training_setting(1, dtype="int8", trains=False).item_bytes == 1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"name": "lion"}, "optimizer is 'lion'\n  expected: sgd, adam, adamw"),
        ({"implementation": "loop"}, "implementation is 'loop'\n  expected: for-loop, foreach, fused"),
        ({"name": "adam", "momentum": 0.9}, "adam has no momentum to set\n  help:     sgd has"),
        ({"momentum": 1.0}, "momentum is 1.0\n  expected: 0 up to, not including, 1"),
        ({"weight_decay": -0.1}, "weight_decay is -0.1\n  expected: 0 up to, not including, 1"),
    ],
)
def test_an_optimizer_that_there_is_not_is_refused(given: dict[str, Any], message: str):
    with pytest.raises(UsageError) as caught:
        checked_optimizer(**given)
    assert str(caught.value) == f"bad-value: {message}"


def test_sgd_has_momentum_unless_told_otherwise_and_adam_has_none():
    assert checked_optimizer() == Optimizer("sgd", 0.9)
    assert checked_optimizer("sgd", 0.0) == Optimizer("sgd", 0.0)
    assert checked_optimizer("adamw", weight_decay=0.1) == Optimizer("adamw", 0.0, 0.1)


def test_a_graph_has_its_batch():
    graph = archscope.lower("lenet5", 8)
    assert archscope.memory(graph) == archscope.memory(graph, 8) == archscope.memory("lenet5", 8)
    for wrong in ({"batch": 1}, {"num_classes": 3}):
        with pytest.raises(UsageError) as caught:
            archscope.memory(graph, **wrong)
        assert str(caught.value) == (
            "bad-value: a Graph has its sizes, and this one is for a batch of 8\n"
            "  help:     give the network itself, with the batch and the changes"
        )


def test_a_network_without_parameters_cannot_be_trained():
    with pytest.raises(Unsupported, match="nothing-to-train"):
        archscope.memory(["maxpool", "relu"], input=(3, 8, 8))

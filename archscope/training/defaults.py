"""What is chosen for a network where a recipe says nothing: so that a verdict comes soon, and is about the network."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from archscope.graph.graph import Graph
from archscope.training.recipe import Recipe

SIDES = (32, 64, 96, 128, 160, 192, 224, 256, 299)
"""Sides of inputs that are tried for data of small pictures, the first that the network takes."""

BUDGET = {"cpu": 0.25e12, "cuda": 1e14}
"""MACs of a training with nothing said about its length: two CPU cores take about 15 s."""

MOST_EPOCHS, LEAST_STEPS = 8, 60

SUITED = {
    "kaiming": "kaiming: ReLU without batch norm needs weights of variance 2/fan_in; torch's default has 1/(3·fan_in)",
    "xavier": "xavier: tanh and sigmoid without batch norm want 2/(fan_in + fan_out) (Glorot and Bengio 2010)",
}
"""What is chosen instead of torch's default, and why. GoogLeNet as printed does not train with that default."""


def completed(
    recipe: Recipe, graph: Graph, macs: int | None, examples: int, device: str
) -> tuple[Recipe, tuple[str, ...]]:
    """The recipe with what it leaves open chosen for a network, and what was chosen, in words.

    macs: of a training step per example, forward and backward. examples: of an epoch. device: cpu or cuda.
    """
    chosen: dict[str, Any] = {}
    words: list[str] = []
    kinds = {type(node.op).__name__.lower() for node in graph.nodes}
    plain_relu = "relu" in kinds and "batchnorm" not in kinds
    if recipe.init is None:
        chosen["init"] = _init_for(kinds) if graph.held is None and not recipe.weights else "default"
        words += [f"init {SUITED[chosen['init']]}"] if chosen["init"] in SUITED else []
    optimizer = recipe.optimizer or "adamw"
    chosen["optimizer"] = optimizer
    if recipe.lr is None:
        usual = 1e-3 if plain_relu else 2e-3
        chosen["lr"] = usual if optimizer != "sgd" else 10 * usual
    if recipe.momentum is None and optimizer == "sgd":
        chosen["momentum"] = 0.9
    if recipe.weight_decay is None:
        chosen["weight_decay"] = 1e-2 if optimizer == "adamw" else 5e-4
    if recipe.batch_size is None:
        chosen["batch_size"] = min(32, examples)
    if recipe.channels_last is None:
        chosen["channels_last"] = device == "cpu" and graph.held is None  # a module's own forward may ask for views
    if recipe.steps is None and recipe.epochs is None:
        chosen |= length_for(macs, examples, recipe.batch_size or chosen["batch_size"], BUDGET[device])
    return replace(recipe, **chosen), tuple(words)


def length_for(macs: int | None, examples: int, batch: int, budget: float) -> dict[str, int]:
    """How many epochs of so many examples fit the budget, within limits; steps where not even two of them do.

    >>> length_for(10**6, 1438, 32, 0.25e12), length_for(10**8, 1438, 32, 0.25e12)
    ({'epochs': 8}, {'steps': 78})
    """
    fitting = budget / (macs * examples) if macs else 2.0
    if fitting >= 2:
        return {"epochs": min(MOST_EPOCHS, int(fitting))}
    return {"steps": max(LEAST_STEPS, int(fitting * examples / batch))}


def _init_for(kinds: set[str]) -> str:
    if "batchnorm" in kinds:
        return "default"
    return "kaiming" if "relu" in kinds else "xavier" if kinds & {"tanh", "sigmoid"} else "default"

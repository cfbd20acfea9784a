"""What a training needs before its first step: network, data, recipe, machine, model and plan."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, NamedTuple

from archscope import catalog
from archscope.api.modules import is_module
from archscope.api.networks import Network
from archscope.api.trainees import Trainee, trainee
from archscope.core.errors import Problem, ShapeError, Unsupported, UsageError
from archscope.running.device import device_called
from archscope.spec.options import Changes
from archscope.training.data import Data, native_side, open_data
from archscope.training.defaults import SIDES, completed
from archscope.training.freezing import freeze
from archscope.training.initialising import initialise
from archscope.training.machine import Machine, machine_of, seed_all
from archscope.training.planning import Plan, macs_of, plan_of, refuse, trained_part
from archscope.training.recipe import Recipe

if TYPE_CHECKING:
    from torch import nn

    from archscope.graph.graph import Graph


class DataChoices(NamedTuple):
    """How pictures are read and handled; see :func:`archscope.training.data.open_data`."""

    augment: tuple[str, ...] = ()
    normalize: str = "data"
    resize: str = "squash"
    scale_jitter: str | None = None
    download: bool = False
    root: str | None = None
    skip_corrupt: bool = False


class Prepared(NamedTuple):
    """Everything that is there before the first step."""

    trainee: Trainee
    data: Data
    recipe: Recipe
    machine: Machine
    model: nn.Module
    plan: Plan


def prepared(
    network: Network | Any,
    data: str | Data,
    recipe: Recipe,
    example: Any,
    choices: DataChoices,
    changes: Changes,
    *,
    force: bool,
) -> Prepared:
    """Everything that is there before the first step. Raises what train raises."""
    found = _fitted(network, data, dict(changes), example)
    opened = _opened(data, found, recipe.seed, choices)
    if found.spec is not None:
        found = trainee(network, classes=len(opened.classes), changes=found.changes)
    graph = found.graph(2)
    macs = macs_of(graph, Recipe(batch_size=2), "cpu")[1]
    recipe, chosen = completed(recipe, graph, macs, len(opened.train), device_called(recipe.device))
    machine = machine_of(recipe)
    _refuse_single(graph, recipe, machine)
    model = machine.placed(_initialised(found, graph, recipe))

    def graph_at(batch: int) -> Any:
        return trained_part(found.graph(batch), model)

    plan = plan_of(graph_at, opened, recipe, machine, chosen)
    if not force:
        refuse(plan, graph_at)
    return Prepared(found, opened, recipe, machine, model, plan)


def _fitted(network: Network | Any, data: str | Data, changes: dict[str, Any], example: Any) -> Trainee:
    """What is trained, at the input that is asked for.

    Of a table's network for small pictures the input is the smallest that works, and hidden FC layers follow the width
    of the convolutions: a short training would else be one of FC layers. Both can be told.
    """
    side = native_side(data) if isinstance(data, str) else None
    if is_module(network) or side is None:
        return trainee(network, classes=2, changes=changes, input=example)
    if changes.get("width") is not None and all(changes.get(each) is None for each in ("head_width", "head")):
        with contextlib.suppress(Unsupported):
            found = trainee(network, classes=2, changes={**changes, "head_width": changes["width"]}, input=example)
            changes = found.changes
    found = trainee(network, classes=2, changes=changes, input=example)
    if example is not None or changes.get("input_size") is not None:
        return found
    for each in SIDES:
        if side <= each < min(found.input_shape[1:]):
            with contextlib.suppress(ShapeError):
                return trainee(network, classes=2, changes={**changes, "input_size": (each, each)})
    return found


def _opened(data: str | Data, found: Trainee, seed: int, choices: DataChoices) -> Data:
    """The data, ready for the network. Raises UsageError for data that were opened for another input."""
    if isinstance(data, str):
        return open_data(data, input_shape=found.input_shape, seed=seed, **choices._asdict())
    if tuple(data.shape) != found.input_shape:
        has, takes = ("×".join(map(str, shape)) for shape in (data.shape, found.input_shape))
        raise UsageError(Problem("other-input", f"the data are {has}, and {found.name} takes {takes}"))
    return data


def _initialised(found: Trainee, graph: Graph, recipe: Recipe) -> nn.Module:
    """The module with its first weights; that of a user is as it was unless the recipe says more."""
    seed_all(recipe.seed)
    model = found.made()
    initialise(model, recipe.init or "default", graph.source)
    if recipe.weights:
        from archscope.targets.weights import load_weights

        load_weights(model, graph, found.spec, recipe.weights, catalog.relatives_with_weights)
    freeze(model, recipe.freeze)
    return model


def _refuse_single(graph: Graph, recipe: Recipe, machine: Machine) -> None:
    """Raises UsageError where batch norm would get one example at once."""
    part = recipe.batch // (machine.world * recipe.accumulate)
    if part >= 2 or not any(type(node.op).__name__ == "BatchNorm" for node in graph.nodes):
        return
    message = f"batch norm takes the mean of several examples, and {max(part, 1)} at once is trained on"
    raise UsageError(Problem("single-example", message, help="a larger --batch-size, or a smaller --accumulate"))

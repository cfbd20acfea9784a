"""What a training is about to do: how much of what, whether it fits, and how long it will take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from archscope import analyses
from archscope.core.arithmetic import product
from archscope.core.errors import ArchscopeError, Problem, Unsupported
from archscope.graph.footprint import training_course
from archscope.graph.graph import Graph
from archscope.running.device import available_bytes
from archscope.studies.fitting import largest_batch
from archscope.studies.memory_use import ops_without_rule
from archscope.training.data import Data
from archscope.training.machine import Machine
from archscope.training.progress import batch_ends
from archscope.training.recipe import Recipe

if TYPE_CHECKING:
    from torch import nn


class Plan(NamedTuple):
    """What a training is about to do.

    images: of each split, by class in the order of ``classes``. params, trainable: numbers. macs: forward of one
    example; train_macs: forward and backward of one; both None where an op does not say. part: examples at once, of
    one process. memory: bytes of a step's tensors, None where an op does not say; available: bytes that there are.
    seconds: of all steps, None where it was not timed. chosen: what was chosen for the network, and why.
    """

    network: str
    changes: tuple[str, ...]
    input_shape: tuple[int, ...]
    data: str
    classes: tuple[str, ...]
    images: dict[str, tuple[int, ...]]
    params: int
    trainable: int
    macs: int | None
    train_macs: int | None
    recipe: Recipe
    steps: int
    part: int
    device: str
    memory: int | None
    available: int | None
    chosen: tuple[str, ...] = ()
    seconds: float | None = None

    @property
    def step_macs(self) -> int | None:
        """MACs of a step, forward and backward."""
        return None if self.train_macs is None else self.train_macs * self.recipe.batch

    @property
    def fits(self) -> bool:
        """Whether it fits, as far as that is known."""
        return self.memory is None or self.available is None or self.memory <= self.available


def macs_of(graph: Graph, recipe: Recipe, device: str) -> tuple[int | None, int | None]:
    """MACs of one example: forward without auxiliary heads; forward and backward with them; None where unknown."""
    batch = graph.tensors[graph.inputs[0]].shape[0]
    setting = recipe.setting(device, batch)
    forward = analyses.of_column("macs")[0].analyse(graph, setting)["macs"]
    both = analyses.of_column("train_macs")[0].analyse(graph, setting)["train_macs"]
    main = [macs for macs, node in zip(forward, graph.nodes, strict=False) if not node.side]
    return (None if None in main else sum(main) // batch), (None if None in both else sum(both) // batch)


def images_of(data: Data) -> dict[str, tuple[int, ...]]:
    """Images of each split, by class."""
    classes = len(data.classes)
    return {name: tuple(part.labels.bincount(minlength=classes).tolist()) for name, part in data.splits.items()}


def trained_part(graph: Graph, model: nn.Module) -> Graph:
    """The graph with those parameters to be trained that are so in the model."""
    trained = {key for key, each in model.named_parameters(remove_duplicate=False) if each.requires_grad}
    return replace(graph, parameters=tuple(each._replace(trainable=each.key in trained) for each in graph.parameters))


def memory_of(graph: Graph, recipe: Recipe, device: str) -> int | None:
    """Bytes of the tensors of a step for the graph's batch; None where an op has no rule, or nothing is trained."""
    setting = recipe.setting(device, graph.tensors[graph.inputs[0]].shape[0])
    if ops_without_rule(graph, setting) or not any(each.trainable for each in graph.parameters):
        return None
    return int(training_course(graph, setting).peak_bytes)


def refuse(plan: Plan, graph_at: Callable[[int], Graph]) -> None:
    """Raises Unsupported for a training that does not fit, saying what would."""
    if plan.fits or plan.memory is None or plan.available is None:
        return
    from archscope.formats import spelled

    needs, there = spelled(plan.memory, "bytes"), spelled(plan.available, "bytes")
    what = f"a step of {plan.network} with {plan.part} examples at once needs {needs}, and {plan.device} has {there}"
    try:
        batch, _, _ = largest_batch(
            lambda batch: training_course(graph_at(batch), plan.recipe.setting(plan.device, batch)), plan.available
        )
    except ArchscopeError:
        batch = 0
    if batch:
        parts = -(-plan.recipe.batch // batch)
        helps = f"{batch} at once fit: --batch-size {batch}, or --accumulate {parts}; --force tries it all the same"
    else:
        helps = "not even one example fits: a smaller --input or --width; --force tries it all the same"
    raise Unsupported(Problem("does-not-fit", what, help=helps))


def counted(graph: Graph) -> tuple[int, int]:
    """Params, and those that are trained."""
    sizes = [(product(each.shape), each.trainable) for each in graph.parameters]
    return sum(size for size, _ in sizes), sum(size for size, trained in sizes if trained)


def plan_of(
    graph_at: Callable[[int], Graph], data: Data, recipe: Recipe, machine: Machine, chosen: tuple[str, ...]
) -> Plan:
    """The plan of a training, not timed yet. graph_at: the network for a batch, with what is trained of it."""
    part = max(1, -(-recipe.batch // (recipe.accumulate * machine.world)))
    device = machine.device.type
    graph = graph_at(part)
    macs, both = macs_of(graph, recipe, device)
    params, trainable = counted(graph)
    batches = batch_ends(len(data.train), recipe.batch, 2 * machine.world)
    return Plan(
        network=graph.name,
        changes=graph.changes,
        input_shape=data.shape,
        data=data.name,
        classes=data.classes,
        images=images_of(data),
        params=params,
        trainable=trainable,
        macs=macs,
        train_macs=both,
        recipe=recipe,
        steps=recipe.steps if recipe.steps is not None else (recipe.epochs or 1) * len(batches),
        part=part,
        device=device,
        memory=memory_of(graph, recipe, device),
        available=available_bytes(device),
        chosen=chosen,
    )

"""Learnable numbers, biases and norm scales included. A shared tensor counts once, where it is first used."""

from __future__ import annotations

from archscope.analyses import Column, Values
from archscope.core.arithmetic import product
from archscope.core.records import Setting
from archscope.graph.graph import Graph

COLUMNS = (
    Column("params", "params", "learnable numbers, biases and norm scales included; shared ones once", sized=False),
    Column("trainable_params", "trainable", "params that training changes", sized=False),
)


def analyse(graph: Graph, setting: Setting) -> dict[str, Values]:  # noqa: ARG001  the contract: params are always there
    """Per node its params and those of them that are trainable; behind them what no node uses, if there is any."""
    seen: set[int] = set()
    params, trainable = [], []
    for node in graph.nodes:
        used = dict.fromkeys(node.parameters.values())  # an op may take one parameter twice: w * w
        own = [graph.parameters[index] for index in used if index not in seen]
        seen.update(used)
        params.append(sum(product(each.shape) for each in own))
        trainable.append(sum(product(each.shape) for each in own if each.trainable))
    idle = graph.idle_parameters()
    if idle:
        params.append(sum(product(each.shape) for each in idle))
        trainable.append(sum(product(each.shape) for each in idle if each.trainable))
    return {"params": params, "trainable_params": trainable}

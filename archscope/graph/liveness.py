"""Which bytes are alive when: one inference, or one training step, of a graph under torch's eager execution.

Each op says what a call of it allocates, shares and keeps (its ``memory``); here those rules are played through in the
order in which Python and the autograd engine run them. The result is exact for the tensors that torch allocates; what
kernels take for themselves while they run, and what an allocator rounds up, is not in it.

A step in training: the optimizer's state is there, gradients of the step before are freed, the loss is the sum of the
heads' cross-entropies by their weights, outputs are let go once the loss is made, one batch of inputs and targets
stays. Sizes may be arrays: nothing here decides by a size.
"""

from __future__ import annotations

from typing import NamedTuple

from archscope.core.arithmetic import Size, agree, product
from archscope.core.records import Setting
from archscope.graph.autograd import Engine
from archscope.graph.execution import Run, Step
from archscope.graph.graph import Graph
from archscope.graph.lifetimes import held_until, last_uses


class Record(NamedTuple):
    """What one inference or training step does to memory.

    steps: in running order. saved: per node the bytes that it is the first to keep for backward; their sum is what is
    kept when the loss is made. The loss's own are those of the layer whose output it reads. history: in order each
    storage that is allocated (and each that is freed), with its bytes.
    """

    steps: tuple[Step, ...]
    saved: tuple[Size, ...]
    history: tuple[tuple[int, bool, Size], ...]


def inference(graph: Graph, setting: Setting, *, ideal: bool = False) -> Record:
    """A forward pass without autograd. Auxiliary heads do not run.

    ideal: tensors die with their last use and ops make nothing beside their results (pools no indices, LRN no squares),
    the least that this order of ops allows; else they live as long as Python holds them. An op without a memory rule is
    taken to allocate nothing.
    """
    held = last_uses(graph, training=False) if ideal else held_until(graph, training=False)
    run = Run(graph, setting._replace(mode="eval"), held, records=False, ideal=ideal)
    run.forward()
    return Record(tuple(run.steps), (), tuple(run.storages.history()))


def training(graph: Graph, setting: Setting, *, new_sums: bool = False) -> Record:
    """Forward, loss and backward of one step, auxiliary heads included; the optimizer's part needs no simulation.

    new_sums: the autograd engine adds a second gradient to a first one in place if nobody else holds it; while a
    dispatch mode watches it, it makes a new sum. An op without a memory rule is taken to allocate nothing. Raises
    Unsupported where nothing is trainable.
    """
    single = agree(graph.tensors[graph.inputs[0]].shape[:1], (1,))
    run = Run(graph, setting._replace(mode="train"), held_until(graph, training=True))
    run.take_targets()
    run.forward()
    loss = run.loss()
    kept = run.storages.kept_by_node(len(graph.nodes))
    resident = setting.grads == "resident"
    sizes = [product(each.shape) * setting.item_bytes for each in graph.parameters]
    run.phase = "backward"
    engine = Engine(run.storages, run.mark, sizes, single, new_sums, resident, run.users)
    engine.backward(loss)
    return Record(tuple(run.steps), kept, tuple(run.storages.history()))

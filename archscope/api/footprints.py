"""``memory``: the bytes that a network needs."""

from __future__ import annotations

from typing import Any, Unpack

from archscope.api.networks import Network, lower
from archscope.api.settings import training_setting
from archscope.core.errors import Problem, UsageError
from archscope.core.records import Optimizer
from archscope.graph.graph import Graph
from archscope.spec.options import Changes
from archscope.studies.memory_use import MemoryUse, memory_use


def memory(
    network: Network | Graph | Any,
    batch: int | None = None,
    *,
    input: Any = None,  # noqa: A002  what tables and the command line call it
    dtype: str = "float32",
    amp: str = "",
    device: str = "cuda",
    grads: str = "none",
    optimizer: Optimizer | None = None,
    **changes: Unpack[Changes],
) -> MemoryUse:
    """The bytes that a network needs in inference and in a training step, and what they are made of.

    network: what load takes, a Graph, a module or its address, which is captured twice: for inference and for training.
    batch: examples at once, 1 when left out; a Graph has its own. input: one example of a module's input; see capture.
    dtype: of parameters and activations. amp: ``bfloat16`` or ``float16``, the type in which ``torch.autocast``
    computes convolutions and matrix products. device: ``cuda`` or ``cpu``, which differ in dropout masks and in how an
    optimizer steps. grads: ``none`` where gradients are freed before each step, ``resident`` where they stay.
    optimizer: SGD with momentum 0.9 when left out.

    Exact at the level of tensors; what an allocator, kernels and a GPU's context add is not in it. Raises UsageError
    for a setting that makes no sense, Unsupported where nothing is trainable, and what load raises.
    """
    if isinstance(network, Graph):
        own = network.tensors[network.inputs[0]].shape[0]
        if changes or batch not in {None, own}:
            message = f"a Graph has its sizes, and this one is for a batch of {own}"
            raise UsageError(
                Problem("bad-value", message, help="give the network itself, with the batch and the changes")
            )
        batch = own
    setting = training_setting(
        1 if batch is None else batch, dtype=dtype, amp=amp, device=device, grads=grads, optimizer=optimizer
    )
    if isinstance(network, Graph):
        return memory_use(network, network, setting)
    graph = lower(network, setting.batch, input=input, mode="train", **changes)
    runs = lower(network, setting.batch, input=input, mode="eval", **changes) if graph.held is not None else graph
    return memory_use(graph, runs, setting)

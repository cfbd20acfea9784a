"""Bytes of what a layer stores: its parameters, their gradients and optimizer state, and its buffers."""

from __future__ import annotations

from archscope.analyses import Column, Values, params
from archscope.core.arithmetic import product
from archscope.core.records import ITEM_BYTES, Setting
from archscope.graph.graph import Graph
from archscope.graph.optimizers import state_tensors

COLUMNS = (
    Column("param_bytes", "param bytes", "bytes of the parameters, whether they run or not", unit="bytes", sized=False),
    Column(
        "buffer_bytes", "buffer bytes", "bytes of buffers: running statistics and counters", unit="bytes", sized=False
    ),
    Column("grad_bytes", "gradient bytes", "bytes of the gradients of trainable parameters", unit="bytes", sized=False),
    Column(
        "optimizer_state_bytes",
        "optimizer bytes",
        "bytes that the optimizer keeps: momentum 1, Adam 2 tensors per trainable parameter",
        unit="bytes",
        sized=False,
    ),
)


def analyse(graph: Graph, setting: Setting) -> dict[str, Values]:
    """Per node the bytes of what it stores; what is shared counts where it is first used."""
    counts = params.analyse(graph, setting)
    item, states = setting.item_bytes, state_tensors(setting.optimizer)
    seen: set[int] = set()
    buffers = []
    for node in graph.nodes:
        own = [graph.buffers[index] for index in node.buffers.values() if index not in seen]
        seen.update(node.buffers.values())
        buffers.append(sum(product(each.shape) * ITEM_BYTES.get(each.dtype, item) for each in own))
    return {
        "param_bytes": [each * item for each in counts["params"]],
        "buffer_bytes": buffers,
        "grad_bytes": [each * item for each in counts["trainable_params"]],
        "optimizer_state_bytes": [each * item * states for each in counts["trainable_params"]],
    }

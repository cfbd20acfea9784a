"""A bias in front of batch norm, which subtracts it again with the mean."""

from __future__ import annotations

from collections.abc import Iterator

from archscope.core.arithmetic import product
from archscope.graph.wiring import readers_of
from archscope.linting import INFO, Found, Subject
from archscope.ops.batchnorm import BatchNorm

LEVEL = INFO
SOURCE = "arXiv:1502.03167, section 3.2; milesial/Pytorch-UNet PR #325; torchvision's vgg*_bn have it as well"


def examine(subject: Subject) -> Iterator[Found]:
    """The layers whose bias batch norm takes away, counted together."""
    graph = subject.graph
    if graph is None:
        return
    readers = readers_of(graph)
    dead = [
        node
        for node in graph.nodes
        if node.op.weight_layer
        and "bias" in node.parameters
        and (read := readers.get(node.outputs[0], []))
        and all(isinstance(graph.nodes[index].op, BatchNorm) for index in read)
    ]
    if dead:
        params = sum(product(graph.parameters[node.parameters["bias"]].shape) for node in dead)
        yield Found(
            f"{len(dead)} layer{'s' * (len(dead) != 1)} with a bias in front of batch norm",
            f"{params:,} params that cannot change the output: batch norm subtracts the mean, and the bias with it",
            "bias=False there; batch norm has a shift of its own",
            place=dead[0].path,
            span=dead[0].span,
        )

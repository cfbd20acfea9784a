"""What a trick saves: 1×1 convolutions in front of larger ones, and global average pooling in place of FC layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from archscope.core.arithmetic import product
from archscope.core.errors import Unsupported
from archscope.core.records import ONE_POSITION, Setting
from archscope.graph.graph import Graph, Node
from archscope.graph.lowering import lower
from archscope.ops.conv import Conv
from archscope.ops.fc import FC
from archscope.spec.knobs import turned
from archscope.spec.naming import named
from archscope.spec.network import Spec
from archscope.spec.options import Options
from archscope.studies.explaining.derivation import Derivation, Step, derivation, first_users
from archscope.studies.explaining.formulas import number

PAIRED = ("macs", "params")


class Reduction(NamedTuple):
    """A 1×1 convolution that makes fewer channels for a larger one to work on."""

    reduce: Node
    large: Node


def reductions(graph: Graph, nodes: Sequence[int]) -> list[Reduction]:
    """The reductions among these nodes, as inception modules and bottlenecks have them."""
    own = [graph.nodes[n] for n in nodes]
    readers: dict[int, list[Node]] = {}
    for node in graph.nodes:
        for tensor in node.inputs:
            readers.setdefault(tensor, []).append(node)
    found = []
    for node in own:
        if not _reduces(graph, node):
            continue
        after = _next_weighted(graph, node, readers)
        if after is not None and isinstance(after.op, Conv) and after.op.groups == 1 and _is_large(after.op):
            found.append(Reduction(node, after))
    return found


def _reduces(graph: Graph, node: Node) -> bool:
    op = node.op
    plain = isinstance(op, Conv) and op.groups == 1 and op.window.kernel_size == op.window.stride == (1, 1)
    return plain and graph.shape_out(node)[1] < graph.shapes_in(node)[0][1]


def _is_large(op: Conv) -> bool:
    return product(op.window.kernel_size) > 1


def _next_weighted(graph: Graph, node: Node, readers: dict[int, list[Node]]) -> Node | None:
    """The weight layer that alone reads what a node makes, position-wise layers between them."""
    while True:
        after = readers.get(node.outputs[0], [])
        if len(after) != 1:
            return None
        if after[0].op.weight_layer:
            return after[0]
        node = after[0]
        if len(node.inputs) != 1 or node.op.sees(*graph.shapes_in(node)) != ONE_POSITION:
            return None


def reduction_steps(graph: Graph, nodes: Sequence[int], setting: Setting) -> tuple[Step, ...]:
    """For each reduction the MACs and params with it and without it, and what all of them save."""
    users = first_users(graph)
    parts = [(pair, _derivations(graph, pair, setting, users)) for pair in reductions(graph, nodes)]
    steps: list[Step] = []
    for quantity in PAIRED if parts else ():
        having = without = 0
        for pair, known in parts:
            reduce, large, alone = (getattr(each, quantity) for each in known)
            kernel = "×".join(map(str, pair.large.op.window.kernel_size)) if pair.large.op.window else ""
            numbers, both = f"{reduce.numbers} + {large.numbers}", reduce.value + large.value
            steps += [
                Step(quantity, "", "", numbers, both, label=f"{kernel} behind 1×1"),
                Step(quantity, "", "", alone.numbers, alone.value, label=f"{kernel} alone"),
            ]
            having, without = having + both, without + alone.value
        steps.append(_saved(quantity, having, without))
    return tuple(steps)


def _derivations(graph: Graph, pair: Reduction, setting: Setting, users: Mapping[int, str]) -> tuple[Derivation, ...]:
    """Those of both convolutions, and of the large one on what the small one reads."""
    direct = pair.large._replace(inputs=pair.reduce.inputs)
    return tuple(derivation(graph, each, setting, users) for each in (pair.reduce, pair.large, direct))


def _saved(quantity: str, having: int, without: int) -> Step:
    remark = f"{without / having:.1f} times as many without it" if without > having else "it costs more than it saves"
    numbers = f"{number(without)} − {number(having)}"
    return Step(quantity, "", "", numbers, without - having, remarks=(remark,), label="saved")


def pooling_steps(graph: Graph, spec: Spec | None) -> tuple[Step, ...]:
    """What global average pooling saves, or would, against FC layers that see every position."""
    pooled = _pooled_head(graph)
    if pooled is not None:
        _, fc, (channels, height, width) = pooled
        out, bias = fc.out_features, fc.out_features if fc.bias else 0
        plus = f" + {number(bias)}" if bias else ""
        having, without = channels * out + bias, channels * height * width * out + bias
        sizes = f"({number(height)}·{number(width)}·{number(channels)})·{number(out)}{plus}"
        return (
            Step("params", "", "", f"{number(channels)}·{number(out)}{plus}", having, label="FC behind the pool"),
            Step("params", "", "", sizes, without, label="FC on all positions"),
            _saved("params", having, without),
        )
    pooling = _with_pooling(spec)
    if pooling is None:
        return ()
    (before, without), (after, having) = _fc_params(graph), _fc_params(pooling)
    return (
        Step("params", "", "", before, without, label="FC layers as they are"),
        Step("params", "", "", after, having, label="FC behind a pool", remarks=("the network with --head gap",)),
        _saved("params", having, without),
    )


def _pooled_head(graph: Graph) -> tuple[Node, FC, tuple[int, ...]] | None:
    """The FC layer whose input a global pool makes of more than one position, its op, and that map's shape."""
    makers = {tensor: node for node in graph.nodes for tensor in node.outputs}
    for node in graph.nodes:
        before = makers.get(node.inputs[0])
        while isinstance(node.op, FC) and not node.side and before is not None and not before.op.weight_layer:
            shape, window = graph.shapes_in(before)[0], before.op.sees(*graph.shapes_in(before))
            still = window is not None and set(window.stride) == {0}
            if still and len(graph.shape_out(before)) == len(shape) == 4 and product(shape[2:]) > 1:
                return node, node.op, shape[1:]
            before = makers.get(before.inputs[0])
    return None


def _with_pooling(spec: Spec | None) -> Graph | None:
    """The network with global average pooling in place of its hidden FC layers; None where it has none."""
    if spec is None:
        return None
    try:
        return lower(named(turned(spec, Options(head="gap"))))
    except Unsupported:
        return None


def _fc_params(graph: Graph) -> tuple[str, int]:
    """Params of the FC layers: as a sum, and the sum."""
    counts = [
        sum(product(graph.parameters[index].shape) for index in node.parameters.values())
        for node in graph.nodes
        if isinstance(node.op, FC) and not node.side
    ]
    return " + ".join(map(number, counts)), sum(counts)

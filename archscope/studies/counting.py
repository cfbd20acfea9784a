"""What a part of a network has of a printed quantity: the counts that published numbers are held against."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from archscope.core.arithmetic import product
from archscope.graph.graph import Graph, Node
from archscope.graph.paths import longest_path
from archscope.ops import letters

Lines = tuple[int, ...] | None
"""Which layers: those of these lines of the table file; None for all; ``(0,)`` the input; ``(-n,)`` the n-th layer of a
listing that names the input, then each layer with weights and each pool."""


def computed(graph: Graph, quantity: str, lines: Lines, *, batch_norm: bool = True) -> list[int]:
    """The counts that a printed quantity may mean, the plainest first; none where archscope does not compute it."""
    if _is_input(lines):
        elements = product(graph.tensors[graph.inputs[0]].shape)
        return {"neurons": [elements], "activations": [elements], "params": [0], "weights": [0], "macs": [0]}.get(
            quantity, []
        )
    nodes = nodes_of(graph, lines)
    if not nodes:
        return [0] if quantity in {"depth", "params", "macs", "weights"} else []
    return _counts(graph, quantity, nodes, lines, batch_norm=batch_norm)


def shape_of(graph: Graph, lines: Lines, quantity: str = "output") -> tuple[int, ...] | None:
    """The shape, (channels, height, width), that the layers of these lines end in; None where there are none.

    For the quantity ``input`` the one that they begin with.
    """
    if _is_input(lines):
        return graph.tensors[graph.inputs[0]].shape[1:]
    nodes = [node for node in nodes_of(graph, lines) if not node.side]
    if not nodes:
        return None
    return graph.shapes_in(nodes[0])[0][1:] if quantity == "input" else graph.shape_out(nodes[-1])[1:]


def nodes_of(graph: Graph, lines: Lines) -> list[Node]:
    """The layers of these lines, in running order, auxiliary heads aside."""
    own = [node for node in graph.nodes if not node.side]
    if lines is None:
        return own
    if lines[0] < 0:
        listed = [node for node in own if node.op.weight_layer or _is_pool(node)]
        position = -lines[0] - 2
        return listed[position : position + 1]
    return [node for node in own if node.span is not None and node.span.line in lines]


def _is_input(lines: Lines) -> bool:
    return lines is not None and lines[0] in {0, -1}


def _is_pool(node: Node) -> bool:
    return "pool" in letters(node.op.notation or "")


def _counts(graph: Graph, quantity: str, nodes: Sequence[Node], lines: Lines, *, batch_norm: bool) -> list[int]:
    counted = [node for node in nodes if batch_norm or letters(node.op.notation or "") != "batchnorm"]
    rules: dict[str, Callable[[], list[int]]] = {
        "params": lambda: [_params(graph, counted, bias=True), _params(graph, counted, bias=False)],
        "weights": lambda: [_params(graph, counted, bias=False)],
        "macs": lambda: _macs(graph, nodes),
        "depth": lambda: [len(_path(graph, nodes, lines))],
        "weight_layers": lambda: [sum(node.op.weight_layer for node in nodes)],
        "activations": lambda: [_activations(graph, nodes, lines)],
        "activation_bytes": lambda: [4 * _activations(graph, nodes, lines)],
        "neurons": lambda: [sum(product(graph.shape_out(node)) for node in nodes if node.op.weight_layer)],
        "connections": lambda: [_connections(graph, nodes)],
    }
    return rules[quantity]() if quantity in rules else []


def _macs(graph: Graph, nodes: Sequence[Node]) -> list[int]:
    macs = [node.op.macs(*graph.shapes_in(node)) for node in nodes]
    return [] if None in macs else [sum(each or 0 for each in macs)]


def _activations(graph: Graph, nodes: Sequence[Node], lines: Lines) -> int:
    """Elements of the outputs of layers with weights and of pools, and of the input where all are counted."""
    listed = sum(product(graph.shape_out(node)) for node in nodes if node.op.weight_layer or _is_pool(node))
    return listed + (product(graph.tensors[graph.inputs[0]].shape) if lines is None else 0)


def _params(graph: Graph, nodes: Sequence[Node], *, bias: bool) -> int:
    """Params of nodes; without biases, and then without batch norm's shifts as well."""
    keys = {index for node in nodes for name, index in node.parameters.items() if bias or name != "bias"}
    return sum(product(graph.parameters[index].shape) for index in keys)


def _path(graph: Graph, nodes: Sequence[Node], lines: Lines) -> list[Node]:
    """Layers along the longest path through these nodes."""
    if lines is None:
        return longest_path(graph)
    depth: dict[int, list[Node]] = {}
    best: list[Node] = []
    for node in nodes:
        before = max((depth.get(tensor, []) for tensor in node.inputs), key=len)
        here = [*before, node] if node.op.weight_layer else before
        best = max(best, here, key=len)
        depth |= dict.fromkeys(node.outputs, here)
    return best


def _connections(graph: Graph, nodes: Sequence[Node]) -> int:
    """Values that units see, their bias one of them. A sub-sampling unit sees its window, and has one coefficient."""
    # A pool and the coefficients after it are one row of the paper.
    pooled = {node.span.line for node in nodes if _is_pool(node) and node.span is not None}
    total = 0
    for node in nodes:
        outputs = product(graph.shape_out(node))
        if _is_pool(node) and node.op.window is not None:
            total += outputs * product(node.op.window.kernel_size)
        elif node.op.weight_layer:
            sees = node.span is None or node.span.line not in pooled
            total += outputs + ((node.op.macs(*graph.shapes_in(node)) or 0) if sees else 0)
    return total

"""Changes to a network's head that need sizes: what stands in front of its first FC layer at the table's own input."""

from __future__ import annotations

from dataclasses import replace

from archscope.core.errors import Problem, Unsupported
from archscope.core.records import pair
from archscope.graph.graph import Graph, Node
from archscope.graph.lowering import lower
from archscope.ops import letters
from archscope.ops.adaptiveavgpool import AdaptiveAvgPool
from archscope.ops.conv import Conv
from archscope.ops.fc import FC
from archscope.ops.flatten import Flatten
from archscope.spec.naming import named
from archscope.spec.network import Block, Item, Layer, Spec


def with_adaptive_pool(spec: Spec) -> Spec:
    """The pool that torchvision has in front of the head: FC layers get the size they have at the table's input.

    Takes a named spec at the table's input size, and returns a named one. Raises Unsupported without an FC layer.
    """
    graph = lower(spec)
    flats = [node for node in graph.nodes if isinstance(node.op, Flatten)]
    if all(node.side for node in flats):
        raise Unsupported(
            Problem("no-such-knob", f"{spec.name} has no FC layer that an adaptive pool could stand before")
        )
    root = spec.root
    for flat in flats:
        if not _is_pooled(graph, flat):
            root = _with_pool(root, graph, flat)
    return named(replace(spec, root=root))


def _is_pooled(graph: Graph, flat: Node) -> bool:
    """Whether an adaptive pool on the way to ``flat`` already makes its size the same for any input."""
    makers = {tensor: node for node in graph.nodes for tensor in node.outputs}
    node = makers.get(flat.inputs[0])
    while node is not None and not isinstance(node.op, AdaptiveAvgPool):
        node = makers.get(node.inputs[0])
    return node is not None


def _with_pool(root: Block, graph: Graph, flat: Node) -> Block:
    """The network with a pool before ``flat``, to the size that the map has there."""
    height, width = graph.shapes_in(flat)[0][2:]
    scope = graph.scopes[flat.scope]
    taken = {_path(graph, child).rpartition(".")[2] for child in scope.children}
    pool = Layer(AdaptiveAvgPool((height, width)), name="adaptive_pool" if "avgpool" in taken else "avgpool")
    # Every item before it is one child, and nothing but flatten adds a child of its own to a chain.
    before = next(n for n, child in enumerate(scope.children) if _path(graph, child) == flat.path)
    return _with_item(root, scope.path, before, pool)


def dense(spec: Spec) -> Spec:
    """The network with FC layers as convolutions, so that it slides over larger images (arXiv:1409.1556, section 3.2).

    The first FC layer after a feature map becomes a convolution of the map's size at the table's input, the others 1×1.
    """
    graph = lower(spec)
    kernels = _kernels(graph)
    root = _with_convs(spec.root, "", kernels)
    return named(replace(spec, root=root))


def _path(graph: Graph, child: tuple[str, int]) -> str:
    kind, index = child
    return graph.nodes[index].path if kind == "node" else graph.scopes[index].path


def _with_item(block: Block, path: str, at: int, item: Item, here: str = "") -> Block:
    if here == path:
        return block._replace(items=(*block.items[:at], item, *block.items[at:]))
    items = tuple(
        _with_item(child, path, at, item, f"{here}.{child.module}".lstrip(".")) if isinstance(child, Block) else child
        for child in block.items
    )
    return block._replace(items=items)


def _kernels(graph: Graph) -> dict[str, tuple[int, int]]:
    """For each FC node's path the kernel of the convolution that does the same."""
    size_of: dict[int, tuple[int, int]] = {}
    kernels = {}
    for node in graph.nodes:
        first = node.inputs[0]
        if isinstance(node.op, Flatten):
            height, width = graph.shapes_in(node)[0][2:]
            size_of[node.outputs[0]] = (height, width)
        elif isinstance(node.op, FC):
            kernels[node.path] = size_of.get(first, (1, 1))
        elif first in size_of:
            size_of[node.outputs[0]] = size_of[first]
    return kernels


def _with_convs(block: Block, here: str, kernels: dict[str, tuple[int, int]]) -> Block:
    items: list[Item] = []
    for item in block.items:
        path = f"{here}.{item.module}".lstrip(".")
        if isinstance(item, Block):
            items.append(_with_convs(item, path, kernels))
        elif isinstance(item.op, FC):
            kernel = kernels[path]
            size = kernel[0] if kernel[0] == kernel[1] else pair(kernel)
            items.append(item._replace(op=Conv(size, item.op.out_features, padding=0, bias=item.op.bias)))
        elif letters(item.op.notation or "") == "flatten":
            continue
        else:
            items.append(item)
    return block._replace(items=tuple(items))

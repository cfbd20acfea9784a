"""What a part of a network has of a printed quantity: the counts that published numbers are held against."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from archscope.core.arithmetic import product
from archscope.core.errors import ArchscopeError
from archscope.graph.graph import Graph, Node
from archscope.graph.lowering import lower
from archscope.graph.paths import longest_path
from archscope.ops import letters
from archscope.spec.network import Block, Item, Spec, layers_of

Lines = tuple[int, ...] | None
"""Which layers: those of these lines of the table file; None for all; ``(0,)`` the input; ``(-n,)`` the n-th layer of a
listing that names the input, then each layer with weights and each pool."""


def rows_before(spec: Spec, line: int) -> Spec:
    """The spec with the rows before the one that stands on a line of the file; all of them where none does."""
    return replace(spec, root=_before(spec.root, line))


def as_far_as_it_goes(spec: Spec, error: ArchscopeError) -> Counts | None:
    """The counts of the rows before the one whose sizes do not fit; None where there are none."""
    span = error.problems[0].span
    part = spec if span is None else rows_before(spec, span.line)
    return Counts(lower(part)) if span is not None and part.root.items else None


def _before(block: Block, line: int) -> Block:
    """A block with its items before the first one that has a layer of that line."""
    kept: list[Item] = []
    for item in block.items:
        if any(layer.span is not None and layer.span.line == line for layer in layers_of(item)):
            if isinstance(item, Block) and item.section:
                kept.append(_before(item, line))
            break
        kept.append(item)
    return block._replace(items=tuple(kept))


class Counts:
    """The counts of one graph, auxiliary heads aside; each worked out once."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._own = [node for node in graph.nodes if not node.side]
        self._by_line: dict[int, list[Node]] = {}
        for node in self._own:
            if node.span is not None:
                self._by_line.setdefault(node.span.line, []).append(node)
        self._known: dict[tuple[str, Lines, bool], list[int]] = {}
        self._macs: dict[tuple[str, int], int | None] = {}

    def of(self, quantity: str, lines: Lines = None, *, batch_norm: bool = True) -> list[int]:
        """The counts that a printed quantity may mean, the plainest first; none where archscope does not compute it."""
        key = (quantity, lines, batch_norm)
        if key not in self._known:
            self._known[key] = self._worked_out(quantity, lines, batch_norm=batch_norm)
        return self._known[key]

    def shape(self, lines: Lines, quantity: str = "output") -> tuple[int, ...] | None:
        """The shape, (channels, height, width), that the layers of these lines end in; None where there are none.

        For the quantity ``input`` the one that they begin with.
        """
        if _is_input(lines):
            return self._input()[1:]
        nodes = self.nodes(lines)
        if not nodes:
            return None
        return self.graph.shapes_in(nodes[0])[0][1:] if quantity == "input" else self.graph.shape_out(nodes[-1])[1:]

    def nodes(self, lines: Lines) -> list[Node]:
        """The layers of these lines, in running order."""
        if lines is None:
            return self._own
        if lines[0] < 0:
            listed = [node for node in self._own if node.op.weight_layer or _is_pool(node)]
            position = -lines[0] - 2
            return listed[position : position + 1]
        if len(lines) == 1:
            return self._by_line.get(lines[0], [])
        return [node for node in self._own if node.span is not None and node.span.line in lines]

    def _input(self) -> tuple[int, ...]:
        return self.graph.tensors[self.graph.inputs[0]].shape

    def _worked_out(self, quantity: str, lines: Lines, *, batch_norm: bool) -> list[int]:
        if _is_input(lines):
            elements = product(self._input())
            known = {"neurons": elements, "activations": elements, "params": 0, "weights": 0, "macs": 0}
            return [known[quantity]] if quantity in known else []
        nodes = self.nodes(lines)
        if not nodes:
            return [0] if quantity in {"depth", "params", "macs", "weights"} else []
        counted = nodes if batch_norm else [node for node in nodes if _letters(node) != "batchnorm"]
        rules: dict[str, Callable[[], list[int]]] = {
            "params": lambda: [self._params(counted, bias=True), self._params(counted, bias=False)],
            "weights": lambda: [self._params(counted, bias=False)],
            "macs": lambda: self._macs_of(nodes),
            "depth": lambda: [len(self._path(nodes, lines))],
            "weight_layers": lambda: [sum(node.op.weight_layer for node in nodes)],
            "activations": lambda: [self._activations(nodes, lines)],
            "activation_bytes": lambda: [4 * self._activations(nodes, lines)],
            "neurons": lambda: [sum(product(self.graph.shape_out(node)) for node in nodes if node.op.weight_layer)],
            "connections": lambda: [self._connections(nodes)],
        }
        return rules[quantity]() if quantity in rules else []

    def _macs_of(self, nodes: Sequence[Node]) -> list[int]:
        counts = [self._macs_at(node) for node in nodes]
        return [] if None in counts else [sum(each or 0 for each in counts)]

    def _macs_at(self, node: Node) -> int | None:
        key = (node.path, node.call)
        if key not in self._macs:
            self._macs[key] = node.op.macs(*self.graph.shapes_in(node))
        return self._macs[key]

    def _activations(self, nodes: Sequence[Node], lines: Lines) -> int:
        """Elements of the outputs of layers with weights and of pools, and of the input where all are counted."""
        listed = [node for node in nodes if node.op.weight_layer or _is_pool(node)]
        elements = sum(product(self.graph.shape_out(node)) for node in listed)
        return elements + (product(self._input()) if lines is None else 0)

    def _params(self, nodes: Sequence[Node], *, bias: bool) -> int:
        """Params of nodes; without biases, and then without batch norm's shifts as well."""
        indices: set[int] = set()
        for node in nodes:
            indices.update(index for name, index in node.parameters.items() if bias or name != "bias")
        return sum(product(self.graph.parameters[index].shape) for index in indices)

    def _path(self, nodes: Sequence[Node], lines: Lines) -> list[Node]:
        """Layers along the longest path through these nodes."""
        if lines is None:
            return longest_path(self.graph)
        depth: dict[int, list[Node]] = {}
        best: list[Node] = []
        for node in nodes:
            before = max((depth.get(tensor, []) for tensor in node.inputs), key=len)
            here = [*before, node] if node.op.weight_layer else before
            best = max(best, here, key=len)
            depth |= dict.fromkeys(node.outputs, here)
        return best

    def _connections(self, nodes: Sequence[Node]) -> int:
        """Values that units see, their bias one of them; a sub-sampling unit sees its window."""
        # A pool and the coefficients after it are one row of the paper.
        pooled = {node.span.line for node in nodes if _is_pool(node) and node.span is not None}
        total = 0
        for node in nodes:
            outputs = product(self.graph.shape_out(node))
            if _is_pool(node) and node.op.window is not None:
                total += outputs * product(node.op.window.kernel_size)
            elif node.op.weight_layer:
                sees = node.span is None or node.span.line not in pooled
                total += outputs + ((self._macs_at(node) or 0) if sees else 0)
        return total


def _is_input(lines: Lines) -> bool:
    return lines is not None and lines[0] in {0, -1}


def _letters(node: Node) -> str:
    return letters(node.op.notation or "")


def _is_pool(node: Node) -> bool:
    return "pool" in _letters(node)

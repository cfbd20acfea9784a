"""Graph -> Spec: the layers, branches and blocks of a captured network, where tables have words for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from archscope.core.arithmetic import Shape
from archscope.core.errors import Problem, Unsupported
from archscope.core.source import Span
from archscope.graph.graph import Graph, Node, Scope
from archscope.graph.lowering import lower
from archscope.ops.concat import Concat
from archscope.spec.naming import named
from archscope.spec.network import Block, Item, Layer, Spec

GROUPS = ("Sequential", "ModuleList")
"""Torch's own containers: a block is called after its class, and these are no kind of block."""


def raised(graph: Graph) -> Spec:
    """A named Spec whose graph is this one: the same ops on the same tensors in the same order, under the same keys.

    A module without parameters that is called again becomes one more layer. Raises Unsupported, naming the node, for
    what is not made of branches and joins one after another, for parameters that are shared, frozen or never used, and
    for several inputs or outputs.
    """
    _check(graph)
    root = _Raiser(graph).block(0)
    shape = graph.tensors[graph.inputs[0]].shape[1:]
    spec = named(Spec(graph.name or "network", root, shape, title=graph.title or graph.name, paper=graph.source))
    different = _different(graph, lower(spec, graph.tensors[graph.inputs[0]].shape[0]))
    if different:
        raise Unsupported(Problem("other-order", f"{different}; a table cannot hold it"))
    return spec


class _Child(NamedTuple):
    """What runs in a block: a node or a block, with what it takes and what it makes."""

    kind: str
    number: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def _check(graph: Graph) -> None:
    tensors = [graph.tensors[index] for index in graph.inputs]
    if len(tensors) != 1 or len(graph.outputs) != 1 or not tensors[0].dtype.startswith("float"):
        message = f"{graph.name} has {len(tensors)} inputs and {len(graph.outputs)} outputs"
        raise Unsupported(Problem("one-way", message, expected="one image in, one tensor out"))
    idle = graph.idle_parameters()
    if idle:
        message = f"{idle[0].key!r} is a parameter that no layer uses, and a table has nothing without a layer"
        raise Unsupported(
            Problem("idle-parameter", message, help="make the module without it, as with aux_logits=False")
        )
    for node in graph.nodes:
        if node.op.notation is None:
            message = f"{node.path!r} is {node.op.label}, and no cell can say that"
            raise Unsupported(Problem("no-notation", message, node.span))
        _check_parameters(graph, node)


def _check_parameters(graph: Graph, node: Node) -> None:
    for name, index in node.parameters.items():
        parameter = graph.parameters[index]
        if parameter.key != f"{node.path}.{name}" or node.call:
            message = f"{node.path!r} shares its {name} with another layer, and a table cannot say that"
            raise Unsupported(Problem("shared-parameter", message, node.span))
        if not parameter.trainable:
            raise Unsupported(Problem("frozen-parameter", f"{parameter.key!r} is frozen, and a table cannot say that"))


def _different(graph: Graph, other: Graph) -> str:
    """Where the lowered network differs from the captured one, in words; empty where it does not."""
    ours = [_of_node(graph, node) for node in graph.nodes]
    theirs = [_of_node(other, node) for node in other.nodes]
    for mine, its, node in zip(ours, theirs, graph.nodes, strict=False):
        if mine != its:
            return f"{node.path!r} ({node.op.label}) runs in another place than its branch"
    if len(ours) != len(theirs) or _stored(graph) != _stored(other):
        return f"{graph.name} runs other ops than its layers, or keeps parameters or buffers that they do not have"
    return ""


def _stored(graph: Graph) -> list[tuple[str, Shape]]:
    parameters = [(each.key, each.shape) for each in graph.parameters]
    return sorted([*parameters, *((each.key, each.shape) for each in graph.buffers)])


def _of_node(graph: Graph, node: Node) -> tuple[object, ...]:
    makers = {tensor: number for number, each in enumerate(graph.nodes) for tensor in each.outputs}
    path = "" if node.call or not (node.parameters or node.buffers) else node.path
    return (node.op, path, tuple(makers.get(tensor, -1) for tensor in node.inputs), graph.shapes_in(node))


@dataclass(slots=True)
class _Raiser:
    graph: Graph

    def block(self, index: int) -> Block:
        """A block with what runs in it."""
        scope = self.graph.scopes[index]
        children = self.children(scope)
        kind = "" if scope.kind in GROUPS or index == 0 else scope.kind
        dense = self.dense(scope, children)
        if dense is not None:
            return Block(dense, name=scope.attribute, kind=kind, wiring="dense", span=scope.called or scope.span)
        if len(scope.inputs) != 1 or len(scope.outputs) != 1:
            why = f"takes {len(scope.inputs)} tensors and returns {len(scope.outputs)}"
            raise _unsaid(scope.path, why, scope.called)
        items = self.chain(children, scope.inputs[0], scope.outputs[0], scope)
        return Block(tuple(items), name=scope.attribute, kind=kind, span=scope.called or scope.span)

    def children(self, scope: Scope) -> list[_Child]:
        found = []
        for kind, index in scope.children:
            each = self.graph.nodes[index] if kind == "node" else self.graph.scopes[index]
            if kind == "node" or any(self.graph.nodes_in(index)):
                found.append(_Child(kind, index, each.inputs, each.outputs))
        return found

    def item(self, child: _Child) -> Item:
        if child.kind == "scope":
            return self.block(child.number)
        node = self.graph.nodes[child.number]
        if node.op.joins:
            raise _unsaid(node.path, f"({node.op.label}) joins one tensor with no other", node.span)
        own = node.path.rpartition(".")[2]
        return Layer(node.op, name=f"{own}_{node.call + 1}" if node.call else own, span=node.span)

    def chain(self, children: Sequence[_Child], start: int, end: int, scope: Scope) -> list[Item]:
        """The items that make ``end`` of ``start``, one after another; where ways part, up to where they meet, one."""
        items: list[Item] = []
        left = list(children)
        while start != end or left:
            takers = [child for child in left if start in child.inputs]
            if not takers:
                odd = left or [child for child in self.children(scope) if end in child.outputs]
                raise self.unsaid(odd[0] if odd else None, scope, "uses what is made elsewhere, or nothing uses it")
            if len(takers) == 1 and takers[0].inputs == (start,) and start != end:
                items.append(self.item(takers[0]))
                left.remove(takers[0])
                start = takers[0].outputs[0]
                continue
            meeting = self.meeting(left, start)
            if meeting is None:
                raise self.unsaid(takers[0], scope, "begins a way that meets no other")
            items.append(self.joined(left, start, meeting, scope))
            left = left[left.index(meeting) + 1 :]
            start = meeting.outputs[0]
        return items

    def meeting(self, left: Sequence[_Child], start: int) -> _Child | None:
        """The join in which all ways from ``start`` end: before it all that is made is also used."""
        open_ends = {start}
        for position, child in enumerate(left):
            open_ends |= set(child.outputs)
            later = {tensor for other in left[position + 1 :] for tensor in other.inputs}
            own = set(child.inputs)
            open_ends = {tensor for tensor in open_ends if tensor in later or tensor in child.outputs}
            joins = child.kind == "node" and self.graph.nodes[child.number].op.joins
            if joins and len(own) > 0 and open_ends == set(child.outputs):
                return child
        return None

    def joined(self, left: Sequence[_Child], start: int, meeting: _Child, scope: Scope) -> Block:
        inside = list(left[: left.index(meeting)])
        branches: list[Item] = []
        for number, tensor in enumerate(meeting.inputs, 1):
            own = self.behind(inside, tensor, start)
            inside = [child for child in inside if child not in own]
            items = self.chain(own, start, tensor, scope) if tensor != start else []
            single = items[0] if len(items) == 1 else None
            named_one = single is not None and not (isinstance(single, Block) and single.inline)
            branches.append(
                single if named_one and single is not None else Block(tuple(items), name=f"way{number}", inline=True)
            )
        if inside:
            raise self.unsaid(inside[0], scope, "is used by none of the branches beside it")
        node = self.graph.nodes[meeting.number]
        return Block(tuple(branches), join=node.op, inline=True, span=node.span)

    def behind(self, inside: Sequence[_Child], tensor: int, start: int) -> list[_Child]:
        """The parts that a tensor is made by, up to where its branch begins, in running order."""
        wanted, found = {tensor} - {start}, list[_Child]()
        for child in reversed(inside):
            if wanted & set(child.outputs):
                found.append(child)
                wanted |= set(child.inputs) - {start}
        return found[::-1]

    def dense(self, scope: Scope, children: Sequence[_Child]) -> tuple[Item, ...] | None:
        """The items of a block in which each takes all results before it (DenseNet); None where it is no such block."""
        if len(children) < 3 or len(scope.inputs) != 1:
            return None
        results = list(scope.inputs)
        for child in children[:-1]:
            inner = self.children(self.graph.scopes[child.number]) if child.kind == "scope" else []
            if child.inputs != tuple(results) or not inner or not self.joins_all(inner[0], child.inputs):
                return None
            results += child.outputs
        if not self.joins_all(children[-1], tuple(results)):
            return None
        return tuple(self.layer_of_dense(child) for child in children[:-1])

    def layer_of_dense(self, child: _Child) -> Block:
        scope = self.graph.scopes[child.number]
        first, *others = self.children(scope)
        items = self.chain(others, first.outputs[0], scope.outputs[0], scope)
        return Block(tuple(items), name=scope.attribute, kind=scope.kind, span=scope.called or scope.span)

    def joins_all(self, child: _Child, inputs: tuple[int, ...]) -> bool:
        """Whether it concatenates just these."""
        return child.kind == "node" and child.inputs == inputs and isinstance(self.graph.nodes[child.number].op, Concat)

    def unsaid(self, child: _Child | None, scope: Scope, why: str) -> Unsupported:
        if child is None:
            return _unsaid(scope.path or self.graph.name, why, scope.called)
        each = self.graph.nodes[child.number] if child.kind == "node" else self.graph.scopes[child.number]
        label = self.graph.nodes[child.number].op.label if child.kind == "node" else "a block"
        return _unsaid(each.path, f"({label}) {why}", each.span)


def _unsaid(path: str, why: str, span: Span | None) -> Unsupported:
    message = f"{path!r} {why}: no table can say that"
    return Unsupported(
        Problem("unwritable-block", message, span, help="blocks are layers one after another, and branches that join")
    )

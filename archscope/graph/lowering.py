"""Spec -> Graph: walks the blocks with a real shape and writes down every node, tensor, parameter and scope."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from archscope.core.arithmetic import Shape, agree, is_many, require
from archscope.core.errors import ArchscopeError, Problem, ShapeError, Unsupported, located
from archscope.core.records import Setting, Tensor
from archscope.core.source import Span
from archscope.graph.graph import Buffer, Graph, Node, Output, Parameter, Scope
from archscope.ops import Op, letters
from archscope.ops.concat import Concat
from archscope.ops.flatten import Flatten
from archscope.spec.checks import LARGEST_INPUT
from archscope.spec.network import Block, Item, Layer, Spec
from archscope.spec.notation import bound, free_names

MOST_NODES = 30_000
"""What a network may have: more takes many seconds, and a table of a kilobyte can ask for it."""

MOST_INPUTS = 200_000
"""Tensors that all layers of a network take together: dense blocks take all before them, and thousands of layers would
take for ever."""

LARGEST_SIZE = 2**53
"""Of an axis of a tensor: as far as every float is a whole number of its own, so that bytes can be spelled."""


def lower(spec: Spec, batch: int = 1) -> Graph:
    """The graph of a named spec for ``batch`` examples.

    Sizes in the spec, and the batch, may be arrays or symbols as well as ints (see :mod:`archscope.core.arithmetic`):
    the graph then has such sizes. Raises ShapeError, at the cell of the layer, where sizes do not fit; of arrays
    PointsDiffer, where the graph's structure is not the same at all points.
    """
    for size in (batch, *spec.input_shape):
        whole = isinstance(size, int) or is_many(size)
        require(whole and size > 0, lambda: f"an input of {batch} examples of {spec.input_shape} has no elements")
        require(size <= LARGEST_INPUT, lambda: f"an input of {batch} examples of {spec.input_shape} is absurdly large")
    builder = _Builder()
    start = builder.tensor((batch, *spec.input_shape))
    builder.kept.add(start)
    scope = builder.open(spec.root, "", "", -1, (start,))
    end = builder.block(spec.root, start, scope)
    builder.close(scope, end)
    return Graph(
        name=spec.name,
        inputs=(start,),
        outputs=(Output("logits", end), *_side_outputs(builder.sides)),
        tensors=tuple(builder.tensors),
        nodes=tuple(builder.nodes),
        scopes=tuple(builder.scopes),
        parameters=tuple(builder.parameters),
        buffers=tuple(builder.buffers),
        title=spec.title,
        source=spec.paper,
        changes=spec.changes,
    )


class _Builder:
    """The parts of a graph while it is written down."""

    def __init__(self) -> None:
        self.tensors: list[Tensor] = []
        self.nodes: list[Node] = []
        self.scopes: list[Scope] = []
        self.children: list[list[tuple[str, int]]] = []
        self.parameters: list[Parameter] = []
        self.buffers: list[Buffer] = []
        self.sides: list[Output] = []
        self.target = 0
        self.kept: set[int] = set()
        """Storages that nothing may overwrite any more: another branch reads them, or backward does."""
        self.setting = Setting(mode="train")
        self.taken = 0

    def tensor(self, shape: Shape, storage: int = -1) -> int:
        index = len(self.tensors)
        self.tensors.append(Tensor(shape, "float", index if storage < 0 else storage))
        return index

    def open(self, block: Block, path: str, name: str, parent: int, inputs: tuple[int, ...]) -> int:
        index = len(self.scopes)
        side = block.side or (parent >= 0 and self.scopes[parent].side)
        scope = Scope(path, name, block.module, parent, block.kind, inputs, (), (), block.section, side, block.span)
        self.scopes.append(scope)
        self.children.append([])
        if parent >= 0:
            self.children[parent].append(("scope", index))
        return index

    def close(self, scope: int, output: int) -> None:
        closed = self.scopes[scope]._replace(outputs=(output,), children=tuple(self.children[scope]))
        self.scopes[scope] = closed

    def block(self, block: Block, x: int, scope: int) -> int:
        """Runs the items of a block on tensor ``x`` within ``scope``; returns its result."""
        if block.join is not None:
            return self.joined(block, block.join, x, scope)
        if block.wiring == "dense":
            return self.dense(block, x, scope)
        for item, rank in zip(block.items, _wanted_ranks(block.items), strict=True):
            if isinstance(item, Block) and item.side:
                self.side(item, x, scope)
                continue
            if len(self.tensors[x].shape) > 2 and rank == 2:
                x = self.function(Flatten(), (x,), scope, item.span)
            x = self.item(item, (x,), scope)
        return x

    def joined(self, block: Block, join: Op, x: int, scope: int) -> int:
        """Branches side by side and their join. A conditional one looks at what the first branch made of the input."""
        results: list[int] = []
        starts: list[int] = []
        self.kept.add(self.tensors[x].storage)
        for branch in block.items:
            if isinstance(branch, Block) and branch.when == "joined":
                results[0] = self.branch(branch, results[0], scope)
                continue
            starts.append(len(self.nodes))
            same = bool(results) and agree(self.tensors[results[0]].shape, self.tensors[x].shape)
            if isinstance(branch, Block) and branch.when == "shapes differ" and same:
                results.append(x)
            elif block.when == "shapes agree" and results and not same:
                return results[0]
            else:
                self.target = self.tensors[results[0]].shape[1] if results else 0
                results.append(self.branch(branch, x, scope))
        try:
            return self.function(join, tuple(results), scope, block.span)
        except ArchscopeError as error:
            made = [self.nodes[start:end] for start, end in pairwise([*starts, len(self.nodes)])]
            shapes = [self.tensors[index].shape for index in results]
            raise located(error, _odd_one(shapes, made) or block.span) from error

    def branch(self, branch: Item, x: int, scope: int) -> int:
        """Runs a branch. A single FC layer flattens a feature map, as it does after other layers."""
        if isinstance(branch, Layer) and branch.op.rank == 2 and len(self.tensors[x].shape) > 2:
            x = self.function(Flatten(), (x,), scope, branch.span)
        return self.item(branch, (x,), scope)

    def dense(self, block: Block, x: int, scope: int) -> int:
        """Each item on all results before it, concatenated within it; in the end all of them (arXiv:1608.06993)."""
        results = [x]
        for item in block.items:
            results.append(self.item(item, tuple(results), scope, dense=True))
        return self.function(Concat(), tuple(results), scope, block.span)

    def item(self, item: Item, inputs: tuple[int, ...], scope: int, *, dense: bool = False) -> int:
        """Runs one item. In a dense block it concatenates what it gets, be it one tensor, as torchvision's does."""
        parent = self.scopes[scope]
        if isinstance(item, Block) and item.inline:
            return self.block(item, inputs[0], scope)
        path = f"{parent.path}.{item.module}" if parent.path else item.module
        prefix = "" if parent.section or not parent.name else f"{parent.name}."
        if isinstance(item, Layer):
            x = self.function(Concat(), inputs, scope, item.span) if dense else inputs[0]
            return self.layer(item, x, path, prefix + item.name, scope)
        inner = self.open(item, path, "" if item.section else prefix + item.name, scope, inputs)
        x = self.function(Concat(), inputs, inner, item.span) if dense else inputs[0]
        result = self.block(item, x, inner)
        self.close(inner, result)
        return result

    def side(self, block: Block, x: int, scope: int) -> None:
        self.kept.add(self.tensors[x].storage)
        result = self.item(block, (x,), scope)
        self.sides.append(Output("aux_logits", result, block.loss_weight, side=True))

    def layer(self, layer: Layer, x: int, path: str, name: str, scope: int) -> int:
        shape = self.tensors[x].shape
        if layer.op.rank is not None and len(shape) != layer.op.rank:
            wants = "a feature map" if layer.op.rank == 4 else "a vector"
            message = f"{layer.text or name!r} needs {wants}, and gets {'×'.join(map(str, shape[1:]))}"
            raise Unsupported(Problem("wrong-rank", message, layer.span))
        try:
            op = bound(layer.op, in_=shape[1], out=self.target) if free_names(layer.op) else layer.op
            return self.node(op, (x,), path, name, scope, layer.text, layer.span)
        except ArchscopeError as error:
            raise located(error, layer.span) from error

    def function(self, op: Op, inputs: tuple[int, ...], scope: int, span: Span | None) -> int:
        """A node for an op that tables leave unnamed; it is called after its op."""
        parent = self.scopes[scope]
        own = letters(op.notation or "")
        taken = sum(
            kind == "node" and self.nodes[index].path.rpartition(".")[2].startswith(own)
            for kind, index in self.children[scope]
        )
        own = f"{own}_{taken + 1}" if taken else own
        path = f"{parent.path}.{own}" if parent.path else own
        prefix = "" if parent.section or not parent.name else f"{parent.name}."
        return self.node(op, inputs, path, prefix + own, scope, "", span)

    def node(
        self, op: Op, inputs: tuple[int, ...], path: str, name: str, scope: int, text: str, span: Span | None
    ) -> int:
        self.taken += len(inputs)
        if self.taken > MOST_INPUTS or len(self.nodes) >= MOST_NODES:
            message = f"more than {MOST_NODES:,} layers, or layers that take more than {MOST_INPUTS:,} tensors"
            raise Unsupported(Problem("too-many-items", message, span))
        shapes = tuple(self.tensors[index].shape for index in inputs)
        if op.in_place and self.tensors[inputs[0]].storage in self.kept and "inplace" in op.__dataclass_fields__:
            op = replace(op, inplace=False)
        rule = op.memory(*shapes, setting=self.setting)
        shared = rule is not None and rule.out != "new"
        storage = self.tensors[inputs[0]].storage if shared else -1
        made = op.out_shapes(*shapes)
        if any(isinstance(size, int) and size > LARGEST_SIZE for shape in made for size in shape):
            raise ShapeError(Problem("impossible-size", f"{text or name!r} makes a tensor of absurd size", span))
        outputs = tuple(self.tensor(shape, storage) for shape in made)
        if rule is not None and "output" in rule.saved:
            self.kept.add(self.tensors[outputs[0]].storage)
        parameters = {}
        for key, shape in op.weights(*shapes).items():
            parameters[key] = len(self.parameters)
            self.parameters.append(Parameter(f"{path}.{key}", shape))
        buffers = {}
        for key, (shape, dtype) in op.buffers(*shapes).items():
            buffers[key] = len(self.buffers)
            self.buffers.append(Buffer(f"{path}.{key}", shape, dtype))
        self.children[scope].append(("node", len(self.nodes)))
        side = self.scopes[scope].side
        self.nodes.append(Node(op, path, name, inputs, outputs, parameters, buffers, scope, 0, side, text, span))
        return outputs[0]


def _odd_one(shapes: Sequence[Shape], made: Sequence[Sequence[Node]]) -> Span | None:
    """Where to point when branches cannot be joined: at the last layer with weights of the one that fewest agree with.

    They are told by height and width, and by channels where those agree; of several the first. A branch without layers
    of its own is only what came in.
    """
    sizes = [shape[2:] for shape in shapes]
    told = shapes if all(size == sizes[0] for size in sizes) else sizes
    ranked = sorted((told.count(told[n]), n) for n, nodes in enumerate(made) if nodes)
    if not ranked:
        return None
    nodes = made[ranked[0][1]]
    return next((node.span for node in reversed(nodes) if node.op.weight_layer), nodes[-1].span)


def _side_outputs(sides: list[Output]) -> list[Output]:
    """The auxiliary outputs under torchvision's names and in its order: the head attached last comes first."""
    if len(sides) > 1:
        sides = [side._replace(name=f"{side.name}{number}") for number, side in enumerate(sides, 1)]
    return sides[::-1]


def _wanted_ranks(items: Sequence[Item]) -> list[int | None]:
    """For each item the rank that is wanted from it on: 2 for an FC layer, and for dropout in front of one."""
    ranks: list[int | None] = []
    for item in reversed(items):
        own = _wanted_rank((item,))
        ranks.append(own if own is not None or not ranks else ranks[-1])
    return ranks[::-1]


def _wanted_rank(items: Iterable[Item]) -> int | None:
    """The rank that the first op wants; 0 where it takes any; None where there is only what follows flatten."""
    for item in items:
        if isinstance(item, Block) and item.join is not None:
            ranks = {_wanted_rank((branch,)) for branch in item.items}
            wanted = ranks.pop() if len(ranks) == 1 else 0  # each branch flattens for itself
        elif isinstance(item, Block):
            wanted = None if item.side else _wanted_rank(item.items)
        elif item.op.rank is None:
            wanted = None if item.op.follows_flatten else 0
        else:
            wanted = item.op.rank
        if wanted is not None:
            return wanted
    return None

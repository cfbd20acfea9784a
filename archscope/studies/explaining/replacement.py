"""A run of layers of a network replaced by other cells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from archscope.core.errors import Problem, UsageError
from archscope.graph.graph import Graph
from archscope.graph.lowering import lower
from archscope.ops import Op
from archscope.spec.network import Block, Item, Layer, Spec, layers_of, mapped
from archscope.spec.notation import read, write

MARK = "instead"
"""What the new layers are called, with their number."""


class Replacement(NamedTuple):
    """A network before and after a run of its layers was replaced, and the nodes of that run in each."""

    before: Graph
    after: Graph
    old: tuple[int, ...]
    new: tuple[int, ...]


def replaced(spec: Spec, graph: Graph, nodes: Sequence[int], cells: Sequence[str]) -> Replacement:
    """The network with the cells in place of a run of layers, each followed by what its table implies there.

    Raises UsageError where the layers are no run of one chain, TableError for a cell that cannot be read, and what
    lowering raises where the layers behind do not fit any more.
    """
    ops = [read(cell) for cell in cells]
    weighted = {graph.nodes[n].path for n in nodes if graph.nodes[n].op.weight_layer}
    found = _within(spec.root, "", weighted or {graph.nodes[n].path for n in nodes}, ops)
    if found is None:
        names = ", ".join(graph.nodes[n].name for n in nodes if graph.nodes[n].op.weight_layer)
        message = f"{names or 'this'} is no run of layers, one after another, of {graph.name}"
        raise UsageError(Problem("not-a-run", message, help="name layers that follow one another in one chain"))
    root, gone = found
    after = lower(replace(spec, root=root), graph.tensors[graph.inputs[0]].shape[0])
    old = tuple(n for n, node in enumerate(graph.nodes) if any(f"{node.path}.".startswith(f"{path}.") for path in gone))
    new = tuple(n for n, node in enumerate(after.nodes) if any(part.startswith(MARK) for part in node.path.split(".")))
    return Replacement(graph, after, old, new)


def _within(block: Block, here: str, paths: set[str], ops: Sequence[Op]) -> tuple[Block, set[str]] | None:
    """The block with the run replaced, and the paths of what is gone with it; None where there is no such run."""
    leaves = [dict(_leaves(item, here)) for item in block.items]
    hit = [n for n, own in enumerate(leaves) if paths & own.keys()]
    if not hit or not paths <= {path for own in leaves for path in own}:
        return None
    whole = all(_weighted(leaves[n]) <= paths for n in hit)
    if len(hit) == 1 and not whole:
        item = block.items[hit[0]]
        inner = _within(item, _path(item, here), paths, ops) if isinstance(item, Block) else None
        items = (*block.items[: hit[0]], inner[0], *block.items[hit[0] + 1 :]) if inner else ()
        return (block._replace(items=items), inner[1]) if inner else None
    first, last = hit[0], hit[-1]
    chain = block.join is None and not block.wiring
    between = [n for n in range(first, last + 1) if n not in hit and any(_has_weights(leaves[n]))]
    if not whole or between or (len(hit) > 1 and not chain):
        return None
    new = _items(block.items[last], _followers(block, last) if chain else (), ops)
    last += len(_followers(block, last)) if chain else 0
    if not chain:
        new = (Block(new, name=f"{MARK}0", module=f"{MARK}0"),)
    gone = {path for own in leaves[first : last + 1] for path in own}
    gone |= {_path(item, here) for item in block.items[first : last + 1] if not _is_inline(item)}
    return block._replace(items=(*block.items[:first], *new, *block.items[last + 1 :])), gone


def _path(item: Item, here: str) -> str:
    """Where an item is; an inline block's parts are its parent's."""
    if _is_inline(item):
        return here
    return f"{here}.{item.module}".lstrip(".")


def _is_inline(item: Item) -> bool:
    return isinstance(item, Block) and item.inline


def _leaves(item: Item, here: str) -> Iterator[tuple[str, Layer]]:
    path = _path(item, here)
    if isinstance(item, Layer):
        yield path, item
        return
    for child in item.items:
        yield from _leaves(child, path)


def _weighted(leaves: Mapping[str, Layer]) -> set[str]:
    """The paths of those that have weights; of all where none has."""
    return set(_has_weights(leaves)) or set(leaves)


def _has_weights(leaves: Mapping[str, Layer]) -> list[str]:
    return [path for path, layer in leaves.items() if layer.op.weight_layer]


def _followers(block: Block, last: int) -> tuple[Layer, ...]:
    """What the table implies after an item: layers without weights that stand in the same cell."""
    spans = {layer.span for layer in layers_of(block.items[last])} - {None}
    found: list[Layer] = []
    for item in block.items[last + 1 :]:
        if not isinstance(item, Layer) or item.op.weight_layer or item.span not in spans:
            break
        found.append(item)
    return tuple(found)


def _items(old: Item, followers: Sequence[Layer], ops: Sequence[Op]) -> tuple[Item, ...]:
    """The new items: what has weights looks like the old one, be that a block with one such layer, or a layer."""
    weighted = [layer for layer in layers_of(old) if layer.op.weight_layer]
    items: list[Item] = []
    for number, op in enumerate(ops, 1):
        name = f"{MARK}{number}"
        if not op.weight_layer or len(weighted) != 1:
            items.append(Layer(op, name, name, write(op)))
            continue
        like = _with_bias_of(op, weighted[0].op)
        if isinstance(old, Block):
            items.append(mapped(old, partial(_with_op, weighted[0], like))._replace(name=name, module=name))
            continue
        items.append(Layer(like, name, name, write(like)))
        items += [each._replace(name=f"{name}_{each.name}", module=f"{name}_{each.name}") for each in followers]
    return tuple(items)


def _with_op(wanted: Layer, op: Op, layer: Layer) -> tuple[Item, ...]:
    return (layer._replace(op=op) if layer is wanted else layer,)


def _with_bias_of(op: Op, old: Op) -> Op:
    """Without a bias where the old layer has none: batch norm stands for it."""
    return op if getattr(old, "bias", True) or not getattr(op, "bias", False) else replace(op, bias=False)

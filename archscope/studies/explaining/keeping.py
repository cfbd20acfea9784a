"""What a layer keeps for backward, derived: which tensors, and why some of them cost nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from archscope.core.arithmetic import product
from archscope.core.records import MemoryRule, Setting
from archscope.graph.graph import Graph, Node
from archscope.graph.liveness import training
from archscope.studies.explaining.derivation import Output, Step, output_of, product_text
from archscope.studies.explaining.formulas import Leaf, at, named, numbered, worked_out
from archscope.studies.explaining.symbols import Symbolic, symbolic

QUANTITY = "saved_activation_bytes"


class Kept(NamedTuple):
    """A tensor that backward needs: what it is to the layer, its storage (-1: its own), and its sizes as symbols."""

    what: str
    storage: int
    sizes: tuple[Any, ...]
    item_bytes: int


def kept_by_node(graph: Graph, setting: Setting) -> Sequence[int]:
    """The bytes that each node is the first to keep for backward, in order, while training."""
    return training(graph, setting._replace(mode="train")).saved


def kept_step(graph: Graph, node: Node, setting: Setting, kept_bytes: Sequence[int] | None = None) -> Step:
    """The bytes that a node is the first to keep for backward, while training.

    kept_bytes: what :func:`kept_by_node` gives, for whoever asks for many nodes of a graph.
    """
    training_setting = setting._replace(mode="train")
    rule = node.op.memory(*graph.shapes_in(node), setting=training_setting)
    if rule is None:
        return Step(QUANTITY, "", "", "", None, "bytes", ("the op has no memory rule",))
    known_bytes = kept_by_node(graph, setting) if kept_bytes is None else kept_bytes
    value = known_bytes[graph.nodes.index(node)]
    if rule.calls:
        return Step(QUANTITY, "", "", "", value, "bytes", (f"torch makes it of {len(rule.calls)} calls",))
    known = symbolic(graph, node)
    with at(known.values):
        out = output_of(graph, node, known)
        kept = list(_kept(graph, node, known, out, training_setting))
    keepers = _keepers(graph, node, training_setting)
    own = [each for each in kept if each.storage not in keepers]
    remarks = [f"{each.what}: kept by {keepers[each.storage]} already" for each in kept if each.storage in keepers]
    remarks += [f"{each.what}: {each.item_bytes} bytes each" for each in own]
    if not kept:
        remarks = ["backward needs none of its tensors"]
    if _bytes(own, out) != value:
        is_output = any(each.tensor in node.outputs for each in graph.outputs)
        more = "and what the loss keeps of its output" if is_output else "as archscope's memory rules have it"
        return Step(QUANTITY, "", "", "", value, "bytes", (*remarks, more))
    return Step(QUANTITY, "", _text(own, named), _text(own, numbered(out.values)), value, "bytes", tuple(remarks))


def _kept(graph: Graph, node: Node, known: Symbolic, out: Output, setting: Setting) -> Iterator[Kept]:
    """What the node's op saves, parameters and buffers aside: which tensors by its numbers, their sizes as symbols."""
    rule = node.op.memory(*graph.shapes_in(node), setting=setting) or MemoryRule()
    as_symbols = known.op.memory(*known.shapes, setting=setting) or MemoryRule()
    inputs = [f"input{n}" for n in range(len(node.inputs))]
    aux = {each.name: each for each in as_symbols.aux}
    saved = [name for each in rule.saved for name in (inputs if each == "input" else [each])]
    for name in saved:
        if name in inputs:
            tensor, sizes = node.inputs[inputs.index(name)], known.shapes[inputs.index(name)]
            which = "its input" if len(inputs) == 1 else f"input {inputs.index(name) + 1}"
            yield _of_tensor(graph, which, tensor, sizes, setting)
        elif name == "output":
            yield _of_tensor(graph, "its output", node.outputs[0], out.named, setting)
        elif name in aux:
            elements: Any = aux[name].elements
            for given, size in zip(out.given, out.named, strict=True):
                elements = elements.subs(given, size) if given is not size and hasattr(elements, "subs") else elements
            yield Kept(f"its {name.replace('_', ' ')}", -1, (elements,), aux[name].item_bytes or setting.item_bytes)


def _of_tensor(graph: Graph, what: str, tensor: int, sizes: tuple[Any, ...], setting: Setting) -> Kept:
    """A tensor; where it is a part of a larger storage, all of that is kept."""
    storage = graph.tensors[tensor].storage
    held = product(graph.tensors[storage].shape)
    whole = held == product(graph.tensors[tensor].shape)
    which = what if whole else f"all that {what} is a part of"
    return Kept(which, storage, sizes if whole else (held,), setting.item_bytes)


def _keepers(graph: Graph, node: Node, setting: Setting) -> dict[int, str]:
    """By storage the layer before this one that is the first to keep it: what autograd records, it keeps once."""
    keepers: dict[int, str] = {}
    learnt: set[int] = set()
    for each in graph.nodes[: graph.nodes.index(node)]:
        if not each.parameters and not learnt.intersection(each.inputs):
            continue
        learnt.update(each.outputs)
        rule = each.op.memory(*graph.shapes_in(each), setting=setting) or MemoryRule()
        saved = [name for call in rule.calls for name in call.rule.saved if name == "input"] or rule.saved
        named_ = {f"input{n}": tensor for n, tensor in enumerate(each.inputs)} | {"output": each.outputs[0]}
        tensors = [named_[name] for name in saved if name in named_]
        tensors += each.inputs if "input" in saved else ()
        for tensor in tensors:
            keepers.setdefault(graph.tensors[tensor].storage, each.name)
    return keepers


def _bytes(kept: list[Kept], out: Output) -> int:
    return sum(each.item_bytes * worked_out(product(each.sizes), out.values) for each in kept)


def _text(kept: list[Kept], leaf: Leaf) -> str:
    return " + ".join(f"{each.item_bytes}·{product_text(each.sizes, leaf)}" for each in kept)

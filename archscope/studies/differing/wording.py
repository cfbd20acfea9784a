"""How is a difference said? Ops, settings and places in words."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from archscope.core.records import short
from archscope.graph.graph import Graph
from archscope.ops import Op
from archscope.spec.notation import write
from archscope.studies.differing.structure import Leaf, Part, Region, nodes_of

_KINDS = {"FC": "FC layer", "ReLU": "ReLU", "Softmax": "soft-max"}

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def kind_of(op: Op) -> str:
    """What people call such a layer.

    >>> from archscope.ops.adaptiveavgpool import AdaptiveAvgPool
    >>> kind_of(AdaptiveAvgPool())
    'adaptive avg pool'
    """
    name = type(op).__name__
    if op.notation is None and op.label != name:
        return op.label
    if name in _KINDS or name.isupper():
        return _KINDS.get(name, name)
    return " ".join(re.findall(r"[A-Z]+[a-z]*", name)).lower()


def op_of(op: Op) -> str:
    """An op as a cell spells it, in place or not; its label where no cell can.

    >>> from archscope.ops.batchnorm import BatchNorm
    >>> from archscope.ops.relu import ReLU
    >>> op_of(BatchNorm(eps=0.001)), op_of(ReLU(inplace=False))
    ('batchnorm eps=0.001', 'relu')
    """
    if op.notation is None:
        return op.label
    inplace = op.__dataclass_fields__.get("inplace")
    return write(op if inplace is None else replace(op, inplace=inplace.default))


def counted(number: int, kind: str) -> str:
    """A number of layers.

    >>> counted(1, "conv"), counted(57, "conv"), counted(2, "batch norm")
    ('one conv', '57 convs', 'two batch norms')
    """
    spelled = _NUMBERS[number] if number < len(_NUMBERS) else f"{number:,}"
    plural = "es" if kind.endswith(("s", "x", "ch")) else "s"
    return f"{spelled} {kind}{'' if number == 1 else plural}"


def setting_of(aspect: str, mine: Any, its: Any) -> str:
    """Both values of a setting: what a layer has and what the spec has.

    >>> setting_of("kernel_size", (3, 3), (5, 5)), setting_of("out_channels", 208, 256)
    ('kernel 3×3, spec 5×5', '208 channels, spec 256')
    >>> setting_of("bias", False, True), setting_of("p", 0.2, 0.4), setting_of("eps", 0.001, 1e-05)
    ('no bias, spec has one', 'dropout 0.2, spec 0.4', 'eps 0.001, spec 1e-05')
    """
    if aspect in _SENTENCES:
        return _SENTENCES[aspect](mine, its)
    name = {"kernel_size": "kernel", "p": "dropout", "output_size": "pools to"}.get(aspect, aspect.replace("_", " "))
    return f"{name} {value_of(aspect, mine)}, spec {value_of(aspect, its)}"


def value_of(aspect: str, value: Any) -> str:
    """A value as a cell has it: sizes with a cross, one number where both axes agree, but kernels."""
    if isinstance(value, tuple) and aspect in {"stride", "padding", "dilation"}:
        value = short(value)
    return "×".join(str(part) for part in value) if isinstance(value, tuple) else str(value)


class Labels:
    """What people call the parts of a graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.inside: dict[int, set[int]] = {number: set() for number in range(len(graph.scopes))}
        """For each block the nodes that run in it. What nobody reads, such as a counter of batches, is left out."""
        read = {tensor for node in graph.nodes for tensor in node.inputs} | {each.tensor for each in graph.outputs}
        for index, node in enumerate(graph.nodes):
            scope = node.scope if read & set(node.outputs) else -1
            while scope >= 0:
                self.inside[scope].add(index)
                scope = graph.scopes[scope].parent

    def of(self, part: Part) -> str:
        """A layer by the outermost block that holds nothing else, a region by the innermost that holds all of it."""
        own = set(nodes_of([part]))
        node = self.graph.nodes[part.layer if isinstance(part, Leaf) and part.layer is not None else max(own)]
        found, scope = -1, node.scope
        while scope > 0 and self.inside[scope] <= own:
            found, scope = scope, self.graph.scopes[scope].parent
        while isinstance(part, Region) and found < 0 < scope:
            found, scope = (scope if own <= self.inside[scope] else -1), self.graph.scopes[scope].parent
        if found > 0:
            return self.graph.scopes[found].name or self.graph.scopes[found].path
        return node.name or node.path


def where(places: Sequence[tuple[str, str]], kind: str, total: int) -> str:
    """Places in words, and how many: by what they have in common. kind: of the layers; total: how many there are.

    >>> where([("features.14", "conv3_3")], "conv", 13)
    'features.14 (conv3_3)'
    >>> where([(f"inception{name}.branch3.1", "") for name in ("3a", "3b", "4a", "4b")], "conv", 57)
    'branch3.1 in 4 modules, inception3a … inception4b'
    >>> where([("conv1", ""), ("conv2", ""), ("conv3", ""), ("fc", "")], "conv", 4)
    'all 4 convs'
    """
    names = list(dict.fromkeys(name for name, _ in places if name))
    if len(places) > 3 and len(places) == total:
        return f"all {total:,} {kind}s"
    if len(names) < 4:
        also = f" ({places[0][1]})" if len(names) == 1 and places[0][1] else ""
        return ", ".join(names) + also
    tails = {name.partition(".")[2] for name in names}
    if len(tails) == 1 and tails != {""}:
        heads = [name.partition(".")[0] for name in names]
        return f"{tails.pop()} in {len(names)} modules, {heads[0]} … {heads[-1]}"
    return f"{len(names):,} {kind}s, {names[0]} … {names[-1]}"


def _rounding(mine: Any, _: Any) -> str:
    return "rounds up, spec down" if mine else "rounds down, spec up"


_SENTENCES: dict[str, Callable[[Any, Any], str]] = {
    "out_channels": lambda mine, its: f"{mine:,} channels, spec {its:,}",
    "out_features": lambda mine, its: f"{mine:,} outputs, spec {its:,}",
    "bias": lambda mine, _: "bias, spec has none" if mine else "no bias, spec has one",
    "ceil_mode": _rounding,
}

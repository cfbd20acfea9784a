"""What a run of layers costs against what replaces it: two 3×3 convolutions against one 5×5, there and in all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from archscope.analyses.receptive_field import Reach, through
from archscope.core.arithmetic import product
from archscope.core.records import Setting
from archscope.graph.graph import Graph, Node
from archscope.studies.explaining.derivation import Step, derivation, first_users
from archscope.studies.explaining.formulas import at, polynomial, symbol
from archscope.studies.explaining.replacement import MARK, Replacement
from archscope.studies.explaining.symbols import lowered
from archscope.studies.profiling import totals

COUNTED = ("params", "macs", "activations")
COLUMNS = (*COUNTED, "receptive_field")

Side = tuple[Graph, Sequence[int]]
"""A network and the run of nodes in it."""


def run_steps(made: Replacement, setting: Setting) -> tuple[Step, ...]:
    """What the run costs and does: each quantity as it is, and instead."""
    old, new = (made.before, made.old), (made.after, made.new)
    pairs = [_pair(_cost(*old, quantity, setting), _cost(*new, quantity, setting)) for quantity in COUNTED]
    windows = _window(*old), _window(*new)
    if None not in windows:
        pairs.append(_pair(*(Step("window", "", "", "", each, "side") for each in windows)))
    for quantity, counted in (("weight_layers", "weight_layer"), ("nonlinearities", "nonlinearity")):
        counts = (sum(getattr(graph.nodes[n].op, counted) for n in nodes) for graph, nodes in (old, new))
        pairs.append(_pair(*(Step(quantity, "", "", "", count) for count in counts)))
    shapes = (graph.shape_out(graph.nodes[nodes[-1]])[1:] for graph, nodes in (old, new))
    pairs.append(_pair(*(Step("output_shape", "", "", "", shape, "shape") for shape in shapes)))
    return tuple(step for pair in pairs for step in pair)


def network_steps(made: Replacement, setting: Setting) -> tuple[Step, ...]:
    """What that makes of the whole network."""
    before, after = (totals(graph, setting, COLUMNS) for graph in (made.before, made.after))
    found: list[Step] = []
    for name in COLUMNS:
        unit = "side" if name == "receptive_field" else "count"
        found += _pair(*(Step(name, "", "", "", each[name].value, unit) for each in (before, after)))
    return tuple(found)


def _pair(old: Step, new: Step) -> tuple[Step, Step]:
    """Both sides of a comparison, with how they compare."""
    remarks: tuple[str, ...] = ("the same",) if old.value == new.value else ()
    if not remarks and old.quantity in COUNTED and old.value:
        remarks = (f"{new.value - old.value:+,}, {new.value / old.value:.2f}×".replace("-", "−"),)
    return old._replace(label="as it is"), new._replace(label=MARK, remarks=(*new.remarks, *remarks))


def _cost(graph: Graph, nodes: Sequence[int], quantity: str, setting: Setting) -> Step:
    """The sum of a quantity over a run; of params also as a polynomial in the numbers of channels."""
    users = first_users(graph)
    parts: list[Step] = [getattr(derivation(graph, graph.nodes[n], setting, users), quantity) for n in nodes]
    numbers = " + ".join(each.numbers for each in parts if each.value)
    value = None if any(each.value is None for each in parts) else sum(each.value for each in parts)
    if quantity != "params":
        return Step(quantity, "", "", numbers, value)
    symbols, letters = _by_channels(graph, [graph.nodes[n] for n in nodes])
    return Step(quantity, "", symbols, numbers, value, remarks=(letters,) if letters else ())


def _by_channels(graph: Graph, nodes: Sequence[Node]) -> tuple[str, str]:
    """The params of a run with a letter for each number of channels, and the letters; empty for grouped ones."""
    if any(getattr(node.op, "groups", 1) != 1 for node in nodes):
        return "", ""
    counts = dict.fromkeys([graph.shapes_in(nodes[0])[0][1], *(graph.shape_out(node)[1] for node in nodes)])
    names = {count: "C" if len(counts) == 1 else f"C{lowered(n)}" for n, count in enumerate(counts, 1)}
    with at({name: count for count, name in names.items()}):
        total = sum(_params(graph, node, names) for node in nodes)
    used = {str(each) for each in getattr(total, "free_symbols", ())}
    letters = ", ".join(f"{name} = {count:,}" for count, name in names.items() if name in used)
    return (polynomial(total), letters) if used else ("", "")


def _params(graph: Graph, node: Node, names: Mapping[int, str]) -> Any:
    """The params of a node by its own rule, on channels with letters."""
    own = {field: getattr(node.op, field, 0) for field in ("out_channels", "out_features")}
    changes = {field: symbol(names[size]) for field, size in own.items() if size in names}
    shapes = [tuple(_lettered(n, size, names) for n, size in enumerate(shape)) for shape in graph.shapes_in(node)]
    return sum(product(shape) for shape in replace(node.op, **changes).weights(*shapes).values())


def _lettered(place: int, size: int, names: Mapping[int, str]) -> Any:
    return symbol(names[size]) if place == 1 and size in names else size


def _window(graph: Graph, nodes: Sequence[int]) -> Any:
    """The window that a run has on what it reads, per axis; None for one that is no chain, or sees a whole map."""
    reaches = [Reach(1, 1, 0, 0), Reach(1, 1, 0, 0)]
    own = [graph.nodes[n] for n in nodes]
    if any(node.inputs != before.outputs for before, node in pairwise(own)):
        return None
    for node in own:
        window = node.op.sees(*graph.shapes_in(node))
        if window is None or len(node.inputs) != 1 or 0 in window.stride or len(graph.shape_out(node)) != 4:
            return None
        reaches = [through(*each) for each in zip(reaches, *window[:4], strict=True)]
    sizes = tuple(reach.size for reach in reaches)
    return sizes[0] if len(set(sizes)) == 1 else sizes

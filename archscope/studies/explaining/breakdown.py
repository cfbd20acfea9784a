"""What the numbers of a block or a network are made of: layers, or blocks; and the layers that make its depth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from archscope import analyses
from archscope.core.records import Setting
from archscope.graph.graph import Graph, Node
from archscope.graph.paths import longest_path
from archscope.spec.notation import write
from archscope.studies.explaining.derivation import Derivation, Step, derivation, derivations, first_users
from archscope.studies.explaining.formulas import Formula, number

MOST_LAYERS = 24
"""How many layers are listed one by one; of more, the blocks that they are in."""

QUANTITIES = ("params", "macs", "activations")


class LayerRow(NamedTuple):
    """A layer with its sizes derived in one line each, as on a lecture slide.

    shape: of its output, without batch. resizes: it makes a size that its input does not have.
    """

    path: str
    name: str
    op: str
    shape: tuple[int, ...]
    weights: Formula | None
    biases: Formula | None
    macs: Formula | None
    resizes: bool


def layer_rows(graph: Graph, setting: Setting) -> tuple[LayerRow, ...]:
    """The layers that run in a setting, each with its derivation in a line."""
    users = first_users(graph)
    rows = []
    for node in graph.nodes:
        if node.side and setting.mode != "train":
            continue
        known = derivation(graph, node, setting, users)
        macs = Formula(known.macs.symbols, known.macs.numbers, known.macs.value) if known.macs.value else None
        shared = bool(known.weights) and not known.params.value
        own = (None, None) if shared else (known.weights, known.biases)
        shape, changed = graph.shape_out(node)[1:], bool(known.sizes)
        rows.append(LayerRow(node.path, node.name, spelt(node), shape, *own, macs, changed))
    return tuple(rows)


def spelt(node: Node) -> str:
    """An op as a cell spells it, or by the name that torch has for it."""
    return write(node.op) if node.op.notation is not None else node.op.label


def parts_of(
    graph: Graph,
    setting: Setting,
    nodes: Sequence[int],
    scope: int,
    quantity: str,
    derived: Callable[[int], Derivation] | None = None,
) -> tuple[Step, ...]:
    """What a quantity of these nodes is made of: a step for each layer, or each block, that has some, and the sum.

    derived: what :func:`derivations` gives, for whoever asks for several quantities of a graph.
    """
    derived = derivations(graph, setting) if derived is None else derived
    prefix = f"{graph.scopes[scope].name}." if scope > 0 and graph.scopes[scope].name else ""
    column = analyses.of_column(quantity)[0].analyse(graph, setting)[quantity]
    counted = [n for n in nodes if column[n]]
    unknown = sorted({type(graph.nodes[n].op).__name__ for n in nodes if column[n] is None})
    steps = []
    if len(counted) <= MOST_LAYERS:
        for n in counted:
            step: Step = getattr(derived(n), quantity)
            steps.append(step._replace(symbols="", label=graph.nodes[n].name.removeprefix(prefix), remarks=()))
    else:
        groups: dict[str, int] = {}
        for n in counted:
            name = _child(graph, graph.nodes[n], max(scope, 0)).removeprefix(prefix)
            groups[name] = groups.get(name, 0) + column[n]
        steps = [Step(quantity, "", "", "", value, label=name) for name, value in groups.items()]
    remarks = (f"at least: not known for {', '.join(unknown)}",) if unknown else ()
    numbers = " + ".join(number(step.value) for step in steps) if len(steps) > 1 else ""
    return (*steps, Step(quantity, "", "", numbers, sum(step.value for step in steps), remarks=remarks, label="in all"))


def _child(graph: Graph, node: Node, scope: int) -> str:
    """The part of a block that a node is in, sections taken apart: a block, or the node itself."""
    name, inner = node.name, node.scope
    while inner != scope and inner > 0:
        if not graph.scopes[inner].section:
            name = graph.scopes[inner].name or graph.scopes[inner].path
        inner = graph.scopes[inner].parent
    return name


def depth_steps(graph: Graph) -> tuple[tuple[Step, ...], tuple[str, ...]]:
    """The weight layers along the longest path, by the resolution of their outputs, and what does not count."""
    path = longest_path(graph)
    stages: dict[tuple[int, ...], list[Node]] = {}
    for node in path:
        stages.setdefault(graph.shape_out(node)[2:], []).append(node)
    steps = [
        Step("weight_layers", "", "", " + ".join(node.name for node in nodes), len(nodes), label=_resolution(axes))
        for axes, nodes in stages.items()
    ]
    counts = " + ".join(str(len(nodes)) for nodes in stages.values())
    steps.append(Step("weight_layers", "", "", counts, len(path), label="in all"))
    return tuple(steps), _not_counted(graph, path)


def _resolution(axes: tuple[int, ...]) -> str:
    return "×".join(str(size) for size in axes) or "vectors"


def _not_counted(graph: Graph, path: Sequence[Node]) -> tuple[str, ...]:
    own = [node for node in graph.nodes if not node.side]
    names = Counter(type(node.op).__name__ for node in own if not node.op.weight_layer)
    taken = {node.path for node in path}
    beside = [node.name for node in own if node.op.weight_layer and node.path not in taken]
    notes = ["counted: layers with a weight matrix, convolutions and FC layers"]
    if names:
        notes.append(f"not counted: {', '.join(f'{count} {name}' for name, count in names.items())}")
    if beside:
        shown = ", ".join(beside[:6]) + (", …" if len(beside) > 6 else "")
        notes.append(f"{len(beside)} more weight layers run beside the longest path: {shown}")
    if any(node.side for node in graph.nodes):
        notes.append("auxiliary heads run only while training, and do not count")
    return tuple(notes)

"""How a layer's numbers come about: the rules of its op on symbols, then with numbers, then the result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple

from archscope.core.arithmetic import Shape, product
from archscope.core.records import Setting
from archscope.graph.graph import Graph, Node
from archscope.ops.flatten import Flatten
from archscope.studies.explaining.formulas import (
    Formula,
    Leaf,
    Term,
    at,
    factors,
    named,
    number,
    numbered,
    spelled,
    spelled_factor,
    symbol,
    times,
)
from archscope.studies.explaining.symbols import Symbolic, symbolic

Text = Callable[[Leaf], str]
"""An expression ready to be printed with symbols or with numbers."""


class Step(NamedTuple):
    """One number derived: ``left = symbols = numbers = value``. Without a rule there are only the value and remarks.

    quantity: the column or size that it is. left: the symbol that later steps use for it. unit: as of a column. label:
    what tells it from others of the same quantity.
    """

    quantity: str
    left: str
    symbols: str
    numbers: str
    value: Any
    unit: str = "count"
    remarks: tuple[str, ...] = ()
    label: str = ""


class Derivation(NamedTuple):
    """A node's sizes, params, MACs and activations, each derived, and the symbols that they are derived from."""

    sizes: tuple[Step, ...]
    params: Step
    macs: Step
    activations: Step
    terms: tuple[Term, ...]
    weights: Formula | None = None
    biases: Formula | None = None


class Output(NamedTuple):
    """An output's sizes as rules give them, as the symbols that stand for them from then on, and all values."""

    given: Shape
    named: Shape
    values: dict[str, int]
    steps: tuple[Step, ...]


def derivation(graph: Graph, node: Node, setting: Setting, users: Mapping[int, str]) -> Derivation:
    """The derivation of a node's numbers, from the rules that count them. users: see :func:`first_users`."""
    known = symbolic(graph, node)
    flat = _flattened(graph, node)
    with at(known.values):
        out = output_of(graph, node, known)
        weights = _weights(graph, node, known, flat)
        macs = _macs(graph, node, known, out, flat)
    params = _params(graph, node, weights, users)
    activations = _activations(graph, node, out, setting)
    used = " ".join(step.symbols for step in (*out.steps, params, macs, activations))
    terms = tuple(term for term in known.terms.values() if _mentions(used, term.symbol))
    return Derivation(out.steps, params, macs, activations, terms, weights.get("weight"), weights.get("bias"))


def derivations(graph: Graph, setting: Setting) -> Callable[[int], Derivation]:
    """The derivations of a graph's nodes, by index, each made when it is first asked for, and then kept."""
    users = first_users(graph)

    @cache
    def of_node(index: int) -> Derivation:
        return derivation(graph, graph.nodes[index], setting, users)

    return of_node


def _mentions(text: str, name: str) -> bool:
    import re

    return re.search(rf"(?<![\w′]){re.escape(name)}(?![\w′])|\d{re.escape(name)}(?![\w′])", text) is not None


def output_of(graph: Graph, node: Node, known: Symbolic) -> Output:
    """The output's sizes, with a step for each that is neither one of the input nor a setting of the op."""
    given, numbers = known.op.out_shape(*known.shapes), numbered(known.values)
    values, sizes, steps = dict(known.values), list(given), dict[str, Step]()
    for place, (name, quantity) in _derived(given).items():
        size = graph.shape_out(node)[place]
        steps[name] = Step(quantity, name, spelled(given[place], named), spelled(given[place], numbers), size)
        values[name], sizes[place] = size, symbol(name)
    return Output(given, tuple(sizes), values, tuple(steps.values()))


def _derived(given: Sequence[Any]) -> dict[int, tuple[str, str]]:
    """By place in the shape, the symbol and the name of each size that is worked out; one for equal sides."""
    worked = {at for at, size in enumerate(given) if not isinstance(size, int) and not size.is_Symbol}
    axes = range(2, len(given))
    found = {1: ("C′", "channels out") if axes else ("F′", "features out")}
    if len({given[at] for at in axes}) == 1:
        found |= dict.fromkeys(axes, ("M′", "output side"))
    elif len(axes) == 2:
        found |= {2: ("M′_h", "output height"), 3: ("M′_w", "output width")}
    else:
        found |= {at: (f"M′_{at - 1}", f"output axis {at - 1}") for at in axes}
    return {at: each for at, each in found.items() if at in worked}


def _flattened(graph: Graph, node: Node) -> dict[str, str]:
    """How the features are spelt that an op gets from a flattened map: as its sides and channels, ``(7·7·512)``."""
    makers = {tensor: each for each in graph.nodes for tensor in each.outputs}
    before = makers.get(node.inputs[0]) if node.inputs else None
    while before is not None and not isinstance(before.op, Flatten):
        if before.op.weight_layer or len(before.inputs) != 1 or len(graph.shape_out(before)) != 2:
            return {}
        before = makers.get(before.inputs[0])
    shape = graph.shapes_in(before)[0] if before is not None else ()
    if product(shape[2:]) == 1:
        return {}
    return {"F": f"({'·'.join(number(size) for size in (*shape[2:], shape[1]))})"}


def _weights(graph: Graph, node: Node, known: Symbolic, flat: Mapping[str, str]) -> dict[str, Formula]:
    """The sizes of the parameters as lecture notes write them: what an output sees, times the outputs."""
    counts = node.op.weights(*graph.shapes_in(node))
    numbers = numbered(known.values, flat)
    found = {}
    for name, shape in known.op.weights(*known.shapes).items():
        out, *rest = [_grouped(size) for size in shape]
        seen = [*rest[1:], *rest[:1]]
        symbols, figures = (
            times([spelled_factor(size, leaf) for size in seen], [spelled_factor(out, leaf)])
            for leaf in (named, numbers)
        )
        found[name] = Formula(symbols, figures, product(counts[name]))
    return found


def first_users(graph: Graph) -> dict[int, str]:
    """By parameter the layer that uses it first: there it counts."""
    users: dict[int, str] = {}
    for node in graph.nodes:
        for index in node.parameters.values():
            users.setdefault(index, node.name)
    return users


def _params(graph: Graph, node: Node, weights: dict[str, Formula], users: Mapping[int, str]) -> Step:
    shared = sorted({users[index] for index in node.parameters.values()} - {node.name})
    own = {
        name: weights.get(name) or _of_shape(graph.parameters[index].shape)
        for name, index in node.parameters.items()
        if users[index] == node.name
    }
    remarks = [f"shared with {', '.join(shared)}, and counted there"] if shared else []
    remarks += [" + ".join(own)] if len(own) > 1 else []
    total = sum(each.value for each in own.values())
    formulas = list(own.values())
    return Step("params", "", _joined(formulas, 0), _joined(formulas, 1), total, "count", tuple(remarks))


def _of_shape(shape: Shape) -> Formula:
    """The size of a parameter that the op itself does not ask for: one that a module uses by hand."""
    text = "·".join(number(size) for size in shape) or "1"
    return Formula(text, text, product(shape))


def _joined(formulas: Sequence[Formula], side: int) -> str:
    return " + ".join(str(each[side]) for each in formulas)


def _macs(graph: Graph, node: Node, known: Symbolic, out: Output, flat: Mapping[str, str]) -> Step:
    """What every output multiplies and adds up, times the outputs."""
    value = node.op.macs(*graph.shapes_in(node))
    if not value:
        remarks = ("the op has no rule for it",) if value is None else ("nothing is multiplied and added up",)
        return Step("macs", "", "", "", value, "count", remarks)
    count: Any = known.op.macs(*known.shapes)
    for given, name in zip(out.given, out.named, strict=True):
        count = count.subs(given, name) if given is not name else count
    parts = factors(_grouped(count))
    outputs = [each for each in parts if each in out.named]
    seen = [each for each in parts if each not in out.named]
    groups = (seen, outputs) if len(outputs) == len(seen) == 1 else (outputs, seen)

    def text(leaf: Leaf) -> str:
        return times(*([spelled_factor(each, leaf) for each in group] for group in groups))

    return Step("macs", "", text(named), text(numbered(out.values, flat)), value)


def _activations(graph: Graph, node: Node, out: Output, setting: Setting) -> Step:
    rule = node.op.memory(*graph.shapes_in(node), setting=setting)
    if rule is None:
        return Step("activations", "", "", "", None, "count", ("the op has no memory rule",))
    if rule.out != "new":
        words = {"inplace": "it overwrites its input", "view": "it is a view of its input"}
        return Step("activations", "", "", "", 0, "count", (words[rule.out],))

    symbols, numbers = product_text(out.named, named), product_text(out.named, numbered(out.values))
    return Step("activations", "", symbols, numbers, product(graph.shape_out(node)))


def product_text(sizes: Sequence[Any], leaf: Leaf) -> str:
    """Sizes one after another as a product."""
    parts = [each for size in sizes for each in factors(_grouped(size)) if each != 1]
    return times([spelled_factor(each, leaf) for each in parts] or ["1"])


@lru_cache(maxsize=4096)
def _grouped(size: Any) -> Any:
    """``⌊C/G⌋`` as ``C/G``: the rule requires that groups divide the channels."""
    import sympy

    whole = sympy.floor(symbol("C") / symbol("G"))
    return sympy.sympify(size).subs(whole, symbol("C/G"))

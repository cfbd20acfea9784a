"""Closed forms of whole networks and blocks: params, MACs and activations as functions of the knobs.

The graph is lowered once more with symbols in place of the batch, the width, the classes and the input's side, and the
analyses add up what its rules give: these are polynomials wherever no size has to be rounded.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from archscope import analyses
from archscope.analyses.receptive_field import fields
from archscope.core.arithmetic import Ratio, Size
from archscope.core.errors import ArchscopeError, Unsupported
from archscope.core.records import Setting
from archscope.graph.graph import Graph
from archscope.graph.lowering import lower
from archscope.graph.resizing import resized
from archscope.spec.knobs import turned
from archscope.spec.network import Spec
from archscope.spec.options import Options
from archscope.studies.explaining.derivation import Step
from archscope.studies.explaining.formulas import Term, polynomial, symbol

QUANTITIES = ("params", "macs", "activations")


class Forms(NamedTuple):
    """Steps with a closed form each, the symbols in them with their values here, and what holds them back."""

    steps: tuple[Step, ...]
    terms: tuple[Term, ...]
    notes: tuple[str, ...]


class _Symbolic(NamedTuple):
    """A network on its way to symbols: a spec, or the graph where there is none, and the symbols so far."""

    spec: Spec | None
    graph: Graph
    terms: tuple[Term, ...] = ()
    notes: tuple[str, ...] = ()


def closed_forms(graph: Graph, spec: Spec | None, setting: Setting, nodes: Sequence[int]) -> Forms:
    """The closed forms of what these nodes cost. Without a spec only the batch and the input's side are free."""
    if spec is None and not all(node.op.infers for node in graph.nodes):
        return Forms((), (), ("no closed forms: the sizes of some ops were seen while the module ran, at this input",))
    known = _Symbolic(spec, graph)
    known = _with_knob(known, Term("w", 1, "width, a factor on the channels"), lambda w: Options(width=Ratio(w, 1)))
    classes = graph.tensors[graph.outputs[0].tensor].shape[1]
    known = _with_knob(known, Term("c", classes, "classes"), lambda c: Options(num_classes=c))
    sides, known = _with_side(known, setting)
    made = _lowered(known.spec, graph, symbol("N"), sides)
    if [node.path for node in made.nodes] != [node.path for node in graph.nodes]:
        return Forms((), (), ("which layers there are depends on the sizes: no one formula holds",))
    values = {quantity: _sum(made, quantity, setting, nodes) for quantity in QUANTITIES}
    steps = tuple(
        Step(quantity, "", polynomial(value), "", _sum(graph, quantity, setting, nodes))
        for quantity, value in values.items()
        if value is not None
    )
    used = {str(each) for value in values.values() for each in getattr(value, "free_symbols", ())}
    terms = tuple(term for term in (Term("N", setting.batch, "examples"), *known.terms) if term.symbol in used)
    rounded = [step.quantity for step in steps if "⌊" in step.symbols]
    more = (f"piecewise, since a size is rounded down: {', '.join(rounded)}",) if rounded else ()
    return Forms(steps, terms, (*known.notes, *more))


def _with_knob(known: _Symbolic, term: Term, options: Callable[[Any], Options]) -> _Symbolic:
    """The spec with a knob turned to a symbol; a note where the network has no such knob."""
    if known.spec is None:
        return known
    try:
        spec = turned(known.spec, options(symbol(term.symbol)))
    except Unsupported as error:
        return known._replace(notes=(*known.notes, f"no {term.symbol}: {error.problems[0].message}"))
    return known._replace(spec=spec, terms=(*known.terms, term))


def _with_side(known: _Symbolic, setting: Setting) -> tuple[tuple[Size, Size], _Symbolic]:
    """The input's sides as ``32·k``, so that no stride leaves anything over; the numbers where that cannot be."""
    *_, height, width = known.graph.tensors[known.graph.inputs[0]].shape
    period = _period(known.graph, setting)
    if height != width or not period:
        why = "the input is no square" if height != width else "an op does not say what it sees of the input"
        return (height, width), known._replace(notes=(*known.notes, f"the input's size is fixed: {why}"))
    steps, rest = divmod(height, period)
    if period == 1 or steps == 0:
        return (symbol("h"),) * 2, known._replace(terms=(*known.terms, Term("h", height, "side of the input")))
    least = _least(known.graph, period, rest, steps)
    name = f"h = {period}·k{f' + {rest}' if rest else ''}"
    term = Term("k", steps, f"for the input's side {name}{f', from k = {least} on' if least > 1 else ''}")
    note = (
        f"for {name} strides divide every size; for other sides sizes are rounded, which makes {period} pieces: "
        f"a formula for each remainder of h by {period}"
    )
    side = period * symbol("k") + rest
    return (side, side), known._replace(terms=(*known.terms, term), notes=(*known.notes, note))


def _period(graph: Graph, setting: Setting) -> int:
    """The least number of pixels by which a side can grow so that every map grows by whole positions; 0: not known."""
    found = fields(graph)
    running = [node for node in graph.nodes if setting.mode == "train" or not node.side]
    reached = [found[tensor] for node in running for tensor in node.outputs]
    if None in reached:
        return 0
    return math.lcm(*(reach.jump for field in reached if field is not None for reach in field.axes if reach.jump))


def _least(graph: Graph, period: int, rest: int, steps: int) -> int:
    """The smallest k at which all windows fit; at ``steps`` they do."""
    low, high = 1, steps
    while low < high:
        middle = (low + high) // 2
        try:
            _lowered(None, graph, 1, (period * middle + rest,) * 2)
            high = middle
        except ArchscopeError:
            low = middle + 1
    return low


def _lowered(spec: Spec | None, graph: Graph, batch: Size, sides: tuple[Size, ...]) -> Graph:
    """The network for a batch and an input of these sides."""
    channels = graph.tensors[graph.inputs[0]].shape[1]
    if spec is None:
        return resized(graph, (batch, channels, *sides))
    return lower(replace(spec, input_shape=(channels, *sides)), batch)


def _sum(graph: Graph, quantity: str, setting: Setting, nodes: Sequence[int]) -> Any:
    """What an analysis gives for these nodes together; None where an op has no rule."""
    values = analyses.of_column(quantity)[0].analyse(graph, setting)[quantity]
    own = [values[n] for n in nodes]
    return None if None in own else sum(own)

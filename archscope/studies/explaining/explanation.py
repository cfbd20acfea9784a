"""Why these numbers? A layer, a block or a network explained: its place in the paper, and each number derived."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from archscope.analyses.receptive_field import Field, features, fields
from archscope.core.errors import Problem, UsageError
from archscope.core.records import Setting
from archscope.core.showing import shown_as_html, shown_as_text
from archscope.core.source import Span
from archscope.graph.graph import Graph, Node
from archscope.graph.paths import longest_path
from archscope.spec.network import Spec
from archscope.studies.explaining.breakdown import QUANTITIES, LayerRow, depth_steps, layer_rows, parts_of, spelt
from archscope.studies.explaining.closed_forms import closed_forms
from archscope.studies.explaining.derivation import Derivation, Step, derivations
from archscope.studies.explaining.exchange import network_steps, run_steps
from archscope.studies.explaining.formulas import Term
from archscope.studies.explaining.keeping import kept_by_node, kept_step
from archscope.studies.explaining.locating import DEPTH, Place, Target, place_of_row, target
from archscope.studies.explaining.replacement import replaced
from archscope.studies.explaining.savings import pooling_steps, reduction_steps
from archscope.studies.explaining.sight import field_steps, plain_steps, reading, shown, with_rounding

Fields = Mapping[int, Field | None]
"""The receptive field of each tensor."""


class _Whole(NamedTuple):
    """What the explanation of a layer takes from all of a graph, worked out once for all of its layers."""

    fields: Fields
    kept_bytes: Sequence[int]
    derived: Callable[[int], Derivation]


class Section(NamedTuple):
    """Steps that belong together, and what is to be said with them."""

    name: str
    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is explained, as plain data.

    kind: ``layer``, ``block``, ``row``, ``network``, ``depth``, ``exchange`` or ``layers``. name: of the part. source:
    the paper. place: where it stands in the paper's table. facts: in words, each with what it is about. terms: the
    symbols that steps use, with their numbers. rows: of ``layers`` the layers.
    """

    network: str
    kind: str
    name: str
    source: str
    place: Place | None = None
    facts: tuple[tuple[str, str], ...] = ()
    terms: tuple[Term, ...] = ()
    sections: tuple[Section, ...] = ()
    rows: tuple[LayerRow, ...] = ()
    changes: tuple[str, ...] = ()

    _repr_html_ = shown_as_html
    __str__ = shown_as_text

    def steps(self, quantity: str) -> list[Step]:
        """All steps of a quantity, in order."""
        return [step for section in self.sections for step in section.steps if step.quantity == quantity]


def explained(
    graph: Graph,
    spec: Spec | None,
    setting: Setting,
    what: str | None = None,
    *,
    instead: Sequence[str] = (),
    everything: bool = False,
) -> Explanation:
    """The explanation of a part of a graph; ``spec`` is what it was lowered from, None for another graph.

    what: see :func:`archscope.studies.explaining.locating.target`; None for all of it. instead: cells to put in the
    place of that layer, or of a run of layers, ``conv3_1,conv3_2``. everything: all layers, a line each.
    Raises UnknownName for a part that there is not, UsageError for one that is not alone, and for what cannot be
    replaced.
    """
    if everything:
        if what or instead:
            raise UsageError(Problem("bad-value", "either all layers are explained, a line each, or one part"))
        return replace(_base(graph, target(graph, None)), kind="layers", rows=layer_rows(graph, setting))
    if instead:
        return _exchange(graph, spec, setting, what or "", instead)
    found = target(graph, what)
    base = _base(graph, found)
    if found.kind == "layer":
        return _layer(base, graph, found, setting, _whole(graph, setting))
    if found.kind == DEPTH:
        return replace(base, sections=(Section("weight layers along the longest path", *depth_steps(graph)),))
    return _block(base, graph, spec, setting, found)


def explained_in_brief(graph: Graph, setting: Setting, names: Iterable[str]) -> dict[str, Explanation]:
    """The explanations of layers and blocks of a graph, by name, for a page that has one for each of its boxes.

    As :func:`explained` has them, without what takes a network apart for each of them: a block's closed forms, and what
    its 1×1 layers save.
    """
    whole = _whole(graph, setting)
    found: dict[str, Explanation] = {}
    for name in dict.fromkeys(names):
        part = target(graph, name)
        base = _base(graph, part)
        if part.kind == "layer":
            found[name] = _layer(base, graph, part, setting, whole)
        else:
            nodes = _counted(graph, setting, part)
            sight = Section("receptive field on the image", _sight(graph, part, whole.fields))
            sections = (*_costs(graph, setting, part, nodes, whole.derived), sight)
            found[name] = replace(base, facts=(*base.facts, *_ends(graph, part)), sections=sections)
    return found


def _whole(graph: Graph, setting: Setting) -> _Whole:
    return _Whole(fields(graph), kept_by_node(graph, setting), derivations(graph, setting))


def _base(graph: Graph, found: Target) -> Explanation:
    """What every explanation begins with."""
    spans = [span for span in dict.fromkeys(node.span for node in _main(graph, found)) if span is not None]
    source = " · ".join(part for part in (graph.title, graph.source) if part)
    place = place_of_row(spans)
    facts = _where(place, spans)
    return Explanation(graph.name, found.kind, found.name, source, place, facts, changes=graph.changes)


def _main(graph: Graph, found: Target) -> list[Node]:
    """The layers of a part that always run; all of them in an auxiliary head."""
    own = [graph.nodes[n] for n in found.nodes]
    return [node for node in own if not node.side] or own


def _where(place: Place | None, spans: Sequence[Span]) -> tuple[tuple[str, str], ...]:
    if place is not None:
        cell = "" if place.cell in place.where else f": {place.cell}"
        said = ("in the table", f"{place.where}{cell}") if place.where else ("in the code", place.cell)
        return (said, ("file", f"{place.file}, line {place.line}"))
    if not spans:
        return ()
    lines = sorted(span.line for span in spans)
    return (("file", f"{spans[0].source.name}, lines {lines[0]} to {lines[-1]}"),)


def _layer(base: Explanation, graph: Graph, part: Target, setting: Setting, whole: _Whole) -> Explanation:
    node, found = graph.nodes[part.nodes[0]], whole.fields
    known = whole.derived(part.nodes[0])
    sizes = (*with_rounding(graph, node, known.sizes), _output(graph, node))
    sight = field_steps(graph, node, found)
    facts = (
        *base.facts,
        ("op", f"{spelt(node)}, {node.path} in the built module"),
        ("reads", "; ".join(_named(graph, tensor) for tensor in node.inputs)),
        ("read by", ", ".join(each.name for each in graph.nodes if set(each.inputs) & set(node.outputs)) or "nobody"),
    )
    before = [found[tensor] for tensor in node.inputs]
    terms = (*known.terms, *(_field_terms(before[0]) if any(step.symbols for step in sight) else ()))
    kept = kept_step(graph, node, setting, whole.kept_bytes)
    sections = (
        Section("size", sizes, reading(graph, node)),
        Section("cost", (known.params, known.macs, known.activations, kept)),
        Section("receptive field on the image", sight),
    )
    return replace(base, facts=facts, terms=terms, sections=sections)


def _output(graph: Graph, node: Node) -> Step:
    return Step("output_shape", "", "", "", graph.shape_out(node)[1:], "shape")


def _named(graph: Graph, tensor: int) -> str:
    """A tensor by the layer that makes it, with its shape."""
    makers = [node.name for node in graph.nodes if tensor in node.outputs]
    shape = "×".join(str(size) for size in graph.tensors[tensor].shape[1:])
    return f"{makers[0] if makers else 'the image'}, {shape}"


def _field_terms(field: Field | None) -> tuple[Term, ...]:
    """The letters of the equations for receptive fields."""
    if field is None or len({reach[:3] for reach in field.axes}) != 1:
        return ()
    means = ("receptive field of the input", "its jump", "its start")
    values = field.axes[0][:3]
    return tuple(Term(name, value, text) for name, value, text in zip("rja", values, means, strict=True))


def _block(base: Explanation, graph: Graph, spec: Spec | None, setting: Setting, found: Target) -> Explanation:
    """A block, the layers of a row, or the network."""
    nodes = _counted(graph, setting, found)
    if found.kind == "network":
        sums = tuple(parts_of(graph, setting, nodes, 0, name)[-1]._replace(numbers="", label="") for name in QUANTITIES)
        sections = [Section("cost", sums)]
        saved = Section("global average pooling against FC layers", pooling_steps(graph, spec))
    else:
        sections = _costs(graph, setting, found, nodes, derivations(graph, setting))
        saved = Section("1×1 in front of larger kernels", reduction_steps(graph, nodes, setting))
    forms = closed_forms(graph, spec, setting, nodes)
    sections.append(Section("receptive field on the image", _sight(graph, found, fields(graph))))
    sections += [saved] if saved.steps else []
    sections.append(Section("closed forms", forms.steps, forms.notes))
    return replace(base, facts=(*base.facts, *_ends(graph, found)), terms=forms.terms, sections=tuple(sections))


def _counted(graph: Graph, setting: Setting, found: Target) -> list[int]:
    """The nodes of a part that run in a setting; all of an auxiliary head."""
    all_side = all(graph.nodes[n].side for n in found.nodes)
    return [n for n in found.nodes if all_side or not graph.nodes[n].side or setting.mode == "train"]


def _costs(
    graph: Graph, setting: Setting, found: Target, nodes: Sequence[int], derived: Callable[[int], Derivation]
) -> list[Section]:
    """What a block's numbers are made of."""
    parts = [parts_of(graph, setting, nodes, found.scope, name, derived) for name in QUANTITIES]
    sections = [Section(*each) for each in zip(("params", "MACs"), parts, strict=False)]
    return [*sections, Section("activations", (parts[2][-1],))]


def _ends(graph: Graph, found: Target) -> tuple[tuple[str, str], ...]:
    """What goes into a block and what comes out, and how many layers are between, auxiliary heads aside."""
    own = _main(graph, found)
    weighted = sum(node.op.weight_layer for node in own)
    made = {tensor for node in own for tensor in node.outputs}
    read = dict.fromkeys(tensor for node in own for tensor in node.inputs if tensor not in made)
    scope = graph.scopes[found.scope] if found.scope >= 0 else None
    out = scope.outputs[0] if scope is not None else own[-1].outputs[0]
    facts = [("reads", "; ".join(_named(graph, tensor) for tensor in read)), ("gives", _named(graph, out))]
    if scope is not None:
        deep = f"{weighted} of them with weights, {len(longest_path(graph, found.scope))} in a row"
        facts.append(("layers", f"{len(own)}, {deep}"))
    if scope is not None and scope.kind and scope.path:
        facts.insert(0, ("block", f"{scope.kind}, {scope.path} in the built module"))
    return tuple(facts)


def _sight(graph: Graph, found: Target, known: Fields) -> tuple[Step, ...]:
    """The receptive field of what a block gives; of a network that of its last map."""
    if found.kind == "network":
        return plain_steps(features(graph), ("of the last map before something sees all of it",))
    scope = graph.scopes[found.scope] if found.scope >= 0 else None
    own = [graph.nodes[n] for n in found.nodes]
    before = known[own[0].inputs[0]]
    remarks = () if before is None else (f"of what it reads: {shown(before)}",)
    return plain_steps(known[scope.outputs[0] if scope is not None else own[-1].outputs[0]], remarks)


def _exchange(graph: Graph, spec: Spec | None, setting: Setting, what: str, cells: Sequence[str]) -> Explanation:
    """Layers against other cells in their place."""
    if spec is None:
        raise UsageError(
            Problem("bad-value", "a Graph has no cells that others could stand for", help="give a network")
        )
    if not what:
        raise UsageError(Problem("missing-argument", "instead needs a layer, or several: conv3_1,conv3_2"))
    found = [target(graph, part) for part in what.split(",")]
    odd = next((each for each in found if each.kind in {"network", DEPTH}), None)
    if odd is not None:
        message = f"{what!r} is no layer or block that cells could stand for"
        raise UsageError(Problem("bad-value", message, help="name a layer, a block, or layers with commas between"))
    nodes = tuple(n for each in found for n in each.nodes)
    made = replaced(spec, graph, nodes, cells)
    base = _base(graph, Target("exchange", what, nodes))
    facts = (
        *base.facts,
        ("as it is", _cells(made.before, made.old)),
        ("instead", _cells(made.after, made.new)),
    )
    sections = (Section("these layers", run_steps(made, setting)), Section(graph.name, network_steps(made, setting)))
    return replace(base, facts=facts, sections=sections)


def _cells(graph: Graph, nodes: Sequence[int]) -> str:
    return ", ".join(spelt(graph.nodes[n]) for n in nodes)

"""Closed forms against profiles at other batches, widths, classes and input sizes."""

from __future__ import annotations

import re
from typing import Any

import pytest
from printed_formulas import evaluate

import archscope
from archscope import catalog
from archscope.core.records import Setting
from archscope.spec.compiler import networks
from archscope.studies.explaining.closed_forms import QUANTITIES, Forms, closed_forms

FIRST = [next(iter(networks(catalog.shipped_table(path)))) for path in catalog.table_files()]
"""A network of each table."""


def forms_of(network: str, block: str = "") -> Forms:
    spec = archscope.load(network)
    graph = archscope.lower(spec)
    nodes = [n for n, node in enumerate(graph.nodes) if not node.side and node.path.startswith(block)]
    return closed_forms(graph, spec, Setting(), nodes)


def side_of(forms: Forms, k: int) -> int:
    """The input's side for a k, as the term for k says it."""
    words = next((term.means for term in forms.terms if term.symbol == "k"), "")
    match = re.search(r"h = (\d+)·k(?: \+ (\d+))?", words)
    assert match is not None, words
    return int(match[1]) * k + int(match[2] or 0)


@pytest.mark.parametrize("network", FIRST)
def test_a_closed_form_gives_the_counts_of_other_points(network: str) -> None:
    forms = forms_of(network)
    here = {term.symbol: term.value for term in forms.terms}
    spec = archscope.load(network)
    points: list[dict[str, int]] = [{}, {"N": 3}, {"w": 2, "c": 7}, {"N": 2, "w": 3, "k": here.get("k", 0) + 2}]
    for point in points:
        values = here | {name: value for name, value in point.items() if name in here}
        changes: dict[str, Any] = {}
        if "w" in values:
            changes["width"] = values["w"]
        if "c" in values:
            changes["num_classes"] = values["c"]
        if "k" in values:
            changes["input_size"] = (side_of(forms, values["k"]),) * 2
        profile = archscope.profile(spec, values.get("N", 1), **changes)
        for step in forms.steps:
            assert evaluate(step.symbols, values) == profile.totals[step.quantity].value, (point, step)
    assert [step.quantity for step in forms.steps] == list(QUANTITIES)
    assert not any(word in step.symbols for step in forms.steps for word in ("piecewise", "max", "min"))


def test_vgg16_and_what_its_fc_layers_cost_at_larger_inputs() -> None:
    forms = forms_of("vgg16")
    assert forms.steps[0].symbols == "2,097,152·w·k² + 14,708,736·w² + 5,952·w + 4,097·c + 16,785,408"
    assert forms.steps[1].symbols == "N·(311,427,072·w²·k² + 3,866,624·w·k² + 4,096·c + 16,777,216)"
    assert {term.symbol: term.value for term in forms.terms} == {"N": 1, "w": 1, "c": 1000, "k": 7}
    assert "for h = 32·k strides divide every size" in forms.notes[0]
    assert "32 pieces" in forms.notes[0]


def test_a_block_alone() -> None:
    forms = forms_of("googlenet", "inception3a")
    assert [step.symbols for step in forms.steps] == ["163,328·w² + 368·w", "2,613,248·N·w²·k²", "13,056·N·w·k²"]
    assert forms.terms[-1].means == "for the input's side h = 32·k, from k = 7 on"


def test_a_size_that_is_rounded_anywhere_is_said_to_make_it_piecewise() -> None:
    forms = forms_of("inception_v3")
    assert "⌊k/8 − 9/8⌋" in forms.steps[0].symbols
    assert forms.notes[-1] == "piecewise, since a size is rounded down: params, macs, activations"


def test_knobs_that_a_network_has_not_are_said_to_be_missing() -> None:
    forms = forms_of("lenet5")
    assert [term.symbol for term in forms.terms] == ["N", "k"]
    assert forms.notes[0].startswith("no w: the connection table of lenet5 fixes its numbers of channels")
    assert forms.notes[1].startswith("no c: lenet5 ends in features")


def test_a_graph_without_a_spec_has_its_batch_and_side() -> None:
    graph = archscope.lower("vgg11")
    forms = closed_forms(graph, None, Setting(), range(len(graph.nodes)))
    assert [term.symbol for term in forms.terms] == ["N", "k"]
    larger = archscope.profile("vgg11", 4, input_size=(256, 256))
    for step in forms.steps:
        assert evaluate(step.symbols, {"N": 4, "k": 8}) == larger.totals[step.quantity].value


def test_an_input_that_is_no_square_stays_as_it_is() -> None:
    spec = archscope.load("vgg11", input_size=(224, 320))
    graph = archscope.lower(spec)
    forms = closed_forms(graph, spec, Setting(), range(len(graph.nodes)))
    assert "k" not in {term.symbol for term in forms.terms}
    assert forms.notes == ("the input's size is fixed: the input is no square",)

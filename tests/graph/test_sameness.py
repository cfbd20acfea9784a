"""Where two graphs part is told in words, at the first thing in which they differ."""

from __future__ import annotations

from dataclasses import replace

import archscope
from archscope.graph.sameness import parting

CELLS = ["conv3-4", "relu", {"join": "add", "branches": [["conv1-4"], ["conv3-4"]]}, "FC-2"]


def lowered(cells: list, batch: int = 1):
    return archscope.lower(archscope.load(cells, input=(3, 8, 8)), batch)


def test_a_graph_parts_from_itself_nowhere():
    assert parting(lowered(CELLS), lowered(CELLS)) == ""


def test_another_op_is_named_with_its_place():
    found = parting(lowered(CELLS), lowered(["conv3-4", "relu", CELLS[2], "FC-3"]))
    assert found.startswith("3 (3, FC(out_features=2, bias=True), of (")
    assert " and 3 (3, FC(out_features=3, bias=True), of (" in found


def test_what_only_one_has_is_told_from_nothing():
    one = lowered(CELLS)
    assert parting(one, replace(one, nodes=one.nodes[:-1])).endswith(") and nothing")
    assert parting(replace(one, nodes=one.nodes[:-1]), one).startswith("nothing and 3 (")
    assert (
        parting(one, replace(one, scopes=one.scopes[:-1])) == f"the block {one.scopes[-1].path!r} and the block nothing"
    )


def test_other_sizes_and_changes_are_told():
    one = lowered(CELLS)
    assert parting(one, lowered(CELLS, 2)).startswith("tensors: Tensor(shape=(1, 3, 8, 8)")
    assert parting(one, replace(one, changes=("wider",))) == "changes: () and ('wider',)"
    renamed = (one.parameters[0]._replace(key="conv.w"), *one.parameters[1:])
    assert parting(one, replace(one, parameters=renamed)).startswith("parameters: Parameter(key='")


def test_the_place_of_a_cell_makes_no_difference():
    one = lowered(CELLS)
    moved = tuple(node._replace(span=None, text="") for node in one.nodes)
    assert parting(one, replace(one, nodes=moved)) == ""

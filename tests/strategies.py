"""What hypothesis makes up, for tests of several folders: ops, cells, expressions, small networks."""

from __future__ import annotations

import string
from dataclasses import MISSING, fields
from typing import Any

from hypothesis import strategies as st

from archscope.core.expression import Name, Operation
from archscope.ops import Op, everything
from archscope.spec.compiler import compile_items
from archscope.spec.naming import named
from archscope.spec.network import Block, Spec

NAMES = st.text(string.ascii_lowercase, min_size=1, max_size=3)

SIZES = st.integers(1, 999)

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "int": SIZES,
    "Natural": st.integers(0, 999),
    "Pair": SIZES | st.tuples(SIZES, SIZES),
    "Padding": st.integers(0, 99) | st.tuples(st.integers(0, 99), st.integers(0, 99)),
    "float": st.floats(0, 1),
    "bool": st.booleans(),
}
"""Values of a field, by its annotation."""


@st.composite
def ops(draw: st.DrawFn) -> Op:
    """Any op that a cell can spell, with any values that a cell can give it."""
    kind = draw(st.sampled_from([each for each in everything() if each.notation is not None]))
    values = {}
    for field in fields(kind):
        strategy = VALUES[str(field.type).removesuffix(" | None")]
        if field.type == "bool":  # nothing but a word can set it
            strategy = st.sampled_from([value for name, value in kind.words.values() if name == field.name])
        if field.default is MISSING or draw(st.booleans()):
            values[field.name] = draw(strategy)
    return kind(**values)


def expressions() -> st.SearchStrategy[Any]:
    """Arithmetic of numbers and names, as text reads."""
    leaves = st.integers(0, 99) | NAMES.map(Name)
    symbols = st.sampled_from(["+", "-", "*", "//", "%"])
    return st.recursive(leaves, lambda inner: st.builds(Operation, symbols, inner, inner), max_leaves=8)


KERNELS = st.sampled_from(["1", "3", "5", "1×3", "3×1"])

KEEPING = st.one_of(
    st.builds("conv{}-{}".format, KERNELS, st.sampled_from([2, 4, 6])),
    st.builds("conv3-{} groups=2".format, st.sampled_from([2, 4])),
    st.builds("conv3-{} no-bias dilation=2 padding=2".format, st.integers(1, 5)),
    st.sampled_from(["relu", "relu out-of-place", "batchnorm", "LRN", "tanh", "dropout 0.1", "maxpool3/1 same"]),
)
"""Cells that keep height and width, on an even number of channels."""

SHRINKING = st.sampled_from(["maxpool", "maxpool3/2 ceil", "avgpool2", "conv3-4/2", "conv2-6/2 valid"])


@st.composite
def parallel(draw: st.DrawFn, depth: int = 1) -> dict[str, Any]:
    """Branches that are concatenated, or added up: all end in as many channels."""
    inner = KEEPING if depth == 0 else KEEPING | parallel(depth - 1)
    last = f"conv1-{draw(st.sampled_from([2, 4]))}"
    ends = st.sampled_from([[last], [last, "relu"], [last, "tanh"]])
    branch = st.builds(list.__add__, st.lists(inner, max_size=2), ends)
    join = draw(st.sampled_from(["concat", "add"]))
    any_branch = branch | st.just([]) if join == "concat" else branch
    return {"join": join, "branches": draw(st.lists(any_branch, min_size=2, max_size=3))}


@st.composite
def specs(draw: st.DrawFn) -> Spec:
    """Small networks of chains, branches, pools and FC layers, that fit their input."""
    cells: list[Any] = [f"conv3-{draw(st.sampled_from([2, 4]))}"]
    for _ in range(draw(st.integers(0, 2))):
        cells += draw(st.lists(KEEPING | parallel(), max_size=3))
        cells.append(draw(SHRINKING))
    cells += draw(st.sampled_from([[], ["FC-3"], ["FC-7", "relu", "dropout", "FC-3"]]))
    shape = (2, draw(st.integers(12, 20)), draw(st.integers(12, 20)))
    return named(Spec("made_up", Block(compile_items(cells)), shape))

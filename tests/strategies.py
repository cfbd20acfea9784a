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


FURTHER = st.sampled_from([
    "relu6", "relu6 out-of-place", "sigmoid", "elu", "elu in-place", "gelu", "hardsigmoid", "hardswish", "softplus",
    "hardswish in-place", "leakyrelu", "leakyrelu in-place", "silu", "silu in-place", "times 0.5", "plus 0.5", "pad2",
    "slice0:2", "avgpool3/1 same", "groupnorm2", ["conv1-4", "prelu"],
])  # fmt: skip
"""More that keeps height and width: what memory depends on. Not mish: torch composes it where there are no data."""

HEADS = st.sampled_from([["adaptiveavgpool2", "FC-3"], ["conv1-2", "relu", "FC-8", "dropout", "FC-3"]])

ENDS = st.sampled_from([
    ["FC-3"], ["FC-7", "relu", "dropout", "FC-3"], ["adaptiveavgpool1", "FC-3"],
    ["adaptiveavgpool1", "dropout", "conv1-3", "adaptiveavgpool1", "flatten"],
])  # fmt: skip


@st.composite
def wired(draw: st.DrawFn, depth: int = 1) -> dict[str, Any]:
    """Branches, residuals, dense blocks, gates and scaled shortcuts, of layers and of each other."""
    inner = KEEPING | FURTHER if depth == 0 else KEEPING | FURTHER | wired(depth - 1)
    layers = draw(st.lists(inner, min_size=1, max_size=3))
    end = f"conv1-{draw(st.sampled_from([2, 4]))}"
    after = draw(st.sampled_from([[], ["relu"], ["batchnorm", "relu"]]))
    gate = ["adaptiveavgpool1", "conv1-2", "relu", "conv1-{in}", draw(st.sampled_from(["sigmoid", "tanh"]))]
    kinds: dict[str, dict[str, Any]] = {
        "parallel": draw(parallel(depth)),
        "dense": {"dense": True, "layers": [[each, end] for each in layers]},
        "gate": {"join": "mul", "branches": [[], gate]},
        "scaled": {"layers": [*layers, end, "times 0.2"], "skip": "add", "projection": [end], "after": after},
        "residual": {
            "layers": [*layers, end],
            "skip": draw(st.sampled_from(["add", "add out-of-place"])),
            "projection": [end],
            "project": draw(st.sampled_from(["always", "when shapes differ", "never"])),
            "after": after,
        },
    }
    return kinds[draw(st.sampled_from(list(kinds)))]


@st.composite
def memory_specs(draw: st.DrawFn) -> Spec:
    """Small networks of everything that memory depends on: every way to wire layers, and auxiliary heads."""
    items = [*compile_items([draw(st.sampled_from(["conv3-4", "plus 1", "relu out-of-place", "batchnorm"]))])]
    for number in range(draw(st.integers(1, 2))):
        items += compile_items(draw(st.lists(KEEPING | FURTHER | wired(), max_size=3)))
        if draw(st.integers(0, 3)) == 0:
            head, weight = compile_items(draw(HEADS)), draw(st.sampled_from([0.3, 1.0]))
            items.append(Block(head, name=f"aux{number}", kind="auxiliary head", side=True, loss_weight=weight))
        items += compile_items([draw(SHRINKING)])
    single = not any(isinstance(item, Block) and item.side for item in items)
    items += compile_items(draw(ENDS | st.just(["conv1-3"]) if single else ENDS))  # a class for each place
    shape = (2, draw(st.integers(12, 16)), draw(st.integers(12, 16)))
    return named(Spec("made_up", Block(tuple(items)), shape))

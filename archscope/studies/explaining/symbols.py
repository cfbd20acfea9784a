"""An op and its inputs with symbols in place of numbers, so that its own rules give formulas."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, NamedTuple

from archscope.core.arithmetic import Shape
from archscope.graph.graph import Graph, Node
from archscope.ops import Op
from archscope.ops.concat import Concat
from archscope.ops.fc import FC
from archscope.studies.explaining.formulas import Term, symbol

FIELDS = {
    "kernel_size": ("K", "side of the kernel"),
    "stride": ("S", "stride"),
    "padding": ("P", "padding at each border"),
    "dilation": ("D", "dilation"),
    "groups": ("G", "groups"),
    "out_channels": ("C′", "channels out"),
    "out_features": ("F′", "features out"),
    "output_size": ("O", "side that is asked for"),
    "channels": ("Z", "channels of zeros"),
}
"""The letters of an op's fields, and what they stand for. Fields that are not here keep their numbers."""

TRIVIAL = ("dilation", "groups")
"""Fields that leave no trace in a formula where they are 1, as they mostly are."""


class Symbolic(NamedTuple):
    """An op on inputs, both with symbols, and the symbols' terms by name."""

    op: Op
    shapes: tuple[Shape, ...]
    terms: dict[str, Term]

    @property
    def values(self) -> dict[str, int]:
        """The number of each symbol."""
        return {name: term.value for name, term in self.terms.items()}


def symbolic(graph: Graph, node: Node) -> Symbolic:
    """A node's op and inputs with symbols. A batch of one example leaves no trace."""
    terms: dict[str, Term] = {}
    shapes = _shapes(graph.shapes_in(node), node.op, terms)
    given = _numbers(node.op)
    changes = {name: _of_field(name, value, terms) for name, value in given.items()}
    return Symbolic(replace(node.op, **changes), shapes, terms)


def _numbers(op: Op) -> dict[str, Any]:
    """The op's numbers by field; what it leaves to its window is spelled out."""
    window = op.window
    own = {each.name: getattr(op, each.name) for each in fields(op) if each.name in FIELDS}
    return {name: value if window is None else getattr(window, name, value) for name, value in own.items()}


def _of_field(name: str, value: Any, terms: dict[str, Term]) -> Any:
    """The symbol for a field: one for both axes where they agree, and none for what is trivial."""
    letter, means = FIELDS[name]
    if name in TRIVIAL and value in {1, (1, 1)}:
        return value
    if not isinstance(value, tuple):
        return _term(letter, value, means, terms)
    return _per_axis(letter, value, means, terms)


def _per_axis(letter: str, sizes: tuple[int, ...], means: str, terms: dict[str, Term]) -> tuple[Any, ...]:
    if len(set(sizes)) == 1:
        return (_term(letter, sizes[0], means, terms),) * len(sizes)
    named = zip(_axes(len(sizes)), sizes, strict=True)
    return tuple(_term(f"{letter}_{axis[0]}", size, _along(means, axis), terms) for axis, size in named)


def _along(means: str, axis: str) -> str:
    return means.replace("side", axis) if "side" in means else f"{means}, {axis}"


def _axes(count: int) -> tuple[str, ...]:
    """What axes are called; the letters behind a symbol are their first."""
    return ("height", "width") if count == 2 else tuple(f"{number}. axis" for number in range(1, count + 1))


def _term(name: str, value: int, means: str, terms: dict[str, Term]) -> Any:
    terms[name] = Term(name, value, means)
    return symbol(name)


def _shapes(shapes: tuple[Shape, ...], op: Op, terms: dict[str, Term]) -> tuple[Shape, ...]:
    """The input shapes with symbols. What is concatenated has channels of its own in each input."""
    if not shapes:
        return ()
    apart = isinstance(op, Concat)
    if isinstance(op, FC) and len(shapes[0]) > 2:
        return (_of_positions(shapes[0], terms),)
    first = _shape(shapes[0], f"C{lowered(1)}" if apart and len(shapes) > 1 else "C", terms)
    found = [first]
    for number, shape in enumerate(shapes[1:], 2):
        if len(shape) != len(first):
            found.append(shape)
            continue
        both = zip(first, shapes[0], shape, strict=True)
        same = [mine if mine_size == size else size for mine, mine_size, size in both]
        if apart:
            same[1] = _term(f"C{lowered(number)}", shape[1], f"channels of input {number}", terms)
        found.append(tuple(same))
    return tuple(found)


def _shape(shape: Shape, channels: str, terms: dict[str, Term]) -> Shape:
    batch, *sizes = shape
    first: Any = 1 if batch == 1 else _term("N", batch, "examples", terms)
    if len(sizes) == 1:
        return (first, _term("F", sizes[0], "features in", terms))
    means = "channels in" if channels == "C" else "channels of input 1"
    axes = _per_axis("M", tuple(sizes[1:]), "side of the input", terms)
    return (first, _term(channels, sizes[0], means, terms), *axes)


def _of_positions(shape: Shape, terms: dict[str, Term]) -> Shape:
    """A vector for each of several positions: tokens of a sequence."""
    batch, *positions, features = shape
    first: Any = 1 if batch == 1 else _term("N", batch, "examples", terms)
    each = _per_axis("T", tuple(positions), "positions", terms)
    return (first, *each, _term("F", features, "features in", terms))


def lowered(number: int) -> str:
    """A number as it stands behind a letter."""
    return str(number).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))

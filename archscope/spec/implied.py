"""What a table leaves out because its text says it once: "all hidden layers are equipped with the rectification".

``[implied]`` names, by op, what comes with each such layer: a list (``conv = ["relu"]``: it follows) or a table
(``conv = {conv = "{cell}", relu = "relu"}``: a block with these named children). ``{cell}`` is the layer itself. The
layer that says the classes is not hidden: nothing follows it unless ``classifier`` says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from archscope.core.errors import ArchscopeError, Problem, TableError, located, nearest
from archscope.core.source import Span
from archscope.ops import Op, find, letters, named
from archscope.spec.network import Block, Item, Layer, classifiers, mapped
from archscope.spec.notation import read, write

_CELL = "{cell}"
_CLASSIFIER = "classifier"
_MOST = 10
"""Layers that come with one: more is no table of a paper, and multiplies with all layers that there are."""


def with_implied(
    root: Block,
    implied: Mapping[str, Any],
    extra: Iterable[type[Op]] = (),
    where: Callable[[str], Span | None] = lambda _: None,
) -> Block:
    """The network with what its table implies written out. ``where`` says where a key of it stands, for errors."""
    for key in implied:
        if key != _CLASSIFIER and find(letters(key), extra) is None:
            raise TableError(Problem("unknown-op", f"no op is called {key!r}", where(key), help=nearest(key, named())))
    keys = {letters(key): key for key in implied}
    rules = {letters(key): value for key, value in implied.items()}
    heads = {id(layer) for layer in classifiers(root)}

    def expand(layer: Layer) -> tuple[Item, ...]:
        key = _CLASSIFIER if id(layer) in heads else letters(layer.op.notation or "")
        rule = rules.get(key) if layer.follows is None else list(layer.follows)
        if rule is None:
            return (layer,)
        try:
            if len(rule) > _MOST:
                raise TableError(Problem("too-many-items", f"{len(rule)} layers come with one; at most {_MOST} may"))
            return _expanded(layer, rule, extra)
        except ArchscopeError as error:
            raise located(error, where(keys[key]) if layer.follows is None else layer.span) from error

    return mapped(root, expand)


def _expanded(layer: Layer, rule: Any, extra: Iterable[type[Op]]) -> tuple[Item, ...]:
    if isinstance(rule, Mapping):
        children = tuple(_part(layer, cell, extra)._replace(name=name) for name, cell in rule.items())
        return (Block(children, name=layer.name, kind=letters(layer.op.notation or ""), span=layer.span),)
    cells = rule if any(_CELL in cell for cell in rule) else [_CELL, *rule]
    return tuple(_part(layer, cell, extra) for cell in cells)


def _part(layer: Layer, cell: str, extra: Iterable[type[Op]]) -> Layer:
    if cell == _CELL:
        return layer
    if _CELL in cell:
        return layer._replace(op=read(cell.replace(_CELL, write(layer.op)), extra))
    return Layer(read(cell, extra), text=cell, span=layer.span)

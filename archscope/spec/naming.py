"""Gives every layer and block its name (``conv3_2``) and the attribute it has in the built module (``features.12``)."""

from __future__ import annotations

import keyword
import re
from dataclasses import replace
from string import ascii_letters

from archscope.core.errors import Problem, TableError, located
from archscope.core.source import Span
from archscope.ops import letters
from archscope.spec.network import Block, Item, Layer, Spec
from archscope.spec.notation import ends_stage
from archscope.spec.template import fill

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*|[0-9]+")


def named(spec: Spec) -> Spec:
    """The spec with all names given.

    ``[names]`` says by op how layers are called, with the counters {stage} (1, and one more after each pool and FC
    layer), {i} (weight layers within the stage), {layer} (weight layers so far), {n} (of this op in this block) and
    {of} (the number in the name of the last weight layer, ``1_2`` of ``conv1_2``). Raises TableError for two parts of
    a block with one name, and for a name that is no identifier.
    """
    patterns = {letters(op): name for op, name in spec.names.items() if letters(op) == op.replace("-", "").lower()}
    items = _named_items(spec.root, spec.root.numbered, patterns, _Counters(), _Local())
    return replace(spec, root=spec.root._replace(items=items))


class _Counters:
    """What is counted over the whole network."""

    stage = 1
    i = 0
    layer = 0
    of = ""
    stage_closed = False

    def pass_over(self, layer: Layer) -> None:
        """Counts a layer before it is named. A stage ends with its pool or FC layer: what follows opens the next."""
        weighted = layer.op.weight_layer
        if weighted and self.stage_closed:
            self.stage, self.i, self.stage_closed = self.stage + 1, 0, False
        if weighted:
            self.i, self.layer = self.i + 1, self.layer + 1
        if layer.op.rank == 2 or ends_stage(layer.op):
            self.stage_closed = True


class _Local:
    """What is counted within one block, and the names already given there."""

    def __init__(self) -> None:
        self.ops: dict[str, int] = {}
        self.names: set[str] = set()
        self.index = 0


def _named_items(
    block: Block, numbered: bool, patterns: dict[str, str], counters: _Counters, local: _Local
) -> tuple[Item, ...]:
    """The items of a block with their names; those of an inline block are named as its parent's."""
    items: list[Item] = []
    for item in block.items:
        if isinstance(item, Block) and item.inline:
            items.append(item._replace(items=_named_items(item, numbered, patterns, counters, local)))
            continue
        index, local.index = local.index, local.index + 1
        if isinstance(item, Layer):
            counters.pass_over(item)
        name = item.name or _pattern_name(item, patterns, counters, local) or str(index)
        if isinstance(item, Layer) and item.op.weight_layer:
            counters.of = name.lstrip(ascii_letters)
        module = str(index) if numbered else name
        _check(item, module, name, local)
        if isinstance(item, Layer):
            items.append(item._replace(name=name, module=module))
        else:
            inner = _named_items(item, item.numbered, patterns, counters, _Local())
            items.append(item._replace(name=name, module=module, items=inner))
    return tuple(items)


def _pattern_name(item: Item, patterns: dict[str, str], counters: _Counters, local: _Local) -> str:
    if isinstance(item, Block):
        return ""
    op = letters(item.op.notation or type(item.op).__name__)
    local.ops[op] = local.ops.get(op, 0) + 1
    pattern = patterns.get(op)
    if pattern is None:
        return ""
    values = {"stage": counters.stage, "i": counters.i, "layer": counters.layer, "n": local.ops[op], "of": counters.of}
    try:
        return fill(pattern, {key: str(value) for key, value in values.items()})
    except TableError as error:
        raise located(error, item.span) from error


def _check(item: Item, module: str, name: str, local: _Local) -> None:
    if _IDENTIFIER.fullmatch(module) is None or keyword.iskeyword(module):
        raise TableError(
            Problem("bad-name", f"{module!r} cannot name a part of a module", _span(item), "letters, digits, _")
        )
    if name in local.names:
        raise TableError(Problem("duplicate-name", f"two parts of one block are called {name!r}", _span(item)))
    local.names.add(name)


def _span(item: Item) -> Span | None:
    """Where an item stands: a section and a side branch where the first of their layers does."""
    if item.span is not None or isinstance(item, Layer):
        return item.span
    return next((span for span in map(_span, item.items) if span is not None), None)

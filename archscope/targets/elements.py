"""Items as the values of a table file: cells for layers, and for blocks definitions under ``[notation]``.

A definition has a placeholder for each number that differs between its uses: ``inception {a}, {b}`` for all nine
modules of GoogLeNet.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Sequence
from string import ascii_lowercase
from typing import Any, NamedTuple

from archscope import ops
from archscope.core.errors import Problem, TableError, Unsupported, located
from archscope.ops import letters
from archscope.spec.network import Block, Item, Layer, layers_of
from archscope.spec.notation import write

_NUMBER = re.compile(r"(\{[^{}]*\}|(?<![\w×-])[a-z_]\w*(?=[ ;]|$))|\d+(?:\.\d+)?(?:e-?\d+)?")
"""A number of a cell; before it what is none: an expression of sizes, and a word."""

_NAMED = re.compile(r"([\w{}]+: )?(.*)", re.DOTALL)
_COUNTED = re.compile(r"([A-Za-z_]+)(\d+): (.*)", re.DOTALL)

REPEAT = "{n}× {block}"
"""How a cell says that what follows stands there several times."""

NAMES = [letter for letter in ascii_lowercase if letter != "n"]
NAMES += [f"{letter}{number}" for number in range(1, 40) for letter in NAMES]


class Definition(NamedTuple):
    """What a cell of ``template`` stands for."""

    template: str
    value: Any


class Elements:
    """The cells of a network's blocks, and the definitions that they need.

    Raises Unsupported for what no cell and no block can say.
    """

    def __init__(self, root: Block) -> None:
        self.cells: dict[int, str] = {}
        self.definitions: dict[str, Definition] = {}
        self.taken: set[str] = set()
        by_height: dict[int, list[Block]] = {}
        for block in _blocks(root):
            by_height.setdefault(_height(block), []).append(block)
        for height in sorted(by_height):
            self._define([block for block in by_height[height] if not self.is_list(block)])

    def cell(self, item: Item) -> str:
        """The text that stands for an item, its name aside."""
        if isinstance(item, Layer) and item.shrinks:
            return _written(item)
        if isinstance(item, Block) and id(item) not in self.cells:
            if not self.is_list(item):
                raise _unwritable(item)
            return "; ".join(map(str, runs(self.all(item.items))))
        return self.cells[id(item)]

    def all(self, items: Sequence[Item]) -> list[Any]:
        """The elements of a list of items: texts, and blocks that no name is given to."""
        return [self.element(item) for item in items]

    def element(self, item: Item) -> Any:
        """An item in a list: its name and its cell; what is no module of its own as it stands."""
        if isinstance(item, Layer) and not item.shrinks:
            return {"layers": [_prefixed(item.name, _written(item))], "shrinks": False}
        if isinstance(item, Block) and item.inline:
            return self.value(item)
        return _prefixed(item.name, self.cell(item))

    def value(self, block: Block) -> dict[str, Any]:
        """What a block is made of, as the value of ``[[blocks]]`` or ``[notation]``."""
        kind = {"kind": block.kind} if block.kind else {}
        if block.section or block.side or block.when == "shapes differ":
            raise _unwritable(block)
        residual = self._residual(block)
        if residual is not None:
            return {**kind, **residual}
        if block.when:
            raise _unwritable(block)
        if block.wiring == "dense":
            return {**kind, "dense": True, "layers": runs(self.all(block.items))}
        if block.join is None:
            numbered = {"numbered": True} if block.numbered else {}
            return {**kind, "module": True, **numbered, "layers": runs(self.all(block.items))}
        inline = {"module": False} if block.inline else {}
        if not block.inline and any(isinstance(each, Block) and each.inline for each in block.items):
            return {**kind, "module": True, "layers": [self.value(block._replace(inline=True, kind=""))]}
        branches = [self._branch(branch, number) for number, branch in enumerate(block.items, 1)]
        return {**kind, "join": write(block.join), **inline, "branches": branches}

    def _branch(self, branch: Item, number: int) -> list[Any]:
        usual = branch.name == f"branch{number}"
        if isinstance(branch, Block) and branch.inline and branch.join is None:
            return runs(self.all(branch.items))
        if isinstance(branch, Block) and usual and self.is_list(branch):
            return runs(self.all(branch.items))
        return [self.element(branch._replace(name="") if usual and isinstance(branch, Layer) else branch)]

    def _residual(self, block: Block) -> dict[str, Any] | None:
        """A block with a way around its layers; None for any other."""
        joined = block.items[0] if block.items else None
        if block.join is not None or block.numbered or not isinstance(joined, Block) or not joined.inline:
            return None
        if joined.join is None or len(joined.items) not in {2, 3}:
            return None
        main, around, *passed = joined.items
        plain = isinstance(main, Block) and (main.inline or main.numbered) and main.join is None and not main.wiring
        if not plain or not isinstance(around, Block) or not (joined.when or around.when):
            return None
        assert isinstance(main, Block)  # noqa: S101  plain says so
        value: dict[str, Any] = {"layers": self.all(main.items), "skip": write(joined.join)}
        value |= {} if main.inline else {"main": main.name}
        if around.when:
            value |= {"project": "when shapes differ", "projection": self.all(around.items), "shortcut": around.name}
        elif around.items:
            return None
        for each in passed:
            if not isinstance(each, Block) or each.when != "joined":
                return None
            value |= {"joined": self.all(each.items)}
        return value | ({"after": self.all(block.items[1:])} if len(block.items) > 1 else {})

    def is_list(self, block: Block) -> bool:
        """Whether a block is no more than its items one after another, none of which has a name to say."""
        plain = not (block.kind or block.wiring or block.when or block.section or block.side or block.inline)
        return (
            plain
            and block.join is None
            and block.numbered
            and len(block.items) > 1
            and all(not item.name and not (isinstance(item, Block) and item.inline) for item in block.items)
            and all(layer.shrinks for layer in block.items if isinstance(layer, Layer))
        )

    def _define(self, blocks: list[Block]) -> None:
        """Gives blocks of one height their cells; those that differ in numbers alone share a definition."""
        groups: dict[tuple[str, str], list[tuple[Block, Any, list[str]]]] = {}
        for block in blocks:
            value = self.value(block)
            numbers: list[str] = []
            outline = json.dumps(_abstract(value, numbers, []))
            groups.setdefault((_base(block), outline), []).append((block, value, numbers))
        for (base, _), uses in groups.items():
            name = self._free(base)
            columns = list(zip(*(numbers for _, _, numbers in uses), strict=True))
            differing = list(dict.fromkeys(column for column in columns if len(set(column)) > 1))
            letter = dict(zip(differing, NAMES, strict=False))
            written = [f"{{{letter[column]}}}" if column in letter else column[0] for column in columns]
            template = f"{name} {', '.join(f'{{{each}}}' for each in letter.values())}".strip()
            self.definitions[name] = Definition(template, _abstract(uses[0][1], [], written))
            for position, (block, _, _) in enumerate(uses):
                self.cells[id(block)] = f"{name} {', '.join(column[position] for column in differing)}".strip()

    def _free(self, base: str) -> str:
        known = ops.named()
        for number in itertools.count(1):
            name = base if number == 1 else f"{base}_{number}"
            if name not in self.taken and name not in known:
                self.taken.add(name)
                return name
        raise AssertionError

    def needed(self, texts: Sequence[str]) -> list[Definition]:
        """The definitions that some cells need, and those that these need, in the order of their first use."""
        found: dict[str, Definition] = {}
        waiting = [name for text in texts for name in _mentioned(text)]
        while waiting:
            name = waiting.pop(0)
            if name in self.definitions and name not in found:
                found[name] = self.definitions[name]
                waiting += [each for text in _texts(self.definitions[name].value) for each in _mentioned(text)]
        return list(found.values())


def runs(elements: Sequence[Any]) -> list[Any]:
    """Elements with several equal ones without a name in a row as one text: ``3× conv3-64``.

    Those whose names count from 1 on are a block that is repeated.
    """
    found: list[Any] = []
    for element, group in itertools.groupby(_counted(elements)):
        times = len(list(group))
        alone = times == 1 or not isinstance(element, str) or ": " in element or ";" in element
        found += [element] * times if alone else [f"{times}× {element}"]
    return found


def _counted(elements: Sequence[Any]) -> list[Any]:
    found: list[Any] = []
    turns: list[str] = []
    for element in elements:
        match = _COUNTED.fullmatch(element) if isinstance(element, str) else None
        turn = f"{match[1]}{{turn}}: {match[3]}" if match is not None else ""
        number = int(match[2]) if match is not None else 0
        if turn and number == (len(turns) + 1 if turns and turns[-1] == turn else 1):
            turns = [*turns, turn] if number > 1 else [turn]
        else:
            turns = []
        if len(turns) > 2:
            found[-2 if len(turns) == 3 else -1 :] = [{"repeat": str(len(turns)), "layers": [turn]}]
        else:
            found.append(element)
    return found


def _prefixed(name: str, cell: str) -> str:
    return f"{name}: {cell}" if name else cell


def _written(layer: Layer) -> str:
    try:
        return write(layer.op)
    except TableError as error:
        message = f"{layer.name or layer.text!r} is {layer.op.label}, and no cell can say that"
        raise located(Unsupported(Problem("no-notation", message)), layer.span) from error


def _unwritable(block: Block) -> Unsupported:
    message = f"{block.name or block.kind!r} is wired in a way that no block of a table can say"
    return Unsupported(Problem("unwritable-block", message, block.span))


def _blocks(block: Block) -> Iterator[Block]:
    """The blocks within one that are modules of their own, auxiliary heads and sections aside, whose parts they are."""
    for item in block.items:
        if isinstance(item, Block):
            yield from _blocks(item)
            if not (item.inline or item.section or item.side or item.when):
                yield item


def _height(item: Item) -> int:
    if isinstance(item, Layer):
        return 0
    return max(map(_height, item.items), default=0) + (not item.inline)


def _base(block: Block) -> str:
    """What a definition is called: a block's kind; the ops in it where an op bears that name."""
    own = re.sub(r"\W+", "_", block.kind.lower()).strip("_")
    if own and own not in ops.named():
        return own
    inside = dict.fromkeys(letters(layer.op.notation or "") for layer in layers_of(block))
    return "_".join(list(inside)[:4]) if len(inside) > 1 else f"{own or 'block'}_block"


def _abstract(value: Any, numbers: list[str], written: list[str]) -> Any:
    """A value with ``#`` for each number in its cells, which is noted; or with what is ``written`` for them."""
    texts = iter(written)

    def number(match: re.Match[str]) -> str:
        if match[1]:
            return match[1]
        numbers.append(match[0])
        return next(texts) if written else "#"

    def walk(each: Any) -> Any:
        if isinstance(each, str):
            found = _NAMED.fullmatch(each)
            assert found is not None  # noqa: S101  the pattern takes any text
            return (found[1] or "") + _NUMBER.sub(number, found[2])
        if isinstance(each, list):
            return [walk(one) for one in each]
        if isinstance(each, dict):
            return {key: walk(one) if key in _CELLS else one for key, one in each.items()}
        return each

    return walk(value)


_CELLS = ("layers", "branches", "projection", "after", "repeat")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, dict):
        for key in _CELLS:
            yield from _texts(value.get(key, []))


def _mentioned(text: str) -> Iterator[str]:
    for part in text.split(";"):
        own = re.sub(r"^\s*(?:[\w{}]+: )?(?:\S+× )?", "", part)
        yield own.split(" ")[0]

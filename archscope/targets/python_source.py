"""Graph -> a Python module file of its own, as one would write it by hand: it needs nothing but torch.

The forwards are the text that the module target compiles (:mod:`archscope.targets.forward`).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from archscope.core.arithmetic import product
from archscope.core.errors import printable
from archscope.graph.graph import Graph
from archscope.targets.blueprints import Blueprint, blueprints
from archscope.targets.forward import literal, output_fields
from archscope.targets.pieces import USUAL, Piece, piece_of
from archscope.targets.wrapping import WIDTH, wrapped

_NUMBER = re.compile(r"(?<![\w.])\d+(?![\w.])")


class _Made(NamedTuple):
    """A part of a module while it is written: its attribute, how it is made, and its numbers. items: of a chain."""

    attribute: str
    source: str
    shape: tuple[int, ...]
    params: int
    items: tuple[Any, ...] = ()


def python_source(graph: Graph, origin: str, version: str) -> str:
    """The network as a Python file: its state dict has the keys of the built module, and its outputs are equal.

    origin: the table that it comes from, as the head comment says it. version: archscope's. Raises Unsupported for an
    op that torch has no module or function for, for a parameter that two modules share, and for names that cannot be
    attributes.
    """
    root = piece_of(graph)
    writer = _Writer(blueprints(root))
    classes = [text for blueprint in writer.known.values() for text in ("", "", *writer.class_lines(blueprint))]
    fields = output_fields(graph)
    if fields:
        own = ["", "", f"class {root.made}Outputs(NamedTuple):", *(f"    {name}: torch.Tensor" for name in fields)]
        classes = own + classes
    body = "\n".join(classes)
    stdlib = ["import operator"] if re.search(r"\boperator\.", body) else []
    stdlib += ["from typing import NamedTuple"] if fields else []
    torch = ["import torch"] if re.search(r"\btorch\.", body) else []
    head = "\n\n".join("\n".join(group) for group in (stdlib, [*torch, "from torch import nn"]) if group)
    return f"{_docstring(graph, origin, version)}\n\n{head}\n{body}\n"


def _docstring(graph: Graph, origin: str, version: str) -> str:
    shape = _times(graph.tensors[graph.inputs[0]].shape[1:])
    params = sum(product(parameter.shape) for parameter in graph.parameters)
    changed = f"Changed from the paper: {', '.join(graph.changes)}." if graph.changes else ""
    side = ", auxiliary heads included" if output_fields(graph) else ""
    text = [
        f"{graph.name}: {graph.title}." if graph.title else f"{graph.name}.",
        "",
        *_filled(f"From {origin}; written by archscope {version}." if origin else f"Written by archscope {version}."),
        *_filled(changed),
        *_filled(f"Takes N×{shape}, and returns logits. {params:,} params{side}."),
        *_filled("Comments give the output's shape without the batch (channels×height×width), and params."),
    ]
    text[0] = text[0] if len(text[0]) <= WIDTH - 3 else text[0][: WIDTH - 4] + "…"
    plain = printable("\n".join(text)).replace("\\", "/").replace('"""', "'''")
    return f'"""{plain}\n"""'


def _filled(text: str) -> list[str]:
    """Text in lines that are not too long."""
    lines: list[str] = []
    for word in text.split():
        if lines and len(lines[-1]) + len(word) < WIDTH:
            lines[-1] += f" {word}"
        else:
            lines.append(word[:WIDTH])
    return lines


@dataclass(slots=True)
class _Writer:
    known: dict[Any, Blueprint]

    def class_lines(self, blueprint: Blueprint) -> list[str]:
        """A class: its constructor and its forward."""
        piece = blueprint.uses[0]
        takes = "".join(
            f", {each.name}: {each.annotation}{f' = {literal(each.default)}' if each.has_default else ''}"
            for each in blueprint.arguments
        )
        base = "nn.Sequential" if piece.is_chain else "nn.Module"
        forward = [text for line in piece.forward for text in _indented(line)]
        if not piece.children and not piece.values:
            return [f"class {blueprint.name}({base}):", *forward]
        lines = [f"class {blueprint.name}({base}):", *wrapped(f"def __init__(self{takes}) -> None:", 4)]
        written = iter(blueprint.written)
        values = [f"        self.{name} = {next(written)}" for name in piece.values]
        parts = [self.made(attribute, child, written) for attribute, child in piece.children]
        lines += ["        super().__init__()", *values, *_assignments(parts, own=len(blueprint.uses) == 1)]
        return [*lines, "", *forward] if forward else lines

    def made(self, attribute: str, piece: Piece, written: Iterator[str]) -> _Made:
        """How a part is made; takes the source of its values in their order."""
        if piece.plain:
            items = tuple(self.made(name, child, written) for name, child in piece.children)
            source = f"nn.Sequential({', '.join(item.source for item in items)})"
            return _Made(attribute, source, piece.shape, piece.params, items)
        if piece.has_class:
            blueprint = self.known[piece.key]
            given = [(each.name, each.default, each.has_default, next(written)) for each in blueprint.arguments]
            texts = [
                f"{name}={text}" if has_default else text
                for name, default, has_default, text in given
                if not has_default or text != literal(default)
            ]
            return _Made(attribute, f"{blueprint.name}({', '.join(texts)})", piece.shape, piece.params)
        usual = USUAL.get(piece.made, {})
        texts = []
        for position, name in enumerate(piece.values):
            text = next(written)
            if position < piece.positions:
                texts.append(text)
            elif name not in usual or text != literal(usual[name]):
                texts.append(f"{name}={text}")
        return _Made(attribute, f"{piece.made}({', '.join(texts)})", piece.shape, piece.params)


def _assignments(parts: list[_Made], *, own: bool) -> list[str]:
    """``self.conv1 = nn.Conv2d(...)`` for each part; a run of numbered ones is a loop."""
    lines: list[str] = []
    for run in _runs(parts, loops=True):
        first = run[0]
        if len(run) > 1:
            lines += _loop(run, _comment(run) if own else "")
        elif first.attribute.isdigit():
            lines += _expression(f'self.add_module("{first.attribute}", ', first, ")", 8, own=own)
        else:
            lines += _expression(f"self.{first.attribute} = ", first, "", 8, own=own)
    return lines


def _expression(before: str, made: _Made, after: str, indent: int, *, own: bool) -> list[str]:
    """A part between what stands before and after it; a chain with each of its items on a line of its own."""
    flat = f"{before}{made.source}{after}"
    if not made.items:
        return wrapped(flat, indent, _comment([made]) if own else "")
    if not own and indent + len(flat) <= WIDTH and len(made.items) < 4:
        return [" " * indent + flat]
    lines = [f"{' ' * indent}{before}nn.Sequential("]
    for run in _runs(list(made.items), loops=False):
        if len(run) > 1:
            lines += wrapped(
                f"*({run[0].source} for _ in range({len(run)})),", indent + 4, _comment(run) if own else ""
            )
        else:
            lines += _expression("", run[0], ",", indent + 4, own=own)
    return [*lines, f"{' ' * indent}){after}"]


def _runs(parts: list[_Made], *, loops: bool) -> list[list[_Made]]:
    """Parts that follow each other and differ in evenly growing numbers only, together."""
    runs: list[list[_Made]] = []
    for part in parts:
        if runs and _continues(runs[-1], part, loops=loops):
            runs[-1].append(part)
        else:
            runs.append([part])
    return [piece for run in runs for piece in ([run] if len(run) > (2 if loops else 1) else [[each] for each in run])]


def _continues(run: list[_Made], part: _Made, *, loops: bool) -> bool:
    """Whether a part goes on as a run does: equal in a chain, by attributes with the next number in a loop."""
    if not loops:
        return part.source == run[0].source
    last = [*run[-2:], part]
    numbers = [[int(number) for number in _NUMBER.findall(each.source)] for each in last]
    steps = [[b - a for a, b in zip(one, other, strict=False)] for one, other in itertools.pairwise(numbers)]
    head, start = _counted(run[0].attribute)
    return (
        len({_NUMBER.sub("#", each.source) for each in last}) == 1
        and part.attribute == f"{head}{start + len(run)}"
        and all(step == steps[0] for step in steps)
    )


def _counted(attribute: str) -> tuple[str, int]:
    """The letters and the number of an attribute; -1 where it has none.

    >>> _counted("denselayer12")
    ('denselayer', 12)
    """
    head = attribute.rstrip("0123456789")
    return head, int(attribute[len(head) :] or -1)


def _loop(run: list[_Made], comment: str) -> list[str]:
    head, start = _counted(run[0].attribute)
    name = f'f"{head}{{number}}"' if head else "str(number)"
    lines = wrapped(f"for number in range({start}, {start + len(run)}):", 8, comment)
    return [*lines, *wrapped(f"self.add_module({name}, {_growing(run, start)})", 12)]


def _growing(run: list[_Made], start: int) -> str:
    """The source of a run's parts, with ``number`` for what counts up from ``start``."""
    steps = iter([int(b) - int(a) for a, b in zip(*(_NUMBER.findall(each.source) for each in run[:2]), strict=True)])
    return _NUMBER.sub(lambda match: _term(int(match.group()), next(steps), start), run[0].source)


def _term(value: int, step: int, start: int) -> str:
    rest = value - step * start
    if step == 0:
        return str(value)
    factor = "number" if step == 1 else f"{step} * number"
    return f"{rest} + {factor}" if rest > 0 else f"{factor} - {-rest}" if rest < 0 else factor


def _comment(run: list[_Made]) -> str:
    """``64×112×112, 9,472 params``; of several parts the last one's shape, and the params of all."""
    params = sum(each.params for each in run)
    shape = _times(run[-1].shape)
    if len(run) == 1:
        return f"{shape}, {params:,} params" if params else shape
    return f"{len(run)}, the last {shape}, {params:,} params together" if params else f"{len(run)}, the last {shape}"


def _times(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))


def _indented(line: str) -> list[str]:
    """A line of a forward, in a class."""
    own = len(line) - len(line.lstrip())
    return wrapped(line.lstrip(), own + 4)

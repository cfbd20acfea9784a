"""Spec -> a table file: the network's layers as a grid, with all that was changed written into its cells."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from archscope import ops
from archscope.core.errors import Problem, Unsupported, printable
from archscope.ops import letters
from archscope.spec.network import Block, Item, Layer, Spec
from archscope.targets.elements import REPEAT, Elements
from archscope.targets.needed_names import spliced, with_needed_names

WIDTH = 110
"""Characters of a line of a definition."""

LONGEST_CELL = 80
"""Characters up to which the layers of a stage stand in one cell."""


class Line(NamedTuple):
    """A row of the grid."""

    label: str
    cell: str


def table_source(spec: Spec, origin: str, version: str) -> str:
    """A named spec as a table file with one network, which reads back as the same network.

    origin: the table that it comes from, as a comment says it. version: archscope's. Raises Unsupported for an op that
    no cell can spell, and for blocks that no table can say.
    """
    from dataclasses import replace

    whole = replace(spec, root=spliced(spec.root))
    bare = with_needed_names(whole)
    elements = Elements(bare.root)
    lines = list(_rows(elements, bare.root.items, whole.root.items, ""))
    heads = list(_heads(elements, bare.root.items))
    texts = [line.cell for line in lines] + [text for head in heads for text in head["layers"] if isinstance(text, str)]
    parts = [
        _comment(spec, origin, version),
        _top(spec),
        _grid(spec.name, lines),
        _section("columns", {"layer": "label"}),
        _definitions(elements, texts, [each for head in heads for each in head["layers"]]),
        _section("names", {"{layer}": "{layer}", **_patterns(spec)}),
        _section("sections", _sections(bare.root.items)),
        _section("networks", {spec.name: _network(spec)}) if _network(spec) else "",
        *(_entry("side_branches", head) for head in heads),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _comment(spec: Spec, origin: str, version: str) -> str:
    source = f", from {_one_line(origin)}" if origin else ""
    return f"# {_one_line(spec.name)}{source}; written by archscope {version}."


def _top(spec: Spec) -> str:
    values: dict[str, Any] = {
        "title": spec.title or spec.name,
        **_reference(spec.paper),
        "input": list(spec.input_shape),
    }
    return "\n".join(f"{key} = {_value(value)}" for key, value in values.items())


def _reference(paper: str) -> dict[str, str]:
    """``arXiv:1409.1556, Table 1`` as the keys that say so."""
    first, _, rest = paper.partition(", ")
    prefix, _, number = first.partition(":")
    keys = {"arXiv": "arxiv", "doi": "doi"}
    if prefix in keys:
        return {keys[prefix]: number, **({"table": rest} if rest else {})}
    if "://" in first:
        return {"url": first, **({"table": rest} if rest else {})}
    return {"table": paper} if paper else {}


def _grid(name: str, lines: list[Line]) -> str:
    rows = [Line("layer", _one_line(name)), *lines]
    if any("|" in text or "'''" in text for row in rows for text in row):
        raise Unsupported(
            Problem("unwritable-cell", f"{name!r} has a bar or three quotes in a cell, which a grid cannot hold")
        )
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    texts = [f"| {row.label:{widths[0]}} | {row.cell:{widths[1]}} |" for row in rows]
    rule = f"|{'-' * (widths[0] + 2)}|{'-' * (widths[1] + 2)}|"
    return "\n".join(["grid = '''", texts[0], rule, *texts[1:], "'''"])


def _rows(elements: Elements, items: tuple[Item, ...], named: tuple[Item, ...], within: str) -> Iterator[Line]:
    """A row per layer and block; the parts of a section, and of what only groups its parts, are rows of their own.

    named: the same items with all their names.
    """
    for item, full in zip(items, named, strict=True):
        if isinstance(item, Block) and item.side:
            continue
        if isinstance(item, Layer):
            yield Line(within + full.name, elements.cell(item))
        elif item.inline:
            yield Line("", elements.cell(item))
        elif item.section and within:
            raise Unsupported(Problem("nested-section", f"{within}{item.name} is a section within another"))
        elif isinstance(full, Block) and (full.section or (_is_group(full) and not _is_short(elements, item))):
            yield from _rows(elements, item.items, full.items, f"{within}{full.name}.")
        else:
            yield Line(within + full.name, elements.cell(item))


def _is_group(block: Block) -> bool:
    """Whether a block does nothing but hold its parts, under their names."""
    plain = not (block.kind or block.join or block.wiring or block.when)
    inline = any(isinstance(item, Block) and (item.inline or item.section) for item in block.items)
    return plain and not inline and all(item.name == item.module for item in block.items)


def _is_short(elements: Elements, block: Block) -> bool:
    """Whether its items stand in one cell."""
    return elements.is_list(block) and len(elements.cell(block)) <= LONGEST_CELL


def _heads(elements: Elements, items: tuple[Item, ...]) -> Iterator[dict[str, Any]]:
    """The auxiliary heads, each after the item before it; of several after one the last comes first, as in a file."""
    after, waiting = "", list[dict[str, Any]]()
    for item in items:
        if not (isinstance(item, Block) and item.side):
            yield from reversed(waiting)
            after, waiting = item.name, []
            continue
        if item.kind != "auxiliary head" or not after or item.numbered:
            raise Unsupported(
                Problem("unwritable-block", f"{item.name!r} is no auxiliary head that a table can say", item.span)
            )
        layers = elements.all(item.items)
        waiting.append({"name": item.name, "after": after, "loss_weight": item.loss_weight, "layers": layers})
    yield from reversed(waiting)


def _definitions(elements: Elements, texts: list[str], values: list[Any]) -> str:
    found = elements.needed(texts)
    parts = [f"[notation.{json.dumps(each.template, ensure_ascii=False)}]\n{_keys(each.value)}" for each in found]
    used = json.dumps([texts, values, [each.value for each in found]], ensure_ascii=False)
    if "× " in used:
        parts.append(f'[notation."{REPEAT}"]\nrepeat = "{{n}}"\nlayers = ["{{block}}"]')
    return "\n\n".join(parts)


def _patterns(spec: Spec) -> dict[str, str]:
    """What ``[names]`` says of ops; what it says of rows is in their labels."""
    known = {*ops.named(), *(letters(layer.op.notation or "") for layer in spec.layers())}
    return {op: name for op, name in spec.names.items() if letters(op) == op.replace("-", "").lower() in known}


def _sections(items: tuple[Item, ...]) -> dict[str, Any]:
    blocks = [item for item in items if isinstance(item, Block) and item.section]
    return {block.name: {} if block.numbered else {"named": True} for block in blocks}


def _network(spec: Spec) -> dict[str, Any]:
    """What ``[networks]`` says of it; nothing where its head says all."""
    values = {
        "torchvision": spec.torchvision, "headless": spec.headless, "transform_input": spec.transform_input,
        "round_to": spec.round_to if spec.round_to != 1 else 0, "aliases": list(spec.aliases),
        "changes": list(spec.changes),
    }  # fmt: skip
    given = {key: value for key, value in values.items() if value}
    return {"column": _one_line(spec.name), **given} if given else {}


def _section(name: str, values: dict[str, Any]) -> str:
    return f"[{name}]\n{_keys(values)}" if values else ""


def _entry(name: str, values: dict[str, Any]) -> str:
    return f"[[{name}]]\n{_keys(values)}"


def _keys(values: dict[str, Any]) -> str:
    return "\n".join(f"{_key(key)} = {_value(value, len(key) + 3)}" for key, value in values.items())


def _key(text: str) -> str:
    plain = text.isascii() and text.replace("_", "").replace("-", "").isalnum()
    return text if plain else _string(text)


def _value(value: Any, before: int = 0) -> str:
    """A value as TOML; a list that is too long for its line with each of its values on one of its own."""
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        inside = ", ".join(f"{_key(key)} = {_value(each)}" for key, each in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list):
        flat = f"[{', '.join(_value(each) for each in value)}]"
        nested = any(isinstance(each, list) for each in value)
        if not value or (not nested and before + len(flat) <= WIDTH):
            return flat
        return "\n".join(["[", *(f"  {_value(each, WIDTH - 1000 if nested else 2)}," for each in value), "]"])
    return repr(value)


def _string(text: str) -> str:
    """A text in quotes, what is not printed as its number: TOML allows some of it, and terminals obey it."""
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in quoted)


def _one_line(text: str) -> str:
    return printable(" ".join(text.split()))

"""Sections: how the modules of a network are grouped, in torchvision ``features`` and ``classifier``."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from archscope.spec.network import Block, Item, Layer
from archscope.spec.table import Table


def nested(items: Iterable[Item]) -> list[Item]:
    """Items whose names have dots within blocks of those names: ``layer1.0`` is what ``0`` is in ``layer1``."""
    found: list[Item] = []
    for head, group in groupby(items, key=lambda item: item.name.partition(".")[0] if "." in item.name else ""):
        own = list(group)
        if not head:
            found += own
            continue
        inner = nested(item._replace(name=item.name.partition(".")[2]) for item in own)
        found.append(Block(tuple(inner), name=head, span=own[0].span))
    return found


def in_sections(table: Table, items: list[Item]) -> list[Item]:
    """Items grouped as ``[sections]`` says: each section begins at the first layer with its cell's text.

    Its modules are numbered, unless they are ``named``: ``features = { first = "conv7-64/2", named = true }``. From
    where the section without a name begins, items stand in the network itself again. Without a ``first`` it is the
    block of its name.
    """
    grouped = items
    for name, entry in reversed(table.data.get("sections", {}).items()):
        described = {"first": entry} if isinstance(entry, str) else entry
        numbered = bool(name) and not described.get("named", False)
        if "first" not in described:
            grouped = [_as_section(item, numbered) if item.name == name else item for item in grouped]
            continue
        first = described["first"]
        at = next((n for n, item in enumerate(grouped) if isinstance(item, Layer) and item.text == first), None)
        if at is None:
            continue
        tail = [item for item in grouped[at:] if not (isinstance(item, Block) and item.section)]
        later = [item for item in grouped[at:] if isinstance(item, Block) and item.section]
        section = Block(tuple(tail), name=name, inline=not name, section=True, numbered=numbered)
        grouped = [*grouped[:at], section, *later]
    return grouped


def _as_section(item: Item, numbered: bool) -> Item:
    return item._replace(section=True, numbered=numbered) if isinstance(item, Block) else item

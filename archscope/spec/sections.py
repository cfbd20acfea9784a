"""Sections: how the modules of a network are grouped, in torchvision ``features`` and ``classifier``."""

from __future__ import annotations

from archscope.spec.network import Block, Item, Layer
from archscope.spec.table import Table


def in_sections(table: Table, items: list[Item]) -> list[Item]:
    """Items grouped as ``[sections]`` says: each section begins at the first layer with its cell's text.

    Its modules are numbered, unless they are ``named``: ``features = { first = "conv7-64/2", named = true }``. From
    where the section without a name begins, items stand in the network itself again.
    """
    grouped = items
    for name, entry in reversed(table.data.get("sections", {}).items()):
        described = {"first": entry} if isinstance(entry, str) else entry
        first = described.get("first")
        at = next((n for n, item in enumerate(grouped) if isinstance(item, Layer) and item.text == first), None)
        if at is None:
            continue
        tail = [item for item in grouped[at:] if not (isinstance(item, Block) and item.section)]
        later = [item for item in grouped[at:] if isinstance(item, Block) and item.section]
        numbered = bool(name) and not described.get("named", False)
        section = Block(tuple(tail), name=name, inline=not name, section=True, numbered=numbered)
        grouped = [*grouped[:at], section, *later]
    return grouped

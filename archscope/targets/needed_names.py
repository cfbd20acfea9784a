"""Which names of a network a table has to say: those that ``[names]`` and the order of layers do not give anyway."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from archscope.core.errors import TableError
from archscope.spec.naming import named
from archscope.spec.network import Block, Item, Spec

Place = tuple[int, ...]
"""Where an item is: its number in each block around it, from the outermost in."""


def spliced(block: Block) -> Block:
    """The block with what only groups its items written out, as it runs: inline chains are their parent's parts."""
    items: list[Item] = []
    for item in block.items:
        inner = spliced(item) if isinstance(item, Block) else item
        if not isinstance(inner, Block) or not inner.inline or inner.join is not None or inner.wiring or inner.when:
            items.append(inner)
        elif block.join is None or (len(inner.items) == 1 and not _is_conditional(block)):
            items.extend(inner.items)
        else:
            items.append(inner)
    return block._replace(items=tuple(items))


def _is_conditional(block: Block) -> bool:
    return bool(block.when) or any(isinstance(item, Block) and item.when for item in block.items)


def with_needed_names(spec: Spec) -> Spec:
    """A named spec without the names that naming would give again; branches, and what is a row, keep theirs."""
    places = dict(_places(spec.root, ()))
    kept = {place for place, (item, parent) in places.items() if len(place) == 1 or parent.join is not None}
    while True:
        bare = spec.root._replace(items=_bare(spec.root, (), kept))
        try:
            found = dict(_places(named(replace(spec, root=bare)).root, ()))
        except TableError:  # two parts of a block would get one name
            return spec
        wrong = {place for place, (item, _) in places.items() if _names(found[place][0]) != _names(item)}
        if wrong <= kept:
            return replace(spec, root=bare)
        kept |= wrong


def _names(item: Item) -> tuple[str, str]:
    inline = isinstance(item, Block) and item.inline
    return ("", "") if inline else (item.name, item.module)


def _places(block: Block, here: Place) -> Iterator[tuple[Place, tuple[Item, Block]]]:
    for number, item in enumerate(block.items):
        yield (*here, number), (item, block)
        if isinstance(item, Block):
            yield from _places(item, (*here, number))


def _bare(block: Block, here: Place, kept: set[Place]) -> tuple[Item, ...]:
    items: list[Item] = []
    for number, item in enumerate(block.items):
        place = (*here, number)
        own = item if place in kept else item._replace(name="")
        items.append(
            own._replace(items=_bare(item, place, kept)) if isinstance(own, Block) and isinstance(item, Block) else own
        )
    return tuple(items)

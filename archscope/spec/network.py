"""A Spec: what a paper says about one network, as a tree of layers and blocks without sizes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from archscope.core.showing import shown_as_html, shown_as_text
from archscope.core.source import Span
from archscope.ops import Op


class Layer(NamedTuple):
    """One use of an op. ``name`` is what people call it (``conv3_2``); ``module`` its attribute in the built module.

    ``text`` is the cell as printed, before it was read; ``follows`` is what comes after it instead of what its table
    implies; ``shrinks``: a width below 1 narrows it.
    """

    op: Op
    name: str = ""
    module: str = ""
    text: str = ""
    follows: tuple[str, ...] | None = None
    span: Span | None = None
    shrinks: bool = True


class Block(NamedTuple):
    """Layers and blocks run one after another, or side by side where there is a ``join``.

    kind: what the table calls such blocks (``inception``). wiring ``dense``: each item gets all results before it.
    when: ``shapes differ``, a way around a block that is the identity where it need not be more; ``shapes agree``, a
    join that is left out elsewhere; ``joined``, what the first way passes besides where there is a join. inline: it is
    no module of its own, its parts are its parent's. section: it only groups modules (torchvision's ``features``), and
    has no part in the names of its layers. numbered: its modules are. side: its output leaves the network instead of
    going on (an auxiliary head), only while training, with this ``loss_weight``.
    """

    items: tuple[Item, ...]
    name: str = ""
    module: str = ""
    kind: str = ""
    join: Op | None = None
    wiring: str = ""
    when: str = ""
    inline: bool = False
    section: bool = False
    numbered: bool = False
    side: bool = False
    loss_weight: float = 0.0
    span: Span | None = None


Item = Layer | Block


@dataclass(frozen=True, slots=True)
class Spec:
    """One network of a table, or one written in Python.

    input_shape: one example, (channels, height, width).
    table: the file it came from, and ``column`` its head there. names: how layers are called, by op.
    """

    name: str
    root: Block
    input_shape: tuple[int, ...]
    title: str = ""
    paper: str = ""
    table: str = ""
    column: str = ""
    aliases: tuple[str, ...] = ()
    names: dict[str, str] = field(default_factory=dict)
    changes: tuple[str, ...] = ()
    """What the caller changed from the paper, in words; shown with every number."""
    torchvision: str = ""
    """torchvision's name for the network whose state dict fits."""
    headless: bool = False
    """Whether it ends in features: its table leaves out the layer that would say the classes."""
    transform_input: bool = False
    """Whether torchvision transforms the input when it uses its weights."""
    repeats: tuple[int, ...] = ()
    """How often each of the blocks is repeated that its table repeats."""
    round_to: int = 1
    """What scaled channels are multiples of, unless the caller says otherwise."""

    _repr_html_ = shown_as_html
    __str__ = shown_as_text

    def layers(self) -> Iterator[Layer]:
        """All layers in order, auxiliary heads included."""
        return layers_of(self.root)


def layers_of(item: Item) -> Iterator[Layer]:
    """The layers of an item in order."""
    if isinstance(item, Layer):
        yield item
        return
    for child in item.items:
        yield from layers_of(child)


def as_one(items: Sequence[Item], name: str) -> Item:
    """A branch: its single item, or its items as a numbered block. An explicit name stays."""
    if len(items) == 1:
        return items[0]._replace(name=items[0].name or name)
    return Block(tuple(items), name=name, numbered=not any(item.name for item in items))


def called(item: Item, name: str) -> Item:
    """The item with a name; what has one is a module of its own."""
    return item._replace(name=name, inline=False) if isinstance(item, Block) else item._replace(name=name)


def copied(item: Item) -> Item:
    """The same once more: equal, and made of layers of its own."""
    if isinstance(item, Layer):
        return Layer(*item)
    return item._replace(items=tuple(copied(each) for each in item.items))


def made_of(item: Item) -> Any:
    """What an item is made of, as a value that can be compared: ops and how they are wired, names and places aside."""
    if isinstance(item, Layer):
        return item.op
    return (item.join, item.wiring, item.when, item.kind, tuple(made_of(each) for each in item.items))


def classifiers(root: Block) -> list[Layer]:
    """The layers that say the classes: the last one with weights of the network and of each auxiliary head."""
    heads = [root, *(block for block in blocks_of(root) if block.side)]
    found = []
    for head in heads:
        weighted = [layer for layer in layers_of(_without_sides(head)) if layer.op.weight_layer]
        found.extend(weighted[-1:])
    return found


def blocks_of(block: Block) -> Iterator[Block]:
    """A block and all blocks within it."""
    yield block
    for child in block.items:
        if isinstance(child, Block):
            yield from blocks_of(child)


def _without_sides(block: Block) -> Block:
    kept = tuple(
        _without_sides(i) if isinstance(i, Block) else i for i in block.items if not (isinstance(i, Block) and i.side)
    )
    return block._replace(items=kept)


def mapped(block: Block, change: Callable[[Layer], tuple[Item, ...]]) -> Block:
    """The block with every layer replaced by what ``change`` gives for it: none, one or several items."""
    items: list[Item] = []
    for item in block.items:
        if isinstance(item, Layer):
            items.extend(change(item))
        else:
            items.append(mapped(item, change))
    return block._replace(items=tuple(items))

"""Stages: how many convolutions or blocks each has is what tells a paper's configurations apart.

Plain stages are convolutions up to a pool (VGG); other tables repeat blocks (``[3×3, 64; 3×3, 64] ×2``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, cast

from archscope.core.errors import Problem, Unsupported, UsageError
from archscope.ops import Op
from archscope.ops.conv import Conv
from archscope.spec.compiler import compile_table, networks
from archscope.spec.network import Block, Item, Layer, Spec, layers_of, made_of
from archscope.spec.notation import ends_stage
from archscope.spec.options import Blocks
from archscope.spec.reading import MOST_REPEATS
from archscope.spec.table import Table

LARGEST = 10_000
"""Convolutions in a stage, and channels of one."""

EXPECTED = '[1, 1, 2, 2, 2], ((1, 64), (1, 128), …) or [64, "M", 128, "M", …]'


class Stage(NamedTuple):
    """Groups (a convolution and what follows it, up to the next one) and the pool that closes the stage."""

    groups: tuple[tuple[Layer, ...], ...]
    pool: tuple[Layer, ...]


def with_blocks(spec: Spec, blocks: Blocks) -> Spec:
    """The spec with its stages as ``blocks`` says. Raises Unsupported where a network has no plain stages."""
    holder = _holder_of_all(spec)
    if holder is None:
        message = f"{spec.name} is not made of plain stages of convolutions: blocks cannot change them"
        raise Unsupported(Problem("no-such-knob", message))
    stages, rest = stages_of(holder)
    wanted = _channels(blocks, stages)
    items: list[Item] = []
    for number, (channels, closed) in enumerate(wanted):
        stage = stages[min(number, len(stages) - 1)]
        for index, each in enumerate(channels):
            items.extend(_with_channels(stage.groups[min(index, len(stage.groups) - 1)], each))
        items.extend(stage.pool if closed else ())
    changed = holder._replace(items=(*items, *rest))
    return replace(spec, root=_replaced(spec.root, holder, changed))


def has_plain_stages(spec: Spec) -> bool:
    """Whether a network is made of convolutions, layer by layer, between pools."""
    return _holder_of_all(spec) is not None


def with_repeats(table: Table, spec: Spec, blocks: Blocks, extra: Iterable[type[Op]] = ()) -> Spec:
    """As :func:`repeated`, and its changes say which network of the table that is, if any."""
    changed = repeated(table, spec, blocks, extra)
    if changed.repeats == spec.repeats:
        return changed
    others = {name: compile_table(table, name, extra) for name in networks(table)}
    same = [name for name, other in others.items() if made_of(other.root) == made_of(changed.root)]
    instead = f"{_listed(changed.repeats)} instead of {_listed(spec.repeats)}"
    words = f"these are the blocks of {same[0]}" if same else instead
    return replace(changed, changes=(*changed.changes, f"blocks: {words}"))


def repeated(table: Table, spec: Spec, blocks: Blocks, extra: Iterable[type[Op]] = ()) -> Spec:
    """The network of a table with its blocks repeated as often as ``blocks`` says.

    Raises UsageError for anything but a number for each of them.
    """
    wanted = list(blocks) if isinstance(blocks, list | tuple) else []
    expected = f"how often each block of the table is repeated, such as {list(spec.repeats)}"
    if not wanted or not all(_is_count(each) and int(each) <= MOST_REPEATS for each in wanted):
        raise UsageError(Problem("bad-value", f"cannot read blocks {blocks!r}", expected=expected))
    if len(wanted) != len(spec.repeats):
        message = f"blocks has {len(wanted)} stages, the table has {len(spec.repeats)}"
        raise UsageError(Problem("bad-value", message, expected=expected))
    return compile_table(table, spec.name, extra, wanted)


def signature(spec: Spec) -> list[list[str]]:
    """Per stage its convolutions as ``3×3-64``; empty for a network without plain stages."""
    holder = _holder_of_all(spec)
    if holder is None:
        return []
    stages, _ = stages_of(holder)
    return [[_spelled(group) for group in stage.groups] for stage in stages]


def named_by_blocks(spec: Spec, known: Iterable[tuple[str, Spec]]) -> str:
    """Which network of its table a spec's stages are, or the nearest one and what differs, in words."""
    mine = signature(spec)
    ranked = ((_distance(mine, signature(other)), name, other) for name, other in known)
    distance, name, other = min(ranked, key=lambda entry: entry[0])
    if distance == 0:
        return f"these are the stages of {name}"
    return f"no network of the table; nearest is {name}: {'; '.join(_differences(mine, signature(other)))}"


def stages_of(block: Block) -> tuple[list[Stage], tuple[Item, ...]]:
    """The stages of a block of plain layers, and what comes after the last of them."""
    stages: list[Stage] = []
    groups: list[list[Layer]] = []
    layers = [item for item in block.items if isinstance(item, Layer)]
    for at, item in enumerate(layers):
        if item.op.rank == 2:
            return stages, tuple(layers[at:])
        if isinstance(item.op, Conv):
            groups.append([item])
        elif ends_stage(item.op):
            stages.append(Stage(tuple(tuple(group) for group in groups), (item,)))
            groups = []
        elif groups:
            groups[-1].append(item)
    if groups:
        stages.append(Stage(tuple(tuple(group) for group in groups), ()))
    return stages, ()


def _holder_of_all(spec: Spec) -> Block | None:
    """The block of plain stages, where it holds all convolutions of the network."""
    holder = _holder(spec.root)
    if holder is None:
        return None
    mine, all_of_them = (sum(isinstance(each.op, Conv) for each in layers_of(block)) for block in (holder, spec.root))
    return holder if mine == all_of_them else None


def _holder(block: Block) -> Block | None:
    """The block that directly holds plain stages: all its convolutions, nothing but layers, and each stage has one."""
    if block.items and all(isinstance(item, Layer) for item in block.items):
        stages, _ = stages_of(block)
        return block if stages and all(stage.groups for stage in stages) else None
    return next((found for item in block.items if isinstance(item, Block) and (found := _holder(item))), None)


def _replaced(block: Block, old: Block, new: Block) -> Block:
    if block is old:
        return new
    return block._replace(items=tuple(_replaced(i, old, new) if isinstance(i, Block) else i for i in block.items))


def _with_channels(group: tuple[Layer, ...], channels: int) -> tuple[Layer, ...]:
    return (group[0]._replace(op=replace(_conv(group), out_channels=channels)), *group[1:])


def _channels(blocks: Blocks, stages: Sequence[Stage]) -> list[tuple[list[int], bool]]:
    """Any of the three spellings as channels per stage, and whether a pool closes the stage."""
    if not isinstance(blocks, list | tuple):
        raise _unreadable(blocks)
    values: list[Any] = list(blocks)
    if any(isinstance(value, str) for value in values):
        return _from_flat(values, blocks)
    if values and all(isinstance(value, list | tuple) and len(value) == 2 for value in values):
        if not all(_is_count(number) for value in values for number in value):
            raise _unreadable(blocks)
        return [([channels] * count, True) for count, channels in values]
    if not values or not all(_is_count(value) for value in values):
        raise _unreadable(blocks)
    if len(values) != len(stages):
        message = f"blocks has {len(values)} stages, the table has {len(stages)}"
        raise UsageError(Problem("bad-value", message, expected=EXPECTED))
    return [
        ([_conv(stage.groups[-1]).out_channels] * count, bool(stage.pool))
        for count, stage in zip(values, stages, strict=True)
    ]


def _from_flat(values: Sequence[Any], blocks: Blocks) -> list[tuple[list[int], bool]]:
    stages: list[tuple[list[int], bool]] = []
    channels: list[int] = []
    for value in values:
        if value in {"M", "m"} and channels:
            stages.append((channels, True))
            channels = []
        elif _is_count(value):
            channels.append(value)
        else:
            raise _unreadable(blocks)
    return [*stages, (channels, False)] if channels else stages


def _listed(counts: Iterable[int]) -> str:
    return "+".join(map(str, counts))


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= LARGEST


def _unreadable(blocks: Blocks) -> UsageError:
    return UsageError(Problem("bad-value", f"cannot read blocks {blocks!r}", expected=EXPECTED))


def _conv(group: Sequence[Layer]) -> Conv:
    """The convolution that a group begins with."""
    return cast("Conv", group[0].op)


def _spelled(group: Sequence[Layer]) -> str:
    op = _conv(group)
    return f"conv{op.kernel_size}-{op.out_channels}"


def _distance(mine: list[list[str]], other: list[list[str]]) -> int:
    stages = max(len(mine), len(other))
    padded = [(mine[n] if n < len(mine) else [], other[n] if n < len(other) else []) for n in range(stages)]
    return sum(abs(len(a) - len(b)) + sum(x != y for x, y in zip(a, b, strict=False)) for a, b in padded)


def _differences(mine: list[list[str]], other: list[list[str]]) -> Iterable[str]:
    for number in range(max(len(mine), len(other))):
        a = mine[number] if number < len(mine) else []
        b = other[number] if number < len(other) else []
        if a != b:
            yield f"stage {number + 1} is {' '.join(a) or 'missing'}, there {' '.join(b) or 'missing'}"


def blocks_from(text: str) -> Blocks:
    """The three spellings of blocks, with or without the brackets and quotes of Python. Raises UsageError for others.

    >>> blocks_from("1,1,2"), blocks_from("1x64,2x128"), blocks_from("[64, 'M', 128]")
    ([1, 1, 2], [[1, 64], [2, 128]], [64, 'M', 128])
    """
    plain = text.translate(str.maketrans("", "", "[]\"' "))
    if "(" in plain:
        plain = plain.strip("()").replace("),(", ";").replace(",", "x").replace(";", ",")
    words = [word for word in plain.split(",") if word]
    if any("x" in word for word in words):
        return [[_count_from(part, text) for part in word.split("x")] for word in words]
    return [word if word in {"M", "m"} else _count_from(word, text) for word in words]


def _count_from(word: str, text: str) -> int:
    if word.isdecimal():
        return int(word)
    expected = '"1,1,2,2,2", "1x64,1x128" or "64,M,128,M"'
    raise UsageError(Problem("bad-value", f"--blocks is {text!r}: cannot read {word!r}", expected=expected))

"""Options -> Spec: each knob a function from one spec to the next. Those that need sizes are in ``graph/heads.py``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from archscope.core.arithmetic import is_many
from archscope.core.errors import Problem, Unsupported
from archscope.ops import letters
from archscope.ops.conv import Conv
from archscope.ops.fc import FC
from archscope.spec.network import Block, Item, Layer, Spec, classifiers, mapped
from archscope.spec.notation import read
from archscope.spec.options import BATCH_NORMS, Options, among
from archscope.spec.widths import with_head_width, with_width

if TYPE_CHECKING:
    from archscope.ops import Op


def turned(spec: Spec, options: Options) -> Spec:
    """The spec with every option applied that needs no sizes, in a fixed order; ``changes`` says which, in words."""
    words = tuple(_in_words(options, spec.input_shape))
    for knob in _KNOBS:
        spec = knob(spec, options)
    return replace(spec, changes=(*spec.changes, *words))


def _softmax(spec: Spec, options: Options) -> Spec:
    """Without it the module returns logits: the soft-max row is part of the loss while training."""
    return spec if options.softmax is not False else replace(spec, root=_without_op(spec.root, "softmax"))


def _without_op(root: Block, name: str) -> Block:
    return mapped(root, lambda layer: () if _is(layer, name) else (layer,))


def _is(layer: Layer, name: str) -> bool:
    return letters(layer.op.notation or "") == name


def _aux(spec: Spec, options: Options) -> Spec:
    if options.aux:
        return spec
    kept = tuple(item for item in spec.root.items if not (isinstance(item, Block) and item.side))
    return replace(spec, root=spec.root._replace(items=kept))


def _blocks(spec: Spec, options: Options) -> Spec:
    if options.blocks is None:
        return spec
    from archscope.spec.stages import with_blocks

    return with_blocks(spec, options.blocks)


def _gap(spec: Spec, options: Options) -> Spec:
    """Network in Network's head (arXiv:1312.4400): the mean of each map instead of hidden FC layers."""
    if options.head != "gap":
        return spec
    root, changed = _with_gap(spec.root, {id(layer) for layer in classifiers(spec.root)})
    if not changed:
        raise Unsupported(Problem("no-such-knob", f"{spec.name} has no hidden FC layers that a pool could replace"))
    return replace(spec, root=root)


def _with_gap(block: Block, heads: set[int]) -> tuple[Block, bool]:
    items = block.items
    dense = [n for n, item in enumerate(items) if isinstance(item, Layer) and item.op.rank == 2]
    if not block.side and len(dense) > 1 and id(items[dense[-1]]) in heads:
        before = items[dense[0] - 1] if dense[0] else None
        first = dense[0] - 1 if isinstance(before, Layer) and _is(before, "dropout") else dense[0]
        pool = Layer(read("adaptiveavgpool1"), name="gap")
        return block._replace(items=(*items[:first], pool, *items[dense[-1] :])), True
    walked = [_with_gap(item, heads) if isinstance(item, Block) and not item.side else (item, False) for item in items]
    return block._replace(items=tuple(item for item, _ in walked)), any(changed for _, changed in walked)


def _classes(spec: Spec, options: Options) -> Spec:
    if options.num_classes is None:
        return spec
    if spec.headless:
        message = f"{spec.name} ends in features: its table leaves out the layer whose size num_classes would be"
        raise Unsupported(Problem("no-such-knob", message))
    heads = {id(layer) for layer in classifiers(spec.root)}
    return _with_ops(
        spec, lambda layer: _with_outputs(layer.op, options.num_classes) if id(layer) in heads else layer.op
    )


def _with_outputs(op: Op, size: Any) -> Op:
    if isinstance(op, FC):
        return replace(op, out_features=size)
    if isinstance(op, Conv):
        return replace(op, out_channels=size)
    raise Unsupported(Problem("no-such-knob", f"cannot set the number of outputs of {type(op).__name__}"))


def _with_ops(spec: Spec, change: Callable[[Layer], Op]) -> Spec:
    return replace(spec, root=mapped(spec.root, lambda layer: (layer._replace(op=change(layer)),)))


def _width(spec: Spec, options: Options) -> Spec:
    return spec if options.width is None else with_width(spec, options.width, options.round_to)


def _head_width(spec: Spec, options: Options) -> Spec:
    return spec if options.head_width is None else with_head_width(spec, options.head_width, options.round_to)


def _bn(spec: Spec, options: Options) -> Spec:
    return spec if options.bn is None else with_batch_norm(spec, options.bn)


def with_batch_norm(spec: Spec, where: str) -> Spec:
    """The spec with batch norm where :data:`archscope.spec.options.BATCH_NORMS` says, and nowhere else.

    Raises UsageError for any other word.
    """
    among("bn", where, BATCH_NORMS)
    root = _without_op(spec.root, "batchnorm")
    if where == "none":
        return replace(spec, root=root)
    heads = {id(layer) for layer in classifiers(root)}
    after, _, with_fc = where.partition("+")
    return replace(spec, root=_normalised(root, heads, after, bool(with_fc)))


def _normalised(block: Block, heads: set[int], after: str, with_fc: bool) -> Block:
    """The block with batch norm after its hidden convolutions (and FC layers), or after the ReLU that follows them."""
    items: list[Item] = []
    waiting = False
    for item in block.items:
        if isinstance(item, Block):
            items.append(_normalised(item, heads, after, with_fc))
            continue
        items.append(item)
        hidden = id(item) not in heads and (isinstance(item.op, Conv) or (with_fc and isinstance(item.op, FC)))
        waiting = hidden if item.op.weight_layer else waiting
        if waiting and (item.op.weight_layer if after == "conv" else _is(item, "relu")):
            items.append(Layer(read("batchnorm"), span=item.span))
            waiting = False
    return block._replace(items=tuple(items))


def _conv_bias(spec: Spec, options: Options) -> Spec:
    if options.conv_bias is None:
        return spec
    bias = options.conv_bias
    return _with_ops(spec, lambda layer: replace(layer.op, bias=bias) if isinstance(layer.op, Conv) else layer.op)


def _dropout(spec: Spec, options: Options) -> Spec:
    if options.dropout is None:
        return spec
    return _with_ops(spec, lambda layer: replace(layer.op, p=options.dropout) if _is(layer, "dropout") else layer.op)


def _input(spec: Spec, options: Options) -> Spec:
    channels = spec.input_shape[0] if options.in_channels is None else options.in_channels
    return replace(spec, input_shape=(channels, *(options.input_size or spec.input_shape[1:])))


def _transform_input(spec: Spec, options: Options) -> Spec:
    return with_input_transform(spec) if options.transform_input else spec


def with_input_transform(spec: Spec) -> Spec:
    """The spec with a first block that undoes ImageNet's mean and deviation and applies 0.5 and 0.5, per channel.

    torchvision does this with weights that were trained in TensorFlow (``transform_input`` of its GoogLeNet).
    """
    if spec.input_shape[0] != 3:
        raise Unsupported(Problem("no-such-knob", "transform_input is for images of three channels"))
    branches = []
    for channel, (mean, deviation) in enumerate(zip((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), strict=True)):
        cells = (f"slice{channel}:{channel + 1}", f"times {deviation / 0.5!r}", f"plus {(mean - 0.5) / 0.5!r}")
        branches.append(Block(tuple(Layer(read(cell)) for cell in cells), name=f"channel{channel}"))
    block = Block(tuple(branches), name="transform_input", kind="transform input", join=read("concat"))
    return replace(spec, root=spec.root._replace(items=(block, *spec.root.items)))


_KNOBS: tuple[Callable[[Spec, Options], Spec], ...] = (
    _softmax,
    _aux,
    _blocks,
    _gap,
    _width,
    _head_width,
    _classes,
    _bn,
    _conv_bias,
    _dropout,
    _input,
    _transform_input,
)


def _in_words(options: Options, before: tuple[int, ...]) -> Iterator[str]:
    """The options that change something: neither the usual ones nor what the table says anyway."""
    same = not is_many(options.in_channels) and options.in_channels == before[0]
    usual = replace(Options(), in_channels=before[0] if same else None)
    for name in Options.__dataclass_fields__:
        value = getattr(options, name)
        if is_many(value):
            yield f"{name} varied"
        elif name == "set":
            yield from (f"{cell}={text}" for cell, text in (value or {}).items())
        elif value != getattr(usual, name) and name not in {"softmax", "transform_input", "blocks"}:
            yield f"{name}={'×'.join(map(str, value)) if isinstance(value, tuple) else value}"

"""How much of the input one position of a layer's output depends on, and where that lies.

Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural Networks", Distill 2019
(doi:10.23915/distill.00021): equations for the size r, the effective stride and the effective padding, and the union
over the branches of a graph. Per axis, from the input on (r = 1, j = 1, start = 0), where a kernel K with stride S,
padding P and dilation D follows:

    r' = r + (K - 1)·D·j        j' = j·S        start' = start - P·j

Positions are counted from 0 at the input's first pixel. Output i depends on the r pixels from ``start + i·j`` on:
``start`` is minus the effective padding, and the centre of the first field is ``start + (r - 1) / 2``. Sizes are
theoretical, as in the literature: they do not end at the border of a small input. What sees a whole map (a global pool,
flattening before an FC layer, a gate, a norm that takes its statistics from the map) sees all of the input that the
map's positions see: such a field ends at the border of the input, and its jump is 0, since every output has the same.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, reduce
from typing import Any, NamedTuple

from archscope.analyses import Column, Total, Values
from archscope.core.arithmetic import Size, agree, choose, largest, smallest
from archscope.core.records import Setting, Window
from archscope.graph.graph import Graph, Node
from archscope.ops.concat import Concat
from archscope.ops.pad import Pad
from archscope.ops.slice import Slice

COLUMNS = (
    Column(
        "receptive_field",
        "receptive field",
        "input pixels per axis that an output depends on, also beyond the border; the whole input after global pools "
        "and flattening; in total that of the last map before those",
        unit="side",
        total="own",
    ),
    Column(
        "jump", "jump", "pixels from the field of an output to its neighbour's; 0 where all see the same", "side", "own"
    ),
    Column("start", "start", "first pixel that the first output sees; below 0 in the padding", "side", "own"),
    Column(
        "receptive_field_status",
        "field is",
        "exact; bound: no output sees more, since windows or the strides of branches differ",
        unit="text",
        total="own",
    ),
)


class Reach(NamedTuple):
    """What outputs see along one axis: ``size`` pixels from ``start + i·jump`` on; exactly those, or at most.

    end: behind the last pixel of the input that any of the outputs sees; pixels that no window reached stay unseen,
    whatever comes later. sure: whether that is known, and not only that nothing behind it is seen.
    """

    size: Size
    jump: Size
    start: Size
    end: Size
    exact: bool = True
    sure: bool = True

    def itself(self) -> Reach:
        """The reach, for whoever may want another one instead."""
        return self


class Field(NamedTuple):
    """The reach of a tensor's positions, height first. alike: of each of its channels, not only of all together."""

    axes: tuple[Reach, ...]
    alike: bool = True


def analyse(graph: Graph, setting: Setting) -> dict[str, Values]:  # noqa: ARG001  the contract: a field is always the same
    """Per node the field of its output: a number where both axes agree, else (height, width); None if not known."""
    found = fields(graph)
    columns = [_shown(found[node.outputs[0]]) for node in graph.nodes]
    return {column.name: [each[column.name] for each in columns] for column in COLUMNS}


def totals(graph: Graph, setting: Setting) -> dict[str, Total]:  # noqa: ARG001  the contract, as above
    """The field of the last map before something sees all of it: what papers call a network's receptive field."""
    field = features(graph)
    shown = _shown(field)
    status = "unavailable" if field is None else str(shown["receptive_field_status"])
    own = {"receptive_field": Total(shown["receptive_field"], status, at_most=True)}
    return {name: Total(value, "unavailable" if field is None else "exact") for name, value in shown.items()} | own


def fields(graph: Graph) -> dict[int, Field | None]:
    """The field of every tensor, by its index: sizes may be ints, arrays or symbols. None where it is not known."""
    sides = graph.tensors[graph.inputs[0]].shape[2:]
    found: dict[int, Field | None] = dict.fromkeys(range(len(graph.tensors)))
    if len(sides) == 2 and len(graph.inputs) == 1:
        found[graph.inputs[0]] = Field(tuple(Reach(1, 1, 0, side) for side in sides))
    for node in graph.nodes:
        inputs = [found.get(tensor) for tensor in node.inputs]
        known = [field for field in inputs if field is not None]
        window = node.op.sees(*graph.shapes_in(node))
        complete = window is not None and known and len(known) == len(inputs)
        field = _of_output(graph, node, window, known) if complete and window is not None else None
        found |= dict.fromkeys(node.outputs, field)
    return found


def features(graph: Graph) -> Field | None:
    """The field in front of the first op, on the way back from the logits, that sees a whole map.

    The way goes along the first input that is not stretched: not along a gate.
    """
    found = fields(graph)
    makers = {tensor: node for node in graph.nodes for tensor in node.outputs}
    tensor = graph.outputs[0].tensor
    field = found[tensor]
    while field is not None and tensor in makers and makers[tensor].inputs:
        node = makers[tensor]
        tensor = next((each for each in node.inputs if not _is_stretched(graph, node, each)), node.inputs[0])
        window, before = node.op.sees(*graph.shapes_in(node)), found[tensor]
        if window is None or before is None:  # pragma: no cover: what is known behind an op is known before it
            return None
        each = zip(window.stride, before.axes, field.axes, strict=True)
        field = field._replace(
            axes=tuple(_chosen(stride == 0, ahead.itself, own.itself) for stride, ahead, own in each)
        )
    return field


def _is_stretched(graph: Graph, node: Node, tensor: int) -> bool:
    """Whether an input has one position along an axis where the output has several."""
    ends = zip(graph.tensors[tensor].shape[2:], graph.shape_out(node)[2:], strict=False)
    return any(_everywhere((size == 1) & (out != 1)) for size, out in ends)


def through(reach: Reach, kernel: Size, stride: Size, padding: Size, dilation: Size) -> Reach:
    """The reach behind a window, as far as the three equations of the module say.

    The second 3×3 convolution of a pair sees 5×5 pixels, as one 5×5 does (arXiv:1409.1556, section 2.3):

    >>> through(through(Reach(1, 1, 0, 224), 3, 1, 1, 1), 3, 1, 1, 1)[:3]
    (5, 1, -2)
    """
    size = reach.size + (kernel - 1) * dilation * reach.jump
    return reach._replace(size=size, jump=reach.jump * stride, start=reach.start - padding * reach.jump)


def whole(reach: Reach) -> Reach:
    """What all outputs see together.

    VGG's FC layers see all of the image: the fields of pool5's 7 positions cover it (arXiv:1409.1556, Table 1).

    >>> whole(Reach(212, 32, -90, 224))[:3]
    (224, 0, 0)
    """
    start = largest(reach.start, 0)
    return Reach(reach.end - start, 0, start, reach.end, reach.exact & reach.sure, reach.sure)


def union(first: Reach, second: Reach, positions: Size) -> Reach:
    """The reach of what joins two branches with ``positions`` outputs.

    Where only their jumps differ, no common one says where an output looks: the result holds what each of them sees.
    Where one branch sees a whole map, so does what joins it.

    >>> union(Reach(3, 8, 0, 224), Reach(7, 8, -2, 224), 28)[:3]
    (7, 8, -2)
    """

    def moving() -> Reach:
        return _chosen(first.jump == second.jump, lambda: _side_by_side(first, second), lambda: _apart(*both))

    both = first, second, positions
    return _chosen(smallest(first.jump, second.jump) == 0, lambda: _still(first, second), moving)


def _side_by_side(first: Reach, second: Reach) -> Reach:
    """The union of two reaches of one jump."""
    start = smallest(first.start, second.start)
    size = largest(first.start + first.size, second.start + second.size) - start
    end, exact, sure = largest(first.end, second.end), first.exact & second.exact, first.sure & second.sure
    return Reach(size, first.jump, start, end, exact, sure)


def _apart(first: Reach, second: Reach, positions: Size) -> Reach:
    """What holds the union of two reaches of different jumps, for each output: it begins with the last one's."""
    jump, last = largest(first.jump, second.jump), positions - 1
    ahead = [each._replace(start=each.start + last * (each.jump - jump)) for each in (first, second)]
    start = smallest(ahead[0].start, ahead[1].start)
    size = largest(first.start + first.size, second.start + second.size) - start
    return Reach(size, jump, start, largest(first.end, second.end), False, first.sure & second.sure)


def _still(first: Reach, second: Reach) -> Reach:
    """The union of two reaches one of which, or both, are of whole maps: exact where it is no larger than that one."""
    one, other = whole(first), whole(second)
    joined = _side_by_side(one, other)
    size = choose(first.jump == 0, one.size, other.size)
    return joined._replace(exact=joined.exact & (joined.size == size))


def _of_output(graph: Graph, node: Node, window: Window, inputs: list[Field]) -> Field:
    """The field of a node's output, from the fields of its inputs."""
    count = len(inputs[0].axes)
    axes = tuple(_of_axis(graph, node, window, [field.axes[axis] for field in inputs], axis) for axis in range(count))
    alike = all(field.alike for field in inputs)
    if isinstance(node.op, Slice) and not alike:
        axes = tuple(reach._replace(exact=False) for reach in axes)  # it may have taken channels that see less
    mixes = node.op.weight_layer and agree((getattr(node.op, "groups", 1),), (1,))
    return Field(axes, mixes or (alike and not isinstance(node.op, Concat | Pad)))


def _of_axis(graph: Graph, node: Node, window: Window, reaches: list[Reach], axis: int) -> Reach:
    """The reach of a node's output along an axis: that of its only input behind the window, or the union of several."""
    out = _positions(graph, node.outputs[0], axis)
    behind = [_behind(reach, window, axis, out) for reach in reaches]
    if len(behind) == 1:
        return behind[0]
    spread = [
        # What has one position along the axis is used at each: a gate that scales a map.
        _chosen((_positions(graph, tensor, axis) == 1) & (out != 1), partial(whole, reach), reach.itself)
        for reach, tensor in zip(behind, node.inputs, strict=True)
    ]
    return reduce(lambda one, other: union(one, other, out), spread)


def _behind(reach: Reach, window: Window, axis: int, positions: Size) -> Reach:
    """The reach of ``positions`` outputs behind a window; one with stride 0 sees all that there is."""
    stride, padding, dilation = window.stride[axis], window.padding[axis], window.dilation[axis]
    moved = through(reach, window.kernel_size[axis], stride, padding, dilation)

    def stepping() -> Reach:
        """One by one, windows read each position, unless the map is smaller than the gaps between their taps."""
        return moved if dilation == 1 else moved._replace(sure=reach.sure & (positions > padding))

    def striding() -> Reach:
        """The last positions may stay unread; taps that lie apart, or padding alone, leave open which."""
        end = smallest(reach.end, moved.start + (positions - 1) * moved.jump + moved.size)
        return moved._replace(end=end, sure=reach.sure & (dilation == 1) & (padding < window.kernel_size[axis]))

    seen = _chosen(stride == 0, partial(whole, reach), lambda: _chosen(stride == 1, stepping, striding))
    return seen._replace(exact=seen.exact & window.exact[axis])


def _positions(graph: Graph, tensor: int, axis: int) -> Size:
    """Sizes of a map; a vector has one position."""
    axes = graph.tensors[tensor].shape[2:]
    return axes[axis] if axes else 1


def _chosen(condition: bool, one: Callable[[], Reach], other: Callable[[], Reach]) -> Reach:
    """One reach or the other, point by point; only the one that is wanted is worked out where all points agree."""
    if _everywhere(condition):
        return one()
    if not (condition.any() if hasattr(condition, "any") else condition):
        return other()
    first, second = one(), other()
    size, jump, start, end = (choose(condition, a, b) for a, b in zip(first[:4], second[:4], strict=True))
    exact, sure = (choose(condition, a, b) for a, b in zip(first[4:], second[4:], strict=True))
    return Reach(size, jump, start, end, exact, sure)


def _shown(field: Field | None) -> dict[str, Any]:
    """A field as values of the columns."""
    if field is None:
        return dict.fromkeys(column.name for column in COLUMNS)
    reaches = field.axes
    exact = all(_everywhere(reach.exact) for reach in reaches)
    return {
        "receptive_field": _short(tuple(reach.size for reach in reaches)),
        "jump": _short(tuple(reach.jump for reach in reaches)),
        "start": _short(tuple(reach.start for reach in reaches)),
        "receptive_field_status": "exact" if exact else "bound",
    }


def _short(sizes: tuple[Size, ...]) -> Size | tuple[Size, ...]:
    """One number where all axes agree, at all points of an array."""
    return sizes[0] if all(_everywhere(size == sizes[0]) for size in sizes) else sizes


def _everywhere(condition: Any) -> bool:
    """Whether a condition holds, at all points of an array; of symbols it does not."""
    return bool(condition.all()) if hasattr(condition, "all") else condition is True

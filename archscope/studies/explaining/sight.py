"""What a layer sees of the input, and of its own input: receptive field, padding, and how often a position is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from archscope.analyses.receptive_field import Field, Reach, through
from archscope.core.records import ONE_POSITION, Window
from archscope.graph.graph import Graph, Node
from archscope.studies.explaining.derivation import Step
from archscope.studies.explaining.formulas import formula, symbol

SIDES = ("height", "width")


class Reads(NamedTuple):
    """How often windows read a position of a map: at a corner, in the middle of an edge and of the map; extremes."""

    corner: int
    edge: int
    middle: int
    least: int
    most: int


def field_steps(graph: Graph, node: Node, found: Mapping[int, Field | None]) -> tuple[Step, ...]:
    """The receptive field, jump and start of a node's output, derived from those of its inputs."""
    field, window = found[node.outputs[0]], node.op.sees(*graph.shapes_in(node))
    before = [found[tensor] for tensor in node.inputs]
    if field is None or window is None:
        return plain_steps(None, ())
    if all(reach.jump == 0 for reach in field.axes):
        return plain_steps(field, ("every output sees all of the image that there is to see",))
    if len(before) == 1 and before[0] is not None and window != ONE_POSITION:
        return _through(before[0], field, window)
    sizes = [shown(each) for each in before if each is not None]
    remark = f"the union of {', '.join(sizes)}" if len(sizes) > 1 else "position by position: as its input"
    return plain_steps(field, (remark,))


def plain_steps(field: Field | None, remarks: tuple[str, ...]) -> tuple[Step, ...]:
    """A field without equations; None where it is not known."""
    if field is None:
        return (Step("receptive_field", "", "", "", None, "side", ("an op does not say what it sees",)),)
    values = [tuple(each) for each in zip(*(reach[:3] for reach in field.axes), strict=True)]
    named = zip(("receptive_field", "jump", "start"), values, strict=True)
    steps = [Step(name, "", "", "", each[0] if len(set(each)) == 1 else each, "side") for name, each in named]
    return (steps[0]._replace(remarks=(*remarks, *_status(field))), *steps[1:])


def shown(field: Field) -> str:
    """The size of a field in words, per axis where axes differ."""
    return "×".join(str(each) for each in dict.fromkeys(reach.size for reach in field.axes))


def _status(field: Field) -> tuple[str, ...]:
    return () if all(reach.exact for reach in field.axes) else ("a bound: no output sees more",)


def _through(before: Field, field: Field, window: Window) -> tuple[Step, ...]:
    """The three equations, for both axes at once where they are the same."""
    letters = [(*reach[:3], *numbers) for reach, *numbers in zip(before.axes, *window[:4], strict=True)]
    apart = {name for name, *values in zip("rjaKSPD", *letters, strict=True) if len(set(values)) > 1}
    steps: list[Step] = []
    for side, values, reach in zip(SIDES, letters, field.axes, strict=False):
        if reach.jump == 0:
            steps.append(Step("receptive_field", "", "", "", reach.size, "side", ("all that there is to see",), side))
        else:
            named = {
                f"{name}_{side[0]}" if name in apart else name: value
                for name, value in zip("rjaKSPD", values, strict=True)
            }
            steps += _equations(named, side if apart else "")
        if not apart:
            break
    return (steps[0]._replace(remarks=(*steps[0].remarks, *_status(field))), *steps[1:])


def _equations(values: Mapping[str, int], side: str) -> list[Step]:
    """Araujo et al.'s equations for one axis, by the rule that computes them, on these letters."""
    size, jump, start, *window = (
        1 if name[0] == "D" and value == 1 else symbol(name) for name, value in values.items()
    )
    ahead = through(Reach(size, jump, start, 0), *window)
    return [
        Step(quantity, left, each.symbols, each.numbers, each.value, "side", label=side)
        for quantity, left, each in zip(
            ("receptive_field", "jump", "start"),
            ("r′", "j′", "a′"),
            (formula(each, values) for each in ahead[:3]),
            strict=True,
        )
    ]


def padding_name(kernel: int, padding: int, dilation: int = 1) -> str:
    """What a padding is called, by both of its names; empty for a kernel of one position without any.

    Names as in Dumoulin and Visin, "A guide to convolution arithmetic for deep learning" (arXiv:1603.07285, section 2),
    and in the older literature on convolution: narrow, equal, wide.

    >>> padding_name(3, 0), padding_name(3, 1), padding_name(3, 2)
    ('valid (narrow)', 'same (half, equal)', 'full (wide)')
    """
    reach = dilation * (kernel - 1)
    if reach == padding == 0:
        return ""
    names = {0: "valid (narrow)", reach: "full (wide)"}
    if 2 * padding == reach:
        return "same (half, equal)"
    return names.get(padding, f"{padding} at each border, of no name")


def with_rounding(graph: Graph, node: Node, sizes: Sequence[Step]) -> tuple[Step, ...]:
    """Steps of a window's output sizes, with what its padding is called and what rounding does."""
    window = node.op.window
    if window is None:
        return tuple(sizes)
    shape = graph.shapes_in(node)[0][2:]
    ceil_mode = bool(getattr(node.op, "ceil_mode", False))
    steps = []
    for step in sizes:
        axis = 1 if step.left.endswith("_w") else 0
        name = padding_name(window.kernel_size[axis], window.padding[axis], window.dilation[axis])
        told = (f"padding: {name}" if name else "", rounding(shape[axis], window, axis, ceil_mode=ceil_mode))
        steps.append(step._replace(remarks=tuple(each for each in told if each)) if axis < len(shape) else step)
    return tuple(steps)


def reading(graph: Graph, node: Node) -> tuple[str, ...]:
    """How often a window reads the positions of its input, in words."""
    shape = graph.shapes_in(node)[0][2:]
    if node.op.window is None or len(shape) != 2:
        return ()
    found = reads((shape[0], shape[1]), graph.shape_out(node)[2:], node.op.window)
    whose = " for each output channel" if node.op.weight_layer else ""
    if found.least == found.most:
        times = {1: "once", 2: "twice"}.get(found.most, f"{found.most} times")
        return (f"each input position is read {times}{whose}",)
    if node.op.window.stride == (1, 1):
        corner, edge, middle = found[:3]
        return (f"an input position is read {corner}× at a corner, {edge}× at an edge, {middle}× inside{whose}",)
    never = "; those read 0 times are lost" if found.least == 0 else ""
    return (f"an input position is read {found.least} to {found.most} times{whose}{never}",)


def reads(sizes: tuple[int, ...], outputs: tuple[int, ...], window: Window) -> Reads:
    """How often the positions of a map of two axes are read, for one output channel.

    3×3 without padding reads a corner once and the middle 9 times; with a padding of 1 the corner 4 times:

    >>> reads((8, 8), (6, 6), Window((3, 3)))[:3], reads((8, 8), (8, 8), Window((3, 3), padding=(1, 1)))[:3]
    ((1, 3, 9), (4, 6, 9))
    """
    per_axis = [_reads_along(*numbers) for numbers in zip(sizes, outputs, *window[:4], strict=True)]
    (high, wide) = per_axis
    middles = (high[len(high) // 2], wide[len(wide) // 2])
    edge = min(high[0] * middles[1], middles[0] * wide[0])
    return Reads(high[0] * wide[0], edge, middles[0] * middles[1], min(high) * min(wide), max(high) * max(wide))


def _reads_along(size: int, outputs: int, kernel: int, stride: int, padding: int, dilation: int) -> list[int]:
    counts = [0] * size
    for output in range(outputs):
        for tap in range(kernel):
            position = output * stride - padding + tap * dilation
            if 0 <= position < size:
                counts[position] += 1
    return counts


def rounding(size: int, window: Window, axis: int, *, ceil_mode: bool) -> str:
    """What the division in an output size leaves over, and what becomes of it; empty where nothing can be left."""
    kernel, stride, padding, dilation = (each[axis] for each in window[:4])
    steps, rest = divmod(size + 2 * padding - dilation * (kernel - 1) - 1, stride)
    if stride == 1:
        return ""
    if rest == 0:
        return "the division leaves nothing over"
    if ceil_mode and (steps + 1) * stride >= size + padding:
        return f"the division leaves {rest} over; one more window would begin beyond the map, and there is none"
    if ceil_mode:
        return f"the division leaves {rest} over; rounded up: the last window reaches {stride - rest} over the border"
    lost = max(0, rest - padding)
    what = f"the last {lost} of the map is not read" if lost else "only padding is not read"
    return f"the division leaves {rest} over; rounded down: {what}"

"""Flattening, put between a feature map and an FC layer; tables leave it out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from archscope.core.arithmetic import Shape, product
from archscope.core.records import ONE_POSITION, Call, MemoryRule, Seen, Setting, Window
from archscope.ops import Moving, Op


@dataclass(frozen=True, slots=True)
class Flatten(Moving):
    """``torch.flatten`` of all axes but the batch: a view.

    >>> Flatten().out_shape((1, 512, 7, 7))
    (1, 25088)
    """

    notation: ClassVar[str | None] = "flatten"
    captures: ClassVar[tuple[str, ...]] = ("flatten", "view", "reshape", "_unsafe_view")

    def out_shape(self, *inputs: Shape) -> Shape:
        return (inputs[0][0], product(inputs[0][1:]))

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        return MemoryRule(out="view", grads="alias")

    def sees(self, *inputs: Shape) -> Window | None:
        axes = inputs[0][2:]
        return Window((axes[0], axes[1]), (0, 0)) if len(axes) == 2 else ONE_POSITION if not axes else None

    def torch(self, *inputs: Shape) -> Call:
        return Call("torch.flatten", (1,))

    @classmethod
    def captured(cls, seen: Seen) -> Op | None:
        given = seen["self"]
        flat = given._replace(shape=(given.shape[0], product(given.shape[1:]))) if len(given.shape) > 2 else None
        return cls() if seen.run() == (flat,) else None  # of one storage: it was not copied

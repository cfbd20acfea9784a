"""The contract of an op, and how ops are found. One file per op; the folder is the register.

An op describes itself as data and arithmetic, never as torch: it returns plain records that the module target calls,
the source target prints and the tests compare with torch on the meta device. Its file bears the leading letters of
its notation (``conv3-64`` -> ``conv.py``, ``soft-max`` -> ``softmax.py``): a cell finds it without importing others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from functools import cache, lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

from archscope.core.arithmetic import Shape, Size, product
from archscope.core.errors import Problem, Unsupported
from archscope.core.records import ONE_POSITION, Aux, Call, InnerCall, MemoryRule, Seen, Setting, Window

_LETTERS = re.compile(r"[A-Za-z]+(?:-[A-Za-z]+)*")


class Op:
    """One kind of operation, with its settings as torch.nn names them. Subclasses are frozen dataclasses.

    Shapes carry the batch. A rule that a subclass cannot give returns None and makes the totals a lower bound; it
    never returns 0 for "unknown".
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]

    notation: ClassVar[str | None] = None
    """How a cell spells it: ``conv{kernel_size}-{out_channels}[/{stride}]``; brackets hold what may be left out. None
    for an op that only captured modules have. Any other field may follow as ``name=value``."""

    words: ClassVar[dict[str, tuple[str, Any]]] = {}
    """Words that may follow the notation, each setting one field: ``{"ceil": ("ceil_mode", True)}``."""

    rank: ClassVar[int | None] = None
    """How many axes its input must have; None when it takes any."""

    follows_flatten: ClassVar[bool] = False
    """Whether between a feature map and an FC layer it works on the flattened vector; others work on the map."""

    joins: ClassVar[bool] = False
    """Whether it makes one tensor of several: what branches may be joined with, and no layer of its own."""

    nonlinearity: ClassVar[bool] = False
    """Whether it is what keeps two layers with weights from being one: an activation function."""

    weight_layer: ClassVar[bool] = False
    """Whether papers count it when they say how deep a network is: layers with a weight matrix."""

    captures: ClassVar[tuple[str, ...]] = ()
    """The torch operators that it may be when a module is captured: ATen's by their names (``conv2d``, ``relu_``),
    others with where they come from (``torchvision::nms``, ``torch.nn.functional.local_response_norm``), and
    ``pointwise``, ``reduction``, ``view`` for all that torch marks so. Ops with a notation are asked first."""

    stores: ClassVar[tuple[str, ...]] = ()
    """Arguments of these operators that are its weights and buffers; a list stands for all weights, in their order."""

    infers: ClassVar[bool] = True
    """Whether its output's shape and its first input's type are what torch returns, so that torch need not be asked."""

    packs: ClassVar[bool] = False
    """Whether its output has no gaps whatever the layout of its inputs; others keep that of an image with its channels
    last, or of what was permuted."""

    @classmethod
    def captured(cls, seen: Seen) -> Op | None:
        """The op that such a call of one of ``captures`` is; None for one that it is not."""
        return cls(*(seen[each.name] for each in fields(cls)))

    @property
    def label(self) -> str:
        """What rows and messages call it where no cell can spell it."""
        return type(self).__name__

    def out_shape(self, *inputs: Shape) -> Shape:
        """Shape of the output. Raises ShapeError where the sizes do not fit."""
        raise NotImplementedError

    def out_shapes(self, *inputs: Shape) -> tuple[Shape, ...]:
        """Shapes of all outputs, for an op that has several."""
        return (self.out_shape(*inputs),)

    def weights(self, *inputs: Shape) -> dict[str, Shape]:
        """Learnable parameters: name -> shape. Params, bytes and state-dict checks all follow from it."""
        return {}

    def buffers(self, *inputs: Shape) -> dict[str, tuple[Shape, str]]:
        """What is stored but not learnt: name -> (shape, dtype)."""
        return {}

    def macs(self, *inputs: Shape) -> Size | None:
        """Multiply-accumulates of convolutions and matrix products; bias adds are not counted."""
        return None

    def gradient_macs(self, *inputs: Shape) -> dict[str, Size] | None:
        """MACs of the gradient of each operand of its products, by name: ``input0``, ``weight``. None where unknown.

        A product's gradients cost what the product costs, each.
        """
        macs = self.macs(*inputs)
        return None if macs is None else {"input0": macs, "weight": macs}

    def elementwise(self, *inputs: Shape) -> Size | None:
        """Floating point operations besides the MACs: bias adds, comparisons, additions, one each."""
        return None

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        """What it allocates, shares and keeps for backward."""
        return None

    @property
    def in_place(self) -> bool:
        """Whether the result overwrites the input."""
        return False

    @property
    def stops_gradient(self) -> bool:
        """Whether no gradient goes through it."""
        return False

    @property
    def window(self) -> Window | None:
        """The window it slides over its input; None where it reads one position, or all of them."""
        return None

    def sees(self, *inputs: Shape) -> Window | None:
        """Which positions of such inputs one position of the output is made of; the receptive field follows from it.

        None where that is not known, and with it the receptive field of all that follows.
        """
        return self.window

    def torch(self, *inputs: Shape) -> Call:
        """The torch module or function that does this on such inputs. Raises Unsupported where it was only seen."""
        raise Unsupported(Problem("no-call", f"{self.label} was seen in a module, and cannot be built from a graph"))


class Elementwise(Op):
    """An op that maps each number of one tensor to one number, without parameters."""

    def out_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def macs(self, *inputs: Shape) -> Size | None:
        return 0

    def sees(self, *inputs: Shape) -> Window | None:
        return ONE_POSITION


class Activation(Elementwise):
    """An op between layers that torch has as a module which may work in place."""

    nonlinearity: ClassVar[bool] = True

    inplace: bool
    module: ClassVar[str]
    """Torch's module, made with no argument but ``inplace``, and that only where the op has such a field."""

    cost: ClassVar[int] = 1
    """Operations per number."""

    keeps: ClassVar[str] = "input0"
    """What backward needs: the input, or the output where the derivative follows from that."""

    @property
    def in_place(self) -> bool:
        return "inplace" in self.__dataclass_fields__ and self.inplace

    def elementwise(self, *inputs: Shape) -> Size | None:
        return self.cost * product(inputs[0])

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        if not self.in_place or self.keeps == "output":
            return MemoryRule(out="inplace" if self.in_place else "new", saved=(self.keeps,))
        # Backward needs the input that is overwritten: autograd copies it, and nothing is saved.
        return MemoryRule(
            out="inplace", aux=(Aux("self_clone", product(inputs[0]), recorded=True),), saved=("self_clone",)
        )

    def torch(self, *inputs: Shape) -> Call:
        return Call(self.module, (), {"inplace": True} if self.in_place else {})

    @classmethod
    def captured(cls, seen: Seen) -> Op | None:
        return cls(*([seen.in_place] if fields(cls) else []))


class Moving(Op):
    """An op that only moves numbers about: no parameters, nothing computed."""

    def macs(self, *inputs: Shape) -> Size | None:
        return 0

    def elementwise(self, *inputs: Shape) -> Size | None:
        return 0


@dataclass(frozen=True, slots=True)
class Observed(Op):
    """An operator that capturing knows by its ``function``'s name and the ``shapes`` that it was seen to return."""

    function: str
    shapes: tuple[Shape, ...]

    infers: ClassVar[bool] = False

    @property
    def label(self) -> str:
        return self.function

    def out_shape(self, *inputs: Shape) -> Shape:
        return self.shapes[0]

    def out_shapes(self, *inputs: Shape) -> tuple[Shape, ...]:
        return self.shapes


def in_turn(rules: Sequence[MemoryRule], elements: Size) -> MemoryRule:
    """The rule of ``a + b + c``: two at a time, from the left, each sum of that many elements.

    rules: of each sum, in order.
    """
    if len(rules) == 1:
        return rules[0]
    sums = range(len(rules) + 1, 2 * len(rules))
    pairs = [(0, 1), *((before, other) for other, before in enumerate(sums, 2))]
    return MemoryRule(calls=tuple(InnerCall(rule, pair, elements) for rule, pair in zip(rules, pairs, strict=True)))


@lru_cache(maxsize=4096)
def letters(text: str) -> str:
    """The letters that a cell, or a notation, begins with; they name its op's file.

    >>> letters("conv3-64"), letters("FC-4096"), letters("soft-max")
    ('conv', 'fc', 'softmax')
    """
    match = _LETTERS.match(text.strip())
    return match.group().replace("-", "").lower() if match else ""


@cache
def named() -> list[str]:
    """The names of all op files, sorted."""
    return sorted(p.stem for p in Path(__file__).parent.glob("*.py") if p.stem != "__init__")


def find(name: str, extra: Iterable[type[Op]] = ()) -> type[Op] | None:
    """The op class that cells beginning with ``name`` mean: the caller's own, ours, or an installed entry point's.

    Raises Unsupported when two of them bear one name, naming both.
    """
    own = [op for op in extra if op.notation is not None and letters(op.notation) == name]
    ours = [_class_in(name)] if name in named() else []
    found = [*own, *ours] or _entry_points(name)
    if len(found) > 1:
        both = " and ".join(f"{op.__module__}.{op.__qualname__}" for op in found)
        raise Unsupported(
            Problem("duplicate-op", f"{both} both read cells that begin with {name!r}", help="rename one of them")
        )
    return found[0] if found else None


def everything() -> list[type[Op]]:
    """All op classes of the folder, in the order of their names."""
    return [_class_in(name) for name in named()]


@lru_cache(maxsize=256)
def _class_in(name: str) -> type[Op]:
    module = import_module(f"archscope.ops.{name}")
    classes = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Op) and value.__module__ == module.__name__
    ]
    if len(classes) != 1:
        raise Unsupported(Problem("op-file", f"{module.__name__} defines {len(classes)} ops; a file holds exactly one"))
    return classes[0]


def _entry_points(name: str) -> list[type[Op]]:
    from importlib.metadata import entry_points

    return [point.load() for point in entry_points(group="archscope.ops", name=name)]

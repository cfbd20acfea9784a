"""The plain records that ops and graphs exchange."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from archscope.core.arithmetic import Shape, Size

Pair = int | tuple[int, int]
"""One number for both axes, or (height, width); torch.nn takes the same."""

Natural = int
"""A number that may be 0. A field of an op annotated ``int`` may not: a cell with 0 there is an error."""

Padding = int | tuple[int, int]
"""Like :data:`Pair`, and may be 0."""

ITEM_BYTES = {
    "float64": 8, "float32": 4, "float16": 2, "bfloat16": 2,
    "int64": 8, "int32": 4, "int16": 2, "int8": 1, "uint8": 1, "bool": 1,
}  # fmt: skip
"""Bytes of one element, by torch's name of the type."""


def pair(value: Pair) -> tuple[int, int]:
    """(height, width) of a value that may be given once for both.

    >>> pair(3), pair((1, 7))
    ((3, 3), (1, 7))
    """
    return value if isinstance(value, tuple) else (value, value)


def short(value: Pair) -> Pair:
    """The way one writes it by hand: one number where both axes agree.

    >>> short((3, 3)), short((1, 7))
    (3, (1, 7))
    """
    return value[0] if isinstance(value, tuple) and value[0] == value[1] else value


def axes(value: Any) -> Pair:
    """What torch was given for both axes, as one writes it by hand; torch takes lists of one number, too.

    >>> axes([3, 3]), axes([2]), axes((1, 7))
    (3, 2, (1, 7))
    """
    numbers = (value,) if isinstance(value, int) else tuple(value)
    return numbers[0] if len(numbers) == 1 else short((numbers[0], numbers[1]))


def spelled(shapes: tuple[Shape, ...]) -> str:
    """Shapes as messages show them, without the batch.

    >>> spelled(((1, 64, 28, 28), (1, 128, 27, 27)))
    '64×28×28, 128×27×27'
    """
    return ", ".join("×".join(str(size) for size in shape[1:]) for shape in shapes)


class Optimizer(NamedTuple):
    """What updates the parameters, with torch.optim's names. Only ``sgd`` has a momentum to set.

    implementation: ``for-loop``, ``foreach`` or ``fused``; empty for torch's default, ``foreach`` on a GPU and
    ``for-loop`` on a CPU.
    """

    name: str = "sgd"
    momentum: float = 0.9
    weight_decay: float = 0.0
    implementation: str = ""


class Setting(NamedTuple):
    """What a number depends on besides the network.

    batch: examples at once. dtype: type of parameters and activations. mode: ``eval`` or ``train`` (auxiliary heads
    run, dropout draws a mask). optimizer: for training. device: ``cpu`` or ``cuda``. amp: the type that
    ``torch.autocast`` computes convolutions and matrix products in; empty without it. grads: ``none`` where gradients
    are freed before the forward pass (``zero_grad``'s default), ``resident`` where they stay, as in accumulation.
    """

    batch: int = 1
    dtype: str = "float32"
    mode: str = "eval"
    optimizer: Optimizer = Optimizer()
    device: str = "cuda"
    amp: str = ""
    grads: str = "none"

    @property
    def in_words(self) -> str:
        """``float32, SGD, momentum 0.9, on cuda``: what a training figure depends on."""
        chosen = self.optimizer
        words = [self.dtype if not self.amp else f"float32 with {self.amp} autocast"]
        words.append({"sgd": "SGD", "adam": "Adam", "adamw": "AdamW"}[chosen.name])
        words += [f"momentum {chosen.momentum}"] if chosen.momentum else []
        words += [f"weight decay {chosen.weight_decay}"] if chosen.weight_decay else []
        words += [chosen.implementation] if chosen.implementation else []
        words += ["gradients resident"] if self.grads == "resident" else []
        return ", ".join([*words, f"on {self.device}"])

    @property
    def item_bytes(self) -> int:
        """Bytes of one parameter or activation."""
        return ITEM_BYTES[self.dtype]

    @property
    def statistic_bytes(self) -> int:
        """Bytes of a mean or deviation that a norm keeps: of the parameters' own type; a GPU takes at least float32."""
        return 4 if self.device == "cuda" and self.item_bytes < 4 else self.item_bytes


class Tensor(NamedTuple):
    """A value in a graph: its shape with batch, its type, and the storage it lies in.

    dtype is ``float`` where it follows the setting, else torch's name. Tensors of one storage share memory: a view or
    an in-place result has its input's.
    """

    shape: Shape
    dtype: str = "float"
    storage: int = -1


class Window(NamedTuple):
    """The window that an op slides over its input, per axis (height, width); the receptive field follows from it.

    A stride of 0 is a window that stays where it is: every output sees the same. exact: whether each output sees
    exactly such a window, and not less.
    """

    kernel_size: tuple[Size, Size]
    stride: tuple[Size, Size] = (1, 1)
    padding: tuple[Size, Size] = (0, 0)
    dilation: tuple[Size, Size] = (1, 1)
    exact: tuple[bool, bool] = (True, True)


ONE_POSITION = Window((1, 1))
"""What an op sees that maps each position by itself: elementwise ones, norms, joins."""


@dataclass(frozen=True, slots=True)
class Call:
    """How torch says an op: ``Call("nn.Conv2d", (64, 128, 3), {"padding": 1})``.

    A name that starts with ``nn.`` is a module made with these arguments. Any other is a function (``torch.flatten``)
    that takes the node's inputs first: one by one, or as one list where ``listed`` is set (``torch.cat``). What torch
    has neither for is a module of the class that ``name`` is given here: ``forward`` is the body of its forward, a
    statement a line, which makes of ``x`` what it returns; it has the values of ``kwargs`` as ``self.p``.
    """

    name: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    listed: bool = False
    forward: str = ""

    @property
    def is_module(self) -> bool:
        """Whether it names a module, not a function."""
        return self.name.startswith("nn.") or bool(self.forward)


@dataclass(slots=True)
class Seen:
    """A call of a torch operator as capturing saw it: what an op takes its settings from.

    name: ``conv2d`` for ATen's, ``torchvision::nms`` for others, ``torch.nn.functional.local_response_norm`` for a
    function. arguments: by the names of its schema, what was left out filled in; each tensor as a :class:`Tensor`.
    run: what torch makes of it, for an op that cannot tell by itself. changed: what it writes to.
    """

    name: str
    arguments: dict[str, Any]
    run: Callable[[], tuple[Tensor, ...]] = tuple
    pointwise: bool = False
    reduction: bool = False
    view: bool = False
    changed: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Any:
        return self.arguments[name]

    def get(self, name: str) -> Any:
        """The argument called ``name``; None where the operator has none."""
        return self.arguments.get(name)

    def shape(self, name: str) -> Shape:
        """Shape of a tensor that was given; () where it was left out."""
        tensor = self.arguments.get(name)
        return tensor.shape if isinstance(tensor, Tensor) else ()

    def tensors(self) -> list[Tensor]:
        """Every tensor that was given, in order, those in lists too."""
        found: list[Tensor] = []
        for value in self.arguments.values():
            found += [value] if isinstance(value, Tensor) else []
            found += [each for each in value if isinstance(each, Tensor)] if type(value) in {list, tuple} else []
        return found

    @property
    def in_place(self) -> bool:
        """Whether it overwrites one of its inputs."""
        return bool(self.changed)


class Aux(NamedTuple):
    """A tensor that an op makes beside its output: pool indices, a dropout mask, statistics.

    item_bytes 0 means the activation's own type. recorded: it is made only while autograd records.
    """

    name: str
    elements: Size
    item_bytes: int = 0
    recorded: bool = False


class MemoryRule(NamedTuple):
    """What one call of an op does to memory under torch's eager autograd.

    out: ``new``, ``inplace`` (the input's storage is overwritten) or ``view`` (it is shared).
    aux: tensors made beside the output. saved: what backward keeps, by name (``input``, ``input0``, ``output``,
    ``output1``, ``weight``, an aux name). grads: whether the gradient of an input is ``new``, an ``alias`` of the
    output's gradient, or a ``part`` of it (an alias with gaps). transient: elements that only live while backward of
    this op runs.
    factors: those that are saved are multiplied, and each is kept only where another one's gradient is wanted.
    autocast: under ``torch.autocast`` it computes in ``low`` (16 bits) or in ``float32``; else in what its inputs are.
    calls: what torch itself makes of it where it is several calls, each saving and freeing its own; then only ``out``
    and ``aux``, with nothing in it, hold for the whole.
    """

    out: str = "new"
    aux: tuple[Aux, ...] = ()
    saved: tuple[str, ...] = ()
    grads: str = "new"
    transient: Size = 0
    factors: bool = False
    autocast: str = ""
    calls: tuple[InnerCall, ...] = ()


class InnerCall(NamedTuple):
    """One of the calls that an op is made of.

    rule: what it does. inputs: what it reads, the op's own inputs first and then the results of the calls before it, by
    number. elements: of its result. held: the call, by number, during which Python lets go of the result; by default
    the last one that reads it.
    """

    rule: MemoryRule
    inputs: tuple[int, ...]
    elements: Size
    held: int = -1

"""What a caller may change about any network: the arguments of ``load`` and the flags of every command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, TypedDict

from archscope.core.arithmetic import Ratio, is_many
from archscope.core.errors import Problem, UsageError, nearest

if TYPE_CHECKING:
    from fractions import Fraction

Blocks = Sequence[int] | Sequence[Sequence[int]] | Sequence[int | str]
"""Convolutions, or repeated blocks, per stage, ``[1, 1, 2, 2, 2]``; with channels, ``((1, 64), (1, 128), …)``; or
``[64, "M", 128, …]``."""

LARGEST = 10_000_000
"""The largest size that may be asked for, as in a cell."""

HEADS = ("fc", "gap")
BATCH_NORMS = ("none", "conv", "relu", "conv+fc", "relu+fc")


class Changes(TypedDict, total=False):
    """:class:`Options` as keyword arguments, for type checkers; widths may be given as text or numbers."""

    num_classes: int | None
    in_channels: int | None
    input_size: tuple[int, int] | None
    width: Fraction | Ratio | float | str | None
    head_width: Fraction | Ratio | float | str | None
    round_to: int | None
    dropout: float | None
    head: str | None
    dense: bool
    blocks: Blocks | None
    bn: str | None
    conv_bias: bool | None
    adaptive_pool: bool
    softmax: bool | None
    aux: bool
    transform_input: bool
    set: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class Options:
    """Changes to a network. None leaves what the table says.

    num_classes: outputs of the classifier and of every auxiliary head. in_channels, input_size: of the input.
    width: factor on conv channels, ``"1/4"``; rounded to multiples of ``round_to`` and of the groups that they are made
    or taken in, never below one. head_width: factor on the FC layers before the classifier. dropout: share dropped,
    everywhere. head: ``gap`` puts global average pooling in place of the hidden FC layers. dense: FC layers as
    convolutions, for dense evaluation. blocks: how many convolutions each stage has, or how often each block that its
    table repeats is repeated. bn: batch norm after each ``conv``, after its ``relu``, there and after the hidden FC
    layers (``conv+fc``, ``relu+fc``), or ``none``. conv_bias: whether convolutions have biases. adaptive_pool:
    torchvision's pool in front of the head, so that the same weights fit any input. softmax: keep the soft-max as a
    layer; left out, a table's goes, since modules return logits, and one that you wrote yourself stays. aux: keep the
    auxiliary heads. transform_input: map an input normalised for ImageNet to the (x − 0.5) / 0.5 that some of
    torchvision's weights were trained on. set: cells of its table that hold another text: ``{"inception (4a).#3×3":
    "192"}``, see :mod:`archscope.spec.overriding`.
    """

    num_classes: int | None = None
    in_channels: int | None = None
    input_size: tuple[int, int] | None = None
    width: Fraction | Ratio | None = None
    head_width: Fraction | Ratio | None = None
    round_to: int | None = None
    dropout: float | None = None
    head: str | None = None
    dense: bool = False
    blocks: Blocks | None = None
    bn: str | None = None
    conv_bias: bool | None = None
    adaptive_pool: bool = False
    softmax: bool | None = None
    aux: bool = True
    transform_input: bool = False
    set: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        for name in ("width", "head_width"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, Ratio):
                object.__setattr__(self, name, factor(value, name))
        if isinstance(self.input_size, int):
            object.__setattr__(self, "input_size", (self.input_size, self.input_size))
        elif isinstance(self.input_size, list):
            object.__setattr__(self, "input_size", tuple(self.input_size))
        among("head", self.head, HEADS)
        among("bn", self.bn, BATCH_NORMS)
        for name in ("num_classes", "in_channels", "round_to"):
            _positive(name, getattr(self, name))
        if self.input_size is not None and not _is_pair(self.input_size):
            expected = "a number, or (height, width)"
            raise UsageError(Problem("bad-value", f"input_size is {self.input_size!r}", expected=expected))
        if self.dropout is not None and not (isinstance(self.dropout, int | float) and 0 <= self.dropout < 1):
            expected = "a share from 0 up to, not including, 1"
            raise UsageError(Problem("bad-value", f"dropout is {self.dropout!r}", expected=expected))
        if self.set is not None and not _is_texts(self.set):
            expected = 'texts by cell, such as {"inception (4a).#3×3": "192"}'
            raise UsageError(Problem("bad-value", f"set is {self.set!r}", expected=expected))


def options(given: Mapping[str, Any]) -> Options:
    """Options by name. Raises UsageError for a name that no option has."""
    known = [field.name for field in fields(Options)]
    for name in given:
        if name not in known:
            help_line = nearest(name, known)
            problem = Problem("unknown-option", f"a network has no option {name!r}", None, ", ".join(known), help_line)
            raise UsageError(problem)
    return Options(**given)


def with_example(chosen: Options, texts: Sequence[str]) -> Options:
    """The options with the input that a text says: ``3x224x224``, ``224x224`` or ``224``. Raises UsageError."""
    text = " ".join(texts)
    parts = text.lower().replace("×", "x").split("x")
    if not all(part.isdecimal() and int(part) > 0 for part in parts) or len(parts) > 3:
        expected = "channels x height x width, such as 3x224x224"
        raise UsageError(Problem("bad-value", f"--input is {text!r}", expected=expected))
    sizes = [int(part) for part in parts]
    channels = sizes[0] if len(sizes) == 3 else None
    if channels is not None and chosen.in_channels not in {None, channels}:
        message = f"--input {text} has {channels} channels, and --in-channels says {chosen.in_channels}"
        raise UsageError(Problem("bad-value", message))
    size = (sizes[0], sizes[0]) if len(sizes) == 1 else (sizes[-2], sizes[-1])
    return replace(chosen, input_size=size, in_channels=chosen.in_channels or channels)


def factor(value: Fraction | float | str, name: str = "width") -> Fraction:
    """A width multiplier as an exact fraction: ``"1/4"``, ``0.25`` or ``2``. Raises UsageError for anything else.

    >>> factor("1/4"), factor(0.25)
    (Fraction(1, 4), Fraction(1, 4))
    """
    from fractions import Fraction

    text = str(value)
    try:
        small = "/" in text or 0 < float(text) <= 1000  # looked at first: the fraction of 1e999999999 takes for ever
        exact = Fraction(text) if small and len(text) <= 40 else Fraction(0)
    except (ValueError, ZeroDivisionError) as error:
        raise UsageError(
            Problem("bad-value", f"{name} is {value!r}", expected="a number such as 1/4, 0.25 or 2")
        ) from error
    if not 0 < exact <= 1000:
        raise UsageError(Problem("bad-value", f"{name} is {value!r}", expected="a number above 0 and at most 1000"))
    return exact


def among(name: str, value: str | None, known: Sequence[str]) -> None:
    """Raises UsageError for a value that is none of the known ones."""
    if value is not None and value not in known:
        raise UsageError(Problem("bad-value", f"{name} is {value!r}", expected=", ".join(known)))


def _positive(name: str, value: int | None) -> None:
    if value is not None and not _is_count(value):
        raise UsageError(Problem("bad-value", f"{name} is {value!r}", expected=f"a whole number from 1 to {LARGEST:,}"))


def _is_count(value: object) -> bool:
    return is_many(value) or (isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= LARGEST)


def _is_texts(value: object) -> bool:
    return isinstance(value, Mapping) and all(isinstance(each, str) for pair in value.items() for each in pair)


def _is_pair(value: object) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and all(map(_is_count, value))

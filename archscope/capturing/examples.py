"""What a module is run on: shapes of one example, with a type and a name if need be, or the user's own tensors."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import nn

from archscope.capturing.loading import found_at, read_address
from archscope.capturing.places import place_of_error, span_of
from archscope.core.errors import Problem, Unsupported, UsageError
from archscope.core.records import ITEM_BYTES

_SHAPES = re.compile(r"([A-Za-z_]\w*:)?[\dx×X]*(:[a-z]+\d*)?")
"""``3x224x224``, ``ids:128:int64``: what is no address."""


class Example(NamedTuple):
    """Arguments of a forward: by position and by name."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]


def made_example(given: Any, batch: int, dtype: torch.dtype, device: str = "meta") -> Example:
    """The arguments that ``given`` describes, for ``batch`` examples.

    given: a shape, (3, 224, 224); a text, ``3x224x224`` or ``ids:128:int64``; several of them in a list, or by name in
    a dictionary; tensors, which have their batch; a function that makes any of these, taking the batch if it wants it.
    dtype: of what says none. Raises UsageError for anything else.
    """
    if callable(given) and not isinstance(given, torch.Tensor):
        return _returned(given, batch, dtype, device)
    if isinstance(given, Example):
        return given
    if isinstance(given, Mapping):
        return Example((), {name: _value(each, batch, dtype, device) for name, each in given.items()})
    if isinstance(given, str) or _is_shape(given) or _is_typed(given):
        given = [given]
    if isinstance(given, torch.Tensor):
        return Example((given,), {})
    if not isinstance(given, Sequence) or not given:
        raise _unreadable(given)
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    for each in given:
        name, value = _parsed(each) if isinstance(each, str) else ("", each)
        made = _value(value, batch, dtype, device)
        if name:
            kwargs[name] = made
        else:
            args.append(made)
    return Example(tuple(args), kwargs)


def _returned(function: Callable[..., Any], batch: int, dtype: torch.dtype, device: str) -> Example:
    """What a user's function makes: a tensor, a tuple of arguments, a dictionary of named ones, or both."""
    name = getattr(function, "__name__", type(function).__name__)
    try:
        made = function(batch) if inspect.signature(function).parameters else function()
    except Exception as error:
        message = f"{name}, which makes the input, raised {type(error).__name__}: {error}"
        raise Unsupported(Problem("input-raised", message, span_of(place_of_error(error)))) from error
    if isinstance(made, tuple) and len(made) == 2 and isinstance(made[0], tuple) and isinstance(made[1], dict):
        return Example(*made)
    if isinstance(made, tuple) and not _is_shape(made):
        return Example(made, {})
    return made_example(made, batch, dtype, device)


def _parsed(text: str) -> tuple[str, Any]:
    """Name and value of ``3x224x224``, ``ids:128``, ``128:int64`` or ``ids:128:int64``."""
    parts = text.replace("×", "x").split(":")
    name = parts.pop(0) if len(parts) > 1 and not _is_size(parts[0]) else ""
    if len(parts) > 2 or not _is_size(parts[0]) or (name and not name.isidentifier()):
        raise _unreadable(text)
    shape = tuple(int(size) for size in parts[0].lower().split("x") if size)
    if len(parts) == 1:
        return name, shape
    if parts[1] not in ITEM_BYTES:
        raise UsageError(
            Problem("bad-value", f"input is {text!r}: no type is called {parts[1]!r}", None, ", ".join(ITEM_BYTES))
        )
    return name, (shape, parts[1])


def _value(value: Any, batch: int, dtype: torch.dtype, device: str) -> Any:
    """A tensor for a shape, with the batch in front; anything else as it is."""
    if isinstance(value, str):
        value = _parsed(value)[1]
    if _is_typed(value):
        return _tensor((batch, *value[0]), getattr(torch, value[1]), device)
    return _tensor((batch, *value), dtype, device) if _is_shape(value) else value


def _tensor(shape: tuple[int, ...], dtype: torch.dtype, device: str) -> torch.Tensor:
    if device == "meta":
        return torch.empty(shape, dtype=dtype, device=device)
    if dtype.is_floating_point:
        return torch.rand(shape, dtype=dtype, device=device)
    return torch.zeros(shape, dtype=dtype, device=device)


def _is_size(text: str) -> bool:
    parts = text.lower().split("x")
    return text == "" or all(part.isdecimal() and int(part) > 0 for part in parts)


def _is_shape(value: Any) -> bool:
    listed = isinstance(value, Sequence) and not isinstance(value, str)
    return listed and value != [] and all(type(each) is int for each in value)


def _is_typed(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and _is_shape(value[0]) and isinstance(value[1], str)


def _unreadable(given: Any) -> UsageError:
    expected = "a shape of one example such as 3x224x224, with a name and a type if need be: ids:128:int64"
    return UsageError(Problem("bad-value", f"input is {given!r}", expected=expected))


def example_for(module: nn.Module, given: Any, name: str) -> Any:
    """What was given for a module, an address of a function looked up; what the module says if nothing was given.

    Raises UsageError where it does not say what it takes.
    """
    if isinstance(given, list | tuple) and len(given) == 1 and isinstance(given[0], str):
        given = given[0]
    if isinstance(given, str) and not _SHAPES.fullmatch(given) and ":" in given:
        return found_at(read_address(given))
    if given is not None:
        return given
    settings = getattr(module, "pretrained_cfg", None) or getattr(module, "default_cfg", None)
    if settings and settings.get("input_size"):
        return tuple(settings["input_size"])
    side = getattr(module, "image_size", None)
    crop = side if isinstance(side, int) and type(module).__module__.startswith("torchvision.") else None
    if crop is None and name.startswith("torchvision.models:"):
        crop = _torchvisions(name)
    if crop is not None:
        return (3, crop, crop)
    help_line = "one example, without the batch: --input 3x224x224, --input ids:128:int64"
    raise UsageError(Problem("missing-input", f"{name} does not say what it takes", help=help_line))


def _torchvisions(address: str) -> int | None:
    """The side of the images that torchvision's own weights for a network were trained on."""
    from torchvision import models

    try:
        weights = models.get_model_weights(address.partition(":")[2].partition("(")[0])
        crop = next(iter(weights)).transforms().crop_size
    except (ValueError, AttributeError, StopIteration):
        return None
    return int(crop[0]) if isinstance(crop, list | tuple) and len(crop) == 1 else None

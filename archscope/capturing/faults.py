"""What goes wrong while a module is captured, in words that name the module and the line."""

from __future__ import annotations

from typing import Any

from torch import nn

from archscope.capturing.places import Place, calling_place, place_of_error, span_of
from archscope.capturing.plans import depends_on_values, name_of
from archscope.capturing.tape import Tape
from archscope.core.errors import ArchscopeError, Problem, ShapeError, Unsupported
from archscope.core.records import Tensor

REAL = "--real runs it on real tensors, with weights and values"

_VALUES = {"_local_scalar_dense", "item", "is_nonzero", "equal"}
_VALUELESS = (
    "meta tensor",
    "Meta tensor",
    "meta Long tensor",
    "meta device",
    "is on meta",
    "unallocated storage",
    "no data",
)
"""What torch says when a tensor without values is asked for them."""

_KEPT = {"conv1d": 1, "conv2d": 1, "conv3d": 1, "linear": 1, "conv_transpose2d": 0}
"""The axis of a weight that the input must match."""


def of_operator(func: Any, arguments: dict[str, Any], tape: Tape, error: Exception) -> Exception:
    """The error for an operator that torch could not carry out on tensors without values, in words that say where."""
    name, where, span = name_of(func), named(tape), span_of(calling_place())
    if name in _VALUES:
        message = f"{where} asks for the value of an activation ({name}), which is not computed"
        return Unsupported(Problem("needs-values", message, span, help=REAL))
    unruled = isinstance(error, NotImplementedError) or "nonzero" in str(error) or "eta" in str(error)
    if depends_on_values(func) and unruled:
        message = f"{where} makes a tensor whose size depends on values ({name})"
        help_line = f"{REAL}; --upper-bound takes the largest size that it can have"
        return Unsupported(Problem("needs-values", message, span, help=help_line))
    if isinstance(error, NotImplementedError) or "no fake impl" in str(error):
        message = f"{where} calls {func.name()} on {_spelled(arguments)}, and torch cannot tell what shape it returns"
        help_line = f"register a fake implementation of it; {REAL}"
        return Unsupported(Problem("no-shape-rule", message, span, help=help_line))
    if _is_valueless(error):
        message = f"{where} calls {name}, which takes tensors with values only: {error}"
        return Unsupported(Problem("needs-values", message, span, help=REAL))
    message = f"{where} cannot run {name} on {_spelled(arguments)}: {error}"
    return ShapeError(Problem("wrong-shape", message, span, _wanted(name, arguments)))


def of_forward(error: Exception, tape: Tape, run: int) -> ArchscopeError:
    """The error for a forward that raised, within the module that ran innermost."""
    if isinstance(error, ArchscopeError):
        return error
    span = span_of(place_of_error(error))
    if "HigherOrderOperator" in str(error):
        operator = str(error).partition("HigherOrderOperator ")[2].split(" ")[0]
        message = f"{named(tape, run)} calls torch's {operator}, whose course is only known when it runs"
        return Unsupported(Problem("needs-values", message, span))
    message = f"{named(tape, run)} raised {type(error).__name__}: {error}"
    return Unsupported(Problem("module-raised", message, span, help=REAL if _is_valueless(error) else ""))


def _is_valueless(error: Exception) -> bool:
    """Whether torch refuses tensors because they have no values."""
    return any(words in str(error) for words in _VALUELESS)


def _spelled(arguments: dict[str, Any]) -> str:
    """Tensor arguments with their shapes: ``input 1×4×8×8, weight 4×3×3×3``; types where they differ."""
    tensors = {name: each for name, each in arguments.items() if isinstance(each, Tensor)}
    for name, value in arguments.items():
        if type(value) is list:
            tensors |= {f"{name}.{at}": each for at, each in enumerate(value) if isinstance(each, Tensor)}
    mixed = len({each.dtype for each in tensors.values()}) > 1
    return ", ".join(
        f"{name} {'×'.join(map(str, each.shape)) or 'a number'}{f' ({each.dtype})' if mixed else ''}"
        for name, each in tensors.items()
    )


def _wanted(name: str, arguments: dict[str, Any]) -> str:
    """What the input should have been, where the weight says it."""
    given, weight = arguments.get("input"), arguments.get("weight")
    if name not in _KEPT or not isinstance(given, Tensor) or not isinstance(weight, Tensor):
        return ""
    wanted = weight.shape[_KEPT[name]] * (arguments.get("groups") or 1)
    if name == "linear":
        return f"{wanted} features, not {given.shape[-1]}" if given.shape[-1] != wanted else ""
    axis = len(given.shape) - len(weight.shape) + 1
    had = given.shape[axis] if axis in {0, 1} else 0
    return f"{wanted} channels, not {had}" if had != wanted else ""


def line(place: Place | None) -> str:
    """``net.py:12``."""
    span = span_of(place)
    return f"{span.source.name}:{span.line}" if span is not None else "torch"


def named(tape: Tape, run: int | None = None) -> str:
    """The innermost module that is running: ``layer1.0.conv1 (Conv2d)``."""
    each = tape.runs[tape.current if run is None else run]
    return titled(each.module, each.path)


def titled(module: nn.Module, path: str) -> str:
    """A module by its path and class; the whole network by its class."""
    kind = type(module).__name__
    return f"{path} ({kind})" if path else kind

"""What goes wrong while a module is captured, in words that name the module and the line."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from archscope.capturing.places import Place, calling_place, place_of_error, span_of
from archscope.capturing.plans import depends_on_values
from archscope.capturing.tape import Tape
from archscope.core.errors import ArchscopeError, Problem, ShapeError, Unsupported

REAL = "--real runs it on real tensors, with weights and values"

_VALUES = {"_local_scalar_dense", "item", "is_nonzero", "equal"}


def of_operator(func: Any, tensors: list[torch.Tensor], tape: Tape, error: BaseException) -> Exception:
    """The error for an operator that torch could not carry out without values; any other error stays itself."""
    name = func._schema.name.removeprefix("aten::")  # noqa: SLF001  the only place where an operator says its name
    where = named(tape)
    span = span_of(calling_place())
    if name in _VALUES:
        message = f"{where} asks for the value of an activation ({name}), which is not computed"
        return Unsupported(Problem("needs-values", message, span, help=REAL))
    unruled = isinstance(error, NotImplementedError) or "nonzero" in str(error) or "eta" in str(error)
    if depends_on_values(func) and unruled:
        message = f"{where} makes a tensor whose size depends on values ({name})"
        help_line = f"{REAL}; --upper-bound takes the largest size that it can have"
        return Unsupported(Problem("needs-values", message, span, help=help_line))
    if isinstance(error, NotImplementedError):
        shapes = ", ".join("×".join(map(str, each.shape)) or "a number" for each in tensors)
        message = f"{where} calls {func.name()} on {shapes}, and torch cannot tell what shape it returns"
        return Unsupported(
            Problem("no-shape-rule", message, span, help=f"register a fake implementation of it; {REAL}")
        )
    return error if isinstance(error, Exception) else RuntimeError(str(error))


def of_forward(error: Exception, tape: Tape, run: int) -> ArchscopeError:
    """The error for a forward that raised, within the module that ran innermost."""
    if isinstance(error, ArchscopeError):
        return error
    span = span_of(place_of_error(error))
    message = f"{named(tape, run)} raised {type(error).__name__}: {error}"
    needs_values = "meta tensor" in str(error) or "Meta tensor" in str(error) or "no data" in str(error)
    return Unsupported(Problem("module-raised", message, span, help=REAL if needs_values else ""))


def of_shapes(tape: Tape, given: str, wanted: str) -> ArchscopeError:
    """The error for an input that a module's own weight does not fit."""
    return ShapeError(Problem("wrong-shape", f"{named(tape)} gets {given}", span_of(calling_place()), wanted))


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

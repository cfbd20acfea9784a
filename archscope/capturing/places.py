"""Where in the user's own source something was called: the innermost frame that is not torch's."""

from __future__ import annotations

import linecache
import os
import sys
import sysconfig
from functools import lru_cache
from pathlib import Path
from types import FrameType, FunctionType
from typing import NamedTuple

import torch

from archscope.core.source import Source, Span

_OURS, _TORCHS = (f"{folder}{os.sep}" for folder in (Path(__file__).parents[1], Path(torch.__file__).parent))
_INTERNAL = (_TORCHS, _OURS)
_STANDARD = f"{sysconfig.get_path('stdlib')}{os.sep}"
_internal: dict[str, bool] = {}


class Place(NamedTuple):
    """A line of a file."""

    file: str
    line: int


def calling_place() -> Place | None:
    """The line of the user's code that is running; None where all of it is torch's."""
    frame = sys._getframe(2)  # noqa: SLF001  traceback and inspect take a thousand times as long
    while frame is not None:
        file = frame.f_code.co_filename
        inside = _internal.get(file)
        if inside is None:
            inside = _internal[file] = _is_internal(file)
        if not inside:
            return Place(file, frame.f_lineno)
        if file == _WALK:
            return None
        frame = frame.f_back  # type: ignore[assignment]  # None ends the loop
    return None


def constructing_place(module: object) -> Place | None:
    """The line that constructed ``module``, while its constructor runs; None where that was torch's or ours."""
    frame: FrameType | None = sys._getframe(2)  # noqa: SLF001  as above
    while frame is not None and not frame.f_code.co_filename.startswith(_OURS):
        code = frame.f_code
        own = code.co_argcount > 0 and frame.f_locals.get(code.co_varnames[0]) is module
        if not own and not code.co_filename.startswith(_TORCHS):
            return Place(code.co_filename, frame.f_lineno)
        frame = frame.f_back
    return None


_WALK = str(Path(__file__).parent / "walk.py")
"""Below this file's frame lies the caller of capture, whose lines made nothing."""


def _is_internal(file: str) -> bool:
    """Whether a file is torch's, ours or Python's own."""
    return file.startswith(_INTERNAL) or (file.startswith(_STANDARD) and "site-packages" not in file)


def place_of_error(error: BaseException) -> Place | None:
    """The innermost line of the user's code in an error's traceback."""
    found = None
    trace = error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if not _is_internal(file):
            found = Place(file, trace.tb_lineno)
        elif file == _WALK:
            found = None
        trace = trace.tb_next
    return found


def place_of_forward(kind: type) -> Place | None:
    """Where a class defines its forward."""
    forward = getattr(kind, "forward", None)
    if not isinstance(forward, FunctionType):
        return None
    return Place(forward.__code__.co_filename, forward.__code__.co_firstlineno)


@lru_cache(maxsize=65536)
def span_of(place: Place | None) -> Span | None:
    """The line as a span, its code underlined."""
    if place is None:
        return None
    source = _source(place.file)
    text = source.lines[place.line - 1] if place.line <= len(source.lines) else ""
    code = text.strip()
    return Span(source, place.line, len(text) - len(text.lstrip()) + 1, max(1, len(code)))


@lru_cache(maxsize=1024)
def _source(file: str) -> Source:
    path = Path(file)
    shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    return Source(str(shown), "".join(linecache.getlines(file)))

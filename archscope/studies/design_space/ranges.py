"""``width=1/8:2:1/8``, ``bn=none,conv``, ``conv3_2=conv3-{64:256:32}``: the values that something is varied over."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from math import lcm
from typing import Any

from archscope.core.errors import Problem, UsageError, nearest
from archscope.studies.design_space.designs import CELL, KNOBS, Axis, Knob, Space, Words

LIMIT = 2**53
"""Designs whose end nobody will live to see."""

_EXAMPLE = "values such as 1,8,32, or a range start:stop:step such as 64:512:32 or 1/8:2:1/8"
_IN_CELL = re.compile(r"([^{}]*)\{([^{}]*)\}([^{}]*)")
_NUMBERS = re.compile(r"\d+(?::[^:]*:[^:]*)?")


def space(
    networks: Sequence[str],
    vary: Mapping[str, str | Iterable[Any]],
    check_cell: Callable[[str, Iterable[str]], None] | None = None,
    most: int | None = LIMIT,
) -> Space:
    """The designs that there are of these networks.

    vary: values by name, as text or one by one: of :data:`KNOBS`, or of cells, for which ``check_cell`` raises
    UsageError, given a name and texts, unless all networks have them. most: how many designs there may be. Raises
    UsageError for what cannot be varied, and for values that are none, empty, backwards, or without an end.
    """
    words: list[Words] = []
    axes: list[Axis] = []
    for name, values in vary.items():
        found = _varied(name, values)
        if name not in KNOBS:
            _check_cell(name, found, check_cell)
        (axes if isinstance(found, Axis) else words).append(found)  # type: ignore[arg-type]
    whole = Space(tuple(networks), tuple(words), tuple(axes))
    if most is not None and whole.points > most:
        message = f"these are {whole.points:,} designs, and nobody would live to see their end"
        raise UsageError(Problem("too-many-points", message))
    return whole


def as_words(axis: Axis) -> Words:
    """A number in a cell as so many texts of the cell: for what cannot be looked at in one pass."""
    texts = tuple(axis.change(axis.number(at)).text() for at in range(len(axis)))
    return Words(axis.name, texts, axis.knob, texts)


def _check_cell(name: str, found: Axis | Words, check: Callable[[str, Iterable[str]], None] | None) -> None:
    close = nearest(name, KNOBS)
    problem = Problem("unknown-knob", f"nothing that can be varied is called {name!r}", None, ", ".join(KNOBS), close)
    if check is None:
        raise UsageError(problem)
    ends = [] if isinstance(found, Words) else [found.change(found.number(at)).text() for at in (0, len(found) - 1)]
    try:
        check(name, found.words if isinstance(found, Words) else ends)
    except UsageError as error:
        if "." in name or not close:
            raise
        raise UsageError(problem) from error


def _varied(name: str, values: str | Iterable[Any]) -> Axis | Words:
    knob = KNOBS.get(name, Knob(CELL))
    if knob.option == "blocks":
        return _blocks(name, knob, values)
    inside = _IN_CELL.fullmatch(values) if isinstance(values, str) and knob.option == CELL else None
    if inside is not None:
        return _axis(name, knob, _split(inside[2]), f"{inside[1]}{{}}{inside[3]}")
    parts = _split(values) if isinstance(values, str) else _texts(values)
    if not any(parts) and (knob.option != CELL or not parts):
        raise UsageError(Problem("empty-range", f"{name} is given no value", expected=_EXAMPLE))
    if knob.words:
        return _words(name, knob, parts)
    if knob.option == CELL and not all(_NUMBERS.fullmatch(part) for part in parts):
        return Words(name, tuple(dict.fromkeys(parts)), knob, tuple(dict.fromkeys(parts)))
    return _axis(name, knob, parts)


def _split(text: str) -> list[str]:
    """Parts between commas, those in brackets aside: a cell may hold ``[3×3, 64; 3×3, 64] ×2``."""
    return [part.strip() for part in re.split(r",(?![^\[]*\])", text)] if text.strip() else []


def _texts(values: Iterable[Any]) -> list[str]:
    """Values of Python as they are written: a range of it ends before its stop."""
    if isinstance(values, range) and values and values.step > 0:
        return [f"{values[0]}:{values[-1]}:{values.step}"]
    return [("yes" if value else "no") if isinstance(value, bool) else str(value) for value in values]


def _words(name: str, knob: Knob, parts: Sequence[str]) -> Words:
    known = dict(knob.words)
    for part in parts:
        if part not in known:
            raise UsageError(Problem("bad-value", f"{name} is {part!r}", None, ", ".join(known), nearest(part, known)))
    words = tuple(dict.fromkeys(parts))
    return Words(name, words, knob, tuple(known[word] for word in words))


def _blocks(name: str, knob: Knob, values: str | Iterable[Any]) -> Words:
    """Lists, which have commas of their own: a semicolon is between two of them."""
    from archscope.spec.stages import blocks_from

    given = [part.strip() for part in values.split(";")] if isinstance(values, str) else [*values]
    lists = [blocks_from(each) if isinstance(each, str) else each for each in given if each]
    if not lists:
        expected = "lists with a semicolon between them, such as 2,2,2,2;3,4,6,3"
        raise UsageError(Problem("empty-range", f"{name} is given no value", expected=expected))
    texts = tuple(",".join(map(_stage, each)) for each in lists)
    return Words(name, texts, knob, tuple(lists))


def _stage(stage: Any) -> str:
    """A stage as it is written: how many, ``2``, or how many of how many channels, ``2x64``."""
    return str(stage) if isinstance(stage, int | str) else "x".join(map(str, stage))


def _axis(name: str, knob: Knob, parts: Sequence[str], template: str = "{}") -> Axis:
    """The values of a number, whole numbers once they are multiplied by one denominator."""
    if not parts:
        raise UsageError(Problem("empty-range", f"{name} is given no value", expected=_EXAMPLE))
    bounds = [_bounds(name, knob, part) for part in parts]
    denominator = lcm(*(each.denominator for bound in bounds for each in bound))
    numbers = []
    for start, stop, step in bounds:
        first, last, by = (int(each * denominator) for each in (start, stop, step))
        if (last - first) // by >= LIMIT:
            raise UsageError(Problem("too-many-points", f"{name} is given more than {LIMIT:,} values"))
        numbers.append(range(first, last + 1, by))
    return Axis(name, tuple(_merged(numbers)), knob, denominator, template)


def _merged(parts: Iterable[range]) -> list[range]:
    """The same numbers in fewer ranges: a million values one by one are few if they are evenly apart."""
    merged: list[range] = []
    for part in parts:
        last = merged[-1] if merged else part
        step = part[0] - last[-1]
        if merged and len(part) == 1 and step > 0 and (len(last) == 1 or last.step == step):
            merged[-1] = range(last[0], part[0] + 1, step)
        else:
            merged.append(part)
    return merged


def _bounds(name: str, knob: Knob, part: str) -> tuple[Fraction, Fraction, Fraction]:
    """Start, stop and step of ``64:512:32``, both ends included; a value alone is a range of one."""
    values = [_value(name, knob, each, part) for each in part.split(":")]
    if len(values) == 1:
        return values[0], values[0], Fraction(1)
    if len(values) != 3:
        raise UsageError(Problem("bad-range", f"{name} is {part!r}", expected=_EXAMPLE))
    start, stop, step = values
    if step <= 0:
        raise UsageError(Problem("bad-range", f"the step of {name}={part} is {step}", expected="a step above 0"))
    if stop < start:
        message = f"{name}={part} runs backwards: there is nothing from {start} up to {stop}"
        raise UsageError(Problem("empty-range", message, help=f"did you mean {name}={stop}:{start}:{step}?"))
    if (stop - start) % step:
        last = stop - (stop - start) % step
        message = f"{name}={part} does not end at {stop}: steps of {step} lead to {last} and {last + step}"
        raise UsageError(Problem("bad-range", message, help=f"did you mean {name}={start}:{last}:{step}?"))
    return start, stop, step


def _value(name: str, knob: Knob, text: str, part: str) -> Fraction:
    kind = "a number such as 1/8, 0.25 or 2" if knob.exact else "a whole number"
    wrong = UsageError(Problem("bad-value", f"{name} is {part!r}, and {text!r} is not {kind}", expected=_EXAMPLE))
    try:
        value = Fraction(text) if len(text) <= 40 and "e" not in text.lower() else None
    except (ValueError, ZeroDivisionError) as error:
        raise wrong from error
    if value is None or (value.denominator != 1 and not knob.exact):
        raise wrong
    return value

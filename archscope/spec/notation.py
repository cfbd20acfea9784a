"""How a cell spells an op, and back: ``conv3-256 groups=2`` <-> ``Conv(kernel_size=3, out_channels=256, groups=2)``.

Knows no op: an op class says how it is spelled (``notation``, ``words``) and what its fields are; this reads and writes
them. A number may be an expression in braces of names that get values when sizes are known: ``conv3-{in} groups={in}``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import MISSING, fields, replace
from functools import lru_cache
from math import isfinite
from typing import Any, NamedTuple

from archscope import ops
from archscope.core.arithmetic import require
from archscope.core.errors import Problem, TableError, nearest
from archscope.core.expression import Name, Operation, bind, parse
from archscope.ops import Op

LARGEST = 10_000_000
"""The largest number in a cell; a size beyond it is a slip of the keyboard."""

_INT = r"(?:\d+|\{[^{}]*\})(?:\*(?:\d+|\{[^{}]*\}))*"
_SLOTS = {
    "int": _INT,
    "Natural": _INT,
    "Pair": rf"{_INT}(?:[×x]{_INT})?",
    "Padding": rf"{_INT}(?:[×x]{_INT})?",
    "float": r"-?\d+(?:\.\d+)?(?:e-?\d+)?%?",
}
_FREE = (Name, Operation)
_MAY_BE_ZERO = ("Natural", "Padding")


def read(text: str, extra: Iterable[type[Op]] = ()) -> Op:
    """The op that a cell spells. Raises TableError that quotes the cell and says what was expected.

    >>> read("conv3-256 groups=2")
    Conv(kernel_size=3, out_channels=256, stride=1, padding=None, dilation=1, groups=2, bias=True)
    >>> read("conv1×7-192").kernel_size
    (1, 7)
    """
    return _read(" ".join(text.split()), tuple(extra))


@lru_cache(maxsize=4096)
def _read(text: str, extra: tuple[type[Op], ...]) -> Op:
    kind = ops.find(ops.letters(text), extra)
    if kind is None:
        raise _unknown_op(text, extra)
    form = _form(kind)
    match = form.pattern.match(text)
    rest = "" if match is None else text[match.end() :]
    if match is None or (rest and not rest.startswith(" ")):
        raise _misspelt(text, kind)
    values = {name: _value(name, form.kinds[name], part, text) for name, part in match.groupdict().items() if part}
    for word in rest.split():
        name, value = _option(word, kind, form, text)
        if name in values:
            raise TableError(Problem("repeated-word", f"{word!r} sets {name} of {text!r} a second time"))
        values[name] = value
    return kind(**values)


@lru_cache(maxsize=4096)
def write(op: Op) -> str:
    """The shortest cell that reads back as ``op``.

    >>> write(read("maxpool3/2  ceil")), write(read("dropout 40%"))
    ('maxpool3/2 ceil', 'dropout 0.4')
    """
    if op.notation is None:
        raise TableError(Problem("no-notation", f"{type(op).__name__} has no notation: it cannot stand in a cell"))
    form = _form(type(op))
    changed = {f.name: getattr(op, f.name) for f in fields(op) if getattr(op, f.name) != f.default}
    text = ""
    for part, slots, optional in form.parts:
        if not optional or any(slot in changed for slot in slots):
            text += re.sub(r"\{(\w+)\}", lambda match: _spelled(getattr(op, match.group(1))), part)
            changed = {name: value for name, value in changed.items() if name not in slots}
    return " ".join([text, *(_word(type(op), name, value) for name, value in changed.items())])


def free_names(op: Op) -> bool:
    """Whether a number of the op still waits for sizes."""
    for name in _form(type(op)).kinds:
        value = getattr(op, name)
        if isinstance(value, _FREE) or (isinstance(value, tuple) and any(isinstance(part, _FREE) for part in value)):
            return True
    return False


def ends_stage(op: Op) -> bool:
    """Whether it makes the map smaller without weights, as the pool does that a stage of layers ends with."""
    if op.weight_layer or free_names(op):
        return False
    return op.window is not None and op.window.stride != (1, 1)


def bound(op: Op, **sizes: int) -> Op:
    """The op with its expressions worked out: ``in`` is given as ``in_``, since ``in`` is a word of Python.

    Raises TableError for a name that has no size here, and ShapeError for a result below 1.
    """
    values = {name.rstrip("_"): size for name, size in sizes.items()}
    changed: dict[str, Any] = {}
    for name in _form(type(op)).kinds:
        value = getattr(op, name)
        if any(isinstance(part, _FREE) for part in _parts_of(value)):
            worked = tuple(_worked_out(part, values) for part in _parts_of(value))
            changed[name] = worked if isinstance(value, tuple) else worked[0]
    return replace(op, **changed)


def _worked_out(part: Any, sizes: dict[str, int]) -> Any:
    result = bind(part, sizes)
    if isinstance(result, Name | Operation):
        message = f"{{{result}}} has no value here"
        raise TableError(Problem("unknown-placeholder", message, expected=", ".join(f"{{{name}}}" for name in sizes)))
    require(result >= 1, lambda: f"{{{part}}} is {result} here, and a size is at least 1")
    require(result <= LARGEST, lambda: f"{{{part}}} is {result} here, and a size is at most {LARGEST:,}")
    return result


def _parts_of(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


class _Form(NamedTuple):
    """A notation taken apart: the pattern that reads it, its parts (text, slots, optional?), the kind of each field."""

    pattern: re.Pattern[str]
    parts: list[tuple[str, list[str], bool]]
    kinds: dict[str, str]


_forms: dict[type[Op], _Form] = {}


def _form(kind: type[Op]) -> _Form:
    if kind not in _forms:
        _forms[kind] = _taken_apart(kind)
    return _forms[kind]


def _taken_apart(kind: type[Op]) -> _Form:
    kinds = {f.name: str(f.type).removesuffix(" | None") for f in fields(kind)}
    parts = list(_parts(kind.notation or ""))
    pattern = ""
    for part, _, optional in parts:
        piece = re.sub(
            r"\\\{(\w+)\\\}", lambda match: f"(?P<{match.group(1)}>{_SLOTS[kinds[match.group(1)]]})", re.escape(part)
        )
        piece = re.sub(r"(?<=[A-Za-z])\\-(?=[A-Za-z])", "-?", piece).replace("\\ ", " ?")
        pattern += f"(?:{piece})?" if optional else piece
    return _Form(re.compile(pattern, re.IGNORECASE), parts, kinds)


def _parts(notation: str) -> Iterator[tuple[str, list[str], bool]]:
    for number, part in enumerate(re.split(r"\[([^\]]*)\]", notation)):
        if part:
            yield part, re.findall(r"\{(\w+)\}", part), number % 2 == 1


def _option(word: str, kind: type[Op], form: _Form, text: str) -> tuple[str, Any]:
    if word in kind.words:
        return kind.words[word]
    name, equals, part = word.partition("=")
    if equals and name in form.kinds and form.kinds[name] in _SLOTS and re.fullmatch(_SLOTS[form.kinds[name]], part):
        return name, _value(name, form.kinds[name], part, text)
    choices = [*kind.words, *(f"{name}=" for name, its in form.kinds.items() if its in _SLOTS)]
    problem = Problem("unknown-word", f"cannot read {word!r} of {text!r}", expected=", ".join(choices))
    raise TableError(problem._replace(help=nearest(word, choices)))


def _value(name: str, kind: str, part: str, text: str) -> Any:
    if kind == "float":
        share = float(part[:-1]) / 100 if part.endswith("%") else float(part)
        if not isfinite(share):
            raise TableError(Problem("impossible-size", f"{name} of {text!r} is {part}, which is too large"))
        return share
    numbers = tuple(_int(each) for each in re.split(r"[×x](?=[\d{])", part))
    for number in numbers:
        if isinstance(number, int) and not (0 if kind in _MAY_BE_ZERO else 1) <= number <= LARGEST:
            wanted = f"a whole number from {0 if kind in _MAY_BE_ZERO else 1} to {LARGEST:,}"
            raise TableError(Problem("impossible-size", f"{name} of {text!r} is {number:,}", expected=wanted))
    return numbers if len(numbers) == 2 else numbers[0]


def _int(text: str) -> Any:
    if text.isdecimal():
        return int(text[:12])
    return bind(parse(text.replace("{", "(").replace("}", ")")), {})


def _spelled(value: Any) -> str:
    if isinstance(value, tuple):
        return "×".join(_spelled(part) for part in value)
    return f"{{{value}}}" if isinstance(value, Name | Operation) else str(value)


def _word(kind: type[Op], name: str, value: Any) -> str:
    for word, setting in kind.words.items():
        if setting == (name, value):
            return word
    return f"{name}={_spelled(value)}"


def _unknown_op(text: str, extra: Iterable[type[Op]]) -> TableError:
    known = {ops.letters(op.notation): op.notation for op in [*extra, *ops.everything()] if op.notation}
    first = ops.letters(text)
    near = nearest(first, known).removeprefix("did you mean ").rstrip("?").split(", ")[0] if first else ""
    helps = f"did you mean {near}{text[len(first) :] if text.lower().startswith(first) else ''}?" if near else ""
    return TableError(
        Problem("unknown-op", f"cannot read {text!r} as an op", expected=", ".join(known.values()), help=helps)
    )


def _misspelt(text: str, kind: type[Op]) -> TableError:
    required = [f.name for f in fields(kind) if f.default is MISSING]
    helps = f"{kind.__name__} needs {', '.join(required)}" if required else ""
    return TableError(Problem("bad-notation", f"cannot read {text!r}", expected=kind.notation or "", help=helps))

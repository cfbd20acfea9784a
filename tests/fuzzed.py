"""Inputs from strangers, made by chance, and how archscope may end on them: fine, or with an error of its own.

A kind of input is made of a shipped example by edits that know its grammar and edits that know only its characters. An
ending that is none of the allowed ones is a Finding: another exception, more than two seconds of CPU time, more than
500 MB, an error without its place, or characters that would steer a terminal.
"""

from __future__ import annotations

import resource
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from random import Random
from typing import Any, NamedTuple

from archscope import catalog
from archscope.core.errors import ArchscopeError

SECONDS = 2.0
MEMORY = 500 * 1024  # KiB, as Linux counts what a process has had at most

NUMBERS = [
    "0", "-1", "1", "2", "3", "7", "1000", "4097", "65536", "2147483648", "9" * 25, "9" * 400, "1e400", "nan", "inf",
    "1_000", "0x10", "1.5", "٣", "²", "1/0", "1/3", "-0", "+1", "1e-9",
]  # fmt: skip
SYMBOLS = [
    "{", "}", "{in}", "{k}", "{k*{k}}", "{0.__class__}", "%s%n", "×", "x", "[", "]", "[[", "]]", "'''", '"""', "|",
    "\x1b[2J", "\u202e", "\x00", "\ud7ff", "😀", "=", '"', "'", ",", ";", ":", "\n", "\r", "\t", " ", "(", ")", "#",
    "…", "\\", "\\u001b", "__import__('os')", "-", "+", "*", "**", "//", "/", "%", "<", "<=", "==", "!=", "and", "or",
    "not", "[a; b] ×9", "×99999999",
]  # fmt: skip
CELLS = [
    "conv3-64", "conv1-{in}", "conv7-64/2 valid", "conv3-8 groups=2", "conv3-4 dilation=9", "maxpool3/2 ceil",
    "avgpool7/1", "adaptiveavgpool1", "FC-10", "relu", "LRN", "batchnorm", "dropout", "dropout 40%", "soft-max",
    "maxpool", "flatten", "add", "concat", "slice0:2", "pad2", "times 0.5", "embedding9-9", "matmul", "gelu", "tanh",
    "einsum ab,bc->ac",
]  # fmt: skip
VALUES = [
    "1", "-1", "0", "9" * 30, "1.5", "inf", "nan", "true", '""', '"x"', "[]", "{}", "[[]]", '["a", 1]', "{a = 1}",
    "1979-05-27", "{repeat = 1000, layers = []}", '"\\u001b[31m"', "[" * 50 + "]" * 50, '"conv3-{n}"', "3.0e300",
]  # fmt: skip


class Finding(NamedTuple):
    """An ending that is not allowed, and what made it: the seed makes it again."""

    kind: str
    seed: int
    why: str
    value: Any


class Kind(NamedTuple):
    """A kind of input: how it is made by chance, and what is done with it, which gives a text if that ended badly.

    located: whether all its errors have a place.
    """

    make: Callable[[Random], Any]
    use: Callable[[Any], object]
    located: bool = False


class TooLong(BaseException):
    """Raised where something has taken far too long."""


def ending(name: str, kind: Kind, seed: int, most_seconds: float = SECONDS) -> str | Finding:
    """How one input ends: ``fine``, the code of an error, or a Finding, which more CPU time than that is too."""
    value = kind.make(Random(f"{name} {seed}"))  # noqa: S311  a sample, no secret
    most, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    try:
        with _alarm():
            how = kind.use(value)
    except ArchscopeError as error:
        how = error
    except (Exception, TooLong) as error:  # noqa: BLE001  any of them is a finding
        return Finding(name, seed, f"{type(error).__name__}: {error}"[:300], value)
    seconds = time.process_time() - start
    more = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - most
    if seconds > most_seconds:
        return Finding(name, seed, f"took {seconds:.1f} s", value)
    if more > MEMORY:
        return Finding(name, seed, f"took {more / 1024:.0f} MiB", value)
    if isinstance(how, str):
        return Finding(name, seed, how, value)
    if isinstance(how, ArchscopeError):
        wrong = _wrong_with(how, kind)
        return Finding(name, seed, wrong, value) if wrong else how.problems[0].code
    return "fine"


def _wrong_with(error: ArchscopeError, kind: Kind) -> str:
    """What is not allowed about an error of ours."""
    text = str(error)
    if steers(text):
        return f"an error that would steer a terminal: {text!r}"
    if max(len(str(problem)) for problem in error.problems) > 6000:
        return f"an error of {len(text)} characters"
    if kind.located and any(problem.span is None for problem in error.problems):
        return f"an error without a place: {text}"
    return ""


def steers(text: str) -> bool:
    """Whether a text has characters that are neither printed nor the end of a line."""
    return not text.replace("\n", "").isprintable()


@contextmanager
def _alarm() -> Iterator[None]:
    def ring(*_: object) -> None:
        raise TooLong("ran for more than ten seconds")

    before = signal.signal(signal.SIGVTALRM, ring)
    signal.setitimer(signal.ITIMER_VIRTUAL, 10)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


@cache
def shipped() -> list[str]:
    """The shipped tables' texts, the shorter ones more often."""
    texts = sorted((path.read_text(encoding="utf-8") for path in catalog.table_files()), key=len)
    return texts[: len(texts) // 3] * 4 + texts


@cache
def cells() -> list[str]:
    """Cells of the shipped tables."""
    rows = [line for text in shipped() for line in text.split("\n") if line.startswith("|")]
    return sorted({cell.strip() for row in rows for cell in row.split("|") if cell.strip()})


def by_character(chance: Random, text: str) -> str:
    """A text after a few edits that know nothing of what it says."""
    for _ in range(chance.choice([1, 1, 2, 4])):
        at = chance.randrange(len(text) + 1)
        end = min(len(text), at + chance.choice([0, 0, 1, 1, 3, 20, 200]))
        piece = chance.choice([
            "", text[at:end] * chance.choice([2, 2, 30]), chance.choice(NUMBERS), chance.choice(SYMBOLS),
            chr(chance.randrange(1, 0xD800)), text[chance.randrange(len(text) + 1) :][: chance.choice([1, 9, 99])],
        ])  # fmt: skip
        text = text[:at] + piece + text[end:]
    return text


def by_grammar(chance: Random, text: str) -> str:
    """A table after a few edits of its cells, keys, values and lines."""
    lines = text.split("\n")
    for _ in range(chance.choice([1, 1, 2, 3])):
        at = chance.randrange(len(lines))
        lines[at : at + 1] = _edited_line(chance, lines[at], lines)
    return "\n".join(lines)


def _edited_line(chance: Random, line: str, lines: list[str]) -> list[str]:
    other = chance.choice(lines)
    if chance.random() < 0.15:
        return chance.choice([[], [line, line], [other], [line, other]])
    if line.startswith("|"):
        parts = line.split("|")
        parts[chance.randrange(len(parts))] = f" {cell(chance)} "
        return ["|".join(parts)]
    if " = " in line:
        key, _, value = line.partition(" = ")
        others = other.partition(" = ")
        value = chance.choice([*VALUES, value, f"[{value}]", others[2], by_character(chance, value)])
        return [f"{chance.choice([key, key, key, f'{key}x', 'title', others[0]])} = {value}"]
    return [by_character(chance, line) if chance.random() < 0.5 else line]


def cell(chance: Random) -> str:
    """A cell, as papers print it or not at all."""
    found = chance.choice([*CELLS, "", chance.choice(cells()), chance.choice(cells())])
    if chance.random() < 0.4:
        found = other_number(chance, found)
    return by_character(chance, found) if chance.random() < 0.3 else found


def other_number(chance: Random, text: str) -> str:
    """A text with one of its runs of digits replaced."""
    starts = [n for n, letter in enumerate(text) if letter.isdigit()]
    if not starts:
        return text
    start = chance.choice(starts)
    return text[:start] + chance.choice(NUMBERS) + text[start + 1 :]


CHANGED_BYTES = [b"", b"\x00", b"\xff" * 8, b"\x80\x04", b"cos\nsystem\n", b"9" * 40, b"{", b"PK\x03\x04"]


def changed_bytes(chance: Random, data: bytes) -> bytes:
    """Bytes with some put in, left out, or others in their place."""
    for _ in range(chance.choice([1, 1, 2, 5])):
        at = chance.randrange(len(data) + 1)
        end = at + chance.choice([0, 1, 1, 8, len(data)])
        data = data[:at] + chance.choice([*CHANGED_BYTES, bytes([chance.randrange(256)])]) + data[end:]
    return data

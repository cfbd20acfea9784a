"""The kinds of input that archscope is fuzzed with; see :mod:`fuzzed`."""

from __future__ import annotations

import contextlib
import io
import json
import re
import sys
import warnings
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from fuzzed import NUMBERS, SYMBOLS, Kind, by_character, by_grammar, cell, changed_bytes, other_number, shipped, steers
from fuzzed_runs import a_run, use_run

import archscope
from archscope import catalog
from archscope.__main__ import main
from archscope.api.spaces import Wanted, asked
from archscope.capturing.loading import read_address
from archscope.core.conditions import condition as read_condition
from archscope.core.conditions import holds
from archscope.core.counts import Counts
from archscope.core.errors import ArchscopeError
from archscope.core.source import Source
from archscope.graph.lowering import lower
from archscope.running.images import FORMATS, shown
from archscope.spec.compiler import compile_table, networks
from archscope.spec.naming import named
from archscope.spec.table import read_table
from archscope.training.pictures import read_pictures


def table(chance: Random) -> str:
    """A shipped table, changed."""
    text = chance.choice(shipped())
    return by_grammar(chance, text) if chance.random() < 0.7 else by_character(chance, text)


def notation(chance: Random) -> list[Any]:
    """Items of a network written in Python, nested at times."""
    items: list[Any] = [cell(chance) for _ in range(chance.choice([1, 1, 2, 5]))]
    if chance.random() < 0.3:
        items.append(
            {"join": chance.choice(["concat", "add", "mul", "x"]), "branches": [[cell(chance)], items[:1], []]}
        )
    return items


COLUMNS = {"params": "count", "macs": "count", "train_peak_bytes": "bytes", "width": "ratio", "network": "text"}


def condition(chance: Random, depth: int = 3) -> str:
    """A filter of a sweep, mostly one that can be read."""
    text = _comparison(chance, depth)
    return by_character(chance, text) if chance.random() < 0.5 else text


def _comparison(chance: Random, depth: int) -> str:
    if depth and chance.random() < 0.5:
        sides = (_comparison(chance, depth - 1), _comparison(chance, depth - 1))
        return f"({sides[0]} {chance.choice(['and', 'or'])} {chance.choice(['', 'not '])}{sides[1]})"
    symbol = chance.choice(["<", "<=", ">", ">=", "==", "!="])
    return f"{_number(chance, depth)} {symbol} {_number(chance, depth)}"


def _number(chance: Random, depth: int) -> str:
    if depth and chance.random() < 0.4:
        sides = (_number(chance, depth - 1), _number(chance, depth - 1))
        return f"({sides[0]} {chance.choice(['+', '-', '*', '/', '//', '%'])} {sides[1]})"
    return chance.choice([*COLUMNS, "5M", "2GiB", "0", "0.5", "'vgg16'", "9" * 29, chance.choice(NUMBERS)])


def values(chance: Random) -> tuple[str, str]:
    """What is varied in a sweep, and by which values."""
    names = [
        "width",
        "head_width",
        "input",
        "batch",
        "classes",
        "channels",
        "blocks",
        "head",
        "bn",
        "conv3_2",
        "row 10.D",
    ]
    texts = [
        "1/8:2:1/8",
        "64:512:32",
        "1,8,32",
        "none,conv",
        "yes,no",
        "conv3-{64:512:64}",
        "FC-{1:9:2}",
        "3×3",
        "1,1,2",
    ]
    text = other_number(chance, chance.choice(texts))
    return chance.choice(names), by_character(chance, text) if chance.random() < 0.5 else text


def address(chance: Random) -> str:
    """The name of a network, a file or a module."""
    names = [
        "vgg16", "VGG-16_bn", "googlenet", "./x.toml:B", "tables/vgg.toml:D", "torchvision.models:resnet50", "timm:a_b",
        "./net.py:Net(width=64)", "a.b:C.d(1, [2, {'x': None}])", "net.py", "x.toml", "/", "..", "vgg.toml:",
    ]  # fmt: skip
    text = chance.choice(names)
    if chance.random() < 0.1:
        nest = chance.choice([50, 5000, 200_000])
        text = f"net.py:Net({'(' * nest}1{')' * nest})"
    return by_character(chance, text)


@cache
def scripts() -> list[str]:
    """Training scripts and networks as people write them."""
    folder = Path(__file__).parent / "networks_as_notes"
    return [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py"))]


def script(chance: Random) -> str:
    """A script that lint reads as syntax."""
    text = chance.choice(scripts())
    if chance.random() < 0.05:
        text = f"{text}\nx = {'(' * 3000}1{')' * 3000}\n"
    lines = text.split("\n")
    chance.random() < 0.5 and lines.insert(chance.randrange(len(lines)), chance.choice(lines))
    return by_character(chance, "\n".join(lines))


def use_table(text: str) -> None:
    """Everything that is ever done with a table without torch: all its networks, their shapes and numbers."""

    found = read_table(Source("net.toml", text))
    for name in list(networks(found))[:2]:
        graph = lower(named(compile_table(found, name)))
    archscope.profile(graph, columns=["params", "macs", "receptive_field"])


def use_notation(items: list[Any]) -> None:
    """A network of these items."""
    archscope.lower(items, input=(3, 16, 16))


def use_condition(text: str) -> None:
    """The condition, on columns of numbers."""
    numbers = Counts(np.array([0, 1, 5_000_000, 2**62]))
    columns = {name: numbers for name in COLUMNS if name not in {"width", "network"}}
    holds(read_condition(text, COLUMNS), {**columns, "width": np.array([0.0, 0.5, 1.0, 2.0]), "network": "vgg16"})


def use_values(varied: tuple[str, str]) -> None:
    """The space of a sweep, and its first designs."""
    name, text = varied
    question = asked(["vgg16"], {name: text}, Wanted(), {"batch": 1, "dtype": "float32", "mode": "eval"}, {})
    for position in range(min(3, question.space.points)):
        question.space.written(0, question.space.numbers(position))


def use_address(text: str) -> None:
    """What an address means, up to where code would be imported."""
    if catalog.is_module_address(text):
        read_address(text)
    else:
        catalog.find(text)


def use_script(text: str) -> None:
    """Lint of a script."""
    path = Path("script.py")
    path.write_text(text, encoding="utf-8", errors="surrogatepass", newline="")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Python thinks of a script's own syntax
        archscope.lint(str(path))


LINES = [
    "summary vgg11 --width 1/4 --input 1x224x224 --classes 10", "summary lenet5 --columns params,macs --format csv",
    "summary alexnet --batch 8 --mode train --strict", "show vgg:A --computed", "list vgg", "ops", "explain lenet5 C3",
    "explain alexnet --all", "explain vgg11 conv3_1 --instead conv5-256;relu", "compare lenet5 alexnet --by params",
    "fit lenet5 --memory 8GiB --largest input --batch 16 --infer", "memory lenet5 --optimizer adam --amp bfloat16",
    "fit lenet5 --flash 4MiB --ram 512KiB", "diff lenet5 lenet_tutorial", "lint alexnet --blocks 1,1,2,2,2",
    "summary alexnet --set conv3=conv5-256 --head-width 1/8 --round-to 8 --dropout 0.1 --bn conv --head gap --dense",
    "sweep lenet5 --vary batch=1:8:1 --where params>5 --pareto macs,-activations --sort -macs --top 3",
    "search lenet5 --vary batch=1:8:1 --max-params 5M --maximize macs", "draw lenet5 -o lenet.svg --depth 1",
    "export lenet5 -o lenet.py", "new mine.toml", "check lenet5 --witness published --max-params 1M", "--version",
    "summary ./net.toml:A", "show ./net.toml", "lint script.py", "explain ./net.toml", "check ./net.toml",
]  # fmt: skip
"""Command lines that take milliseconds each and run no code of a stranger's."""

UGLY = """title = "a\\u001b[2Jb"
input = [3, 32, 32]
grid = '''
| A\x1b[31m | %s{0}<script> |
|----|----|
| conv3-8 | conv3-8 |
| FC-10 |
'''
"""
"""A table whose names would clear a screen, if they were printed as they are."""


def command(chance: Random) -> list[str]:
    """What is typed, with arguments changed, left out, or put in twice."""
    words = chance.choice(LINES).split()
    for _ in range(chance.choice([1, 1, 2, 3])):
        at = chance.randrange(len(words) + 1)
        word = words[at] if at < len(words) else chance.choice(chance.choice(LINES).split())
        words[at : at + 1] = chance.choice([
            [], [word, word], [by_character(chance, word)], [other_number(chance, word)], [chance.choice(NUMBERS)],
            [word, chance.choice(SYMBOLS)], [chance.choice(chance.choice(LINES).split()), word],
        ])  # fmt: skip
    return [word.replace("\x00", "").replace("/", "/ ") if word.startswith("/") else word for word in words]


def use_command(words: list[str]) -> str | None:
    """The command line, in this process: how it ended badly, if it did."""
    if any(word.lstrip("-").startswith(("measure", "dask", "witness")) or ".." in word for word in words):
        return None  # takes long, for good reasons; or leaves the folder
    Path("net.toml").write_text(UGLY, encoding="utf-8")
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="replace", newline="") for _ in range(2))
    code: Any = 0
    kept, sys.argv = sys.argv, ["archscope", *words]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
    except SystemExit as ended:
        code = ended.code
    finally:
        sys.argv = kept
    texts = []
    for stream in (out, err):
        stream.flush()
        texts.append(stream.buffer.getvalue().decode())  # type: ignore[attr-defined]  # it is a BytesIO
    if code not in {0, 1, 2, 3}:
        return f"ended with {code!r}"
    if steers("".join(texts)):
        return f"printed what would steer a terminal: {''.join(texts)[:200]!r}"
    if "Traceback" in texts[1] or re.match(r"\w+(Error|Exception)\b", texts[1]) or (code and not "".join(texts)):
        return f"ended with {code} and {texts[1][:200]!r}"
    return None


ITEMS = ["conv3-2", "relu", "FC-3"]


@cache
def _state() -> bytes:
    file = io.BytesIO()
    torch.save(archscope.build(archscope.load(ITEMS, input=(3, 8, 8))).state_dict(), file)
    return file.getvalue()


def use_weights(data: bytes) -> None:
    """A file of weights."""
    Path("state.pt").write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that heads stay random
        archscope.build(archscope.load(ITEMS, input=(3, 8, 8)), weights="state.pt")


@cache
def _pictures() -> list[bytes]:
    """Small pictures, in each format that is read."""
    from PIL import Image

    files = []
    for kind in FORMATS:
        for mode in ("RGB", "L", "RGBA", "P", "I;16"):
            content = io.BytesIO()
            with contextlib.suppress(OSError):  # not every format has every mode
                Image.new(mode, (9, 7), 40).save(content, kind)
                files.append(content.getvalue())
    return files


def use_image(data: bytes) -> None:
    """A file that is called a picture, as trained on and as looked at."""
    path = Path("picture.jpg")
    path.write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's remarks on files that are cut off
        with contextlib.suppress(ArchscopeError):
            shown(path, (3, 8, 8))
        read_pictures([path], lambda picture: picture)


class _Stopped(Exception):
    """What interrupts the sweep whose part is kept."""


@cache
def _part() -> bytes:
    def stop(_: Any) -> None:
        raise _Stopped

    with contextlib.suppress(_Stopped):
        archscope.sweep("lenet5", vary=PARTLY, output="points.csv", top=3, sort=["macs"], tell=stop)
    return Path("points.csv.partial").read_bytes()


PARTLY = {"batch": "1:60000:1"}


def part(chance: Random) -> bytes:
    """What a sweep has written so far, changed behind its first line."""
    head, line, rest = _part().partition(b"\n")
    if chance.random() < 0.5:
        return head + line + changed_bytes(chance, rest)
    said, line, arrays = rest.partition(b"\n")
    facts = json.loads(said)
    facts[chance.choice(list(facts))] = chance.choice(
        [-1, 10**18, [], {}, "x", None, ["params"], {"a": [1]}, 1.5, True]
    )
    return head + b"\n" + json.dumps(facts).encode() + line + chance.choice([arrays, arrays[: len(arrays) // 2], b""])


def use_part(data: bytes) -> str | None:
    """Going on with a sweep."""
    Path("points.csv.partial").write_bytes(data)
    archscope.sweep("lenet5", vary=PARTLY, output="points.csv", top=3, sort=["macs"])
    return None


KINDS: dict[str, Kind] = {
    "table": Kind(table, use_table, located=True),
    "notation": Kind(notation, use_notation),
    "condition": Kind(condition, use_condition),
    "values": Kind(values, use_values),
    "address": Kind(address, use_address),
    "script": Kind(script, use_script),
    "command": Kind(command, use_command),
    "weights": Kind(lambda chance: changed_bytes(chance, _state()), use_weights),
    "part": Kind(part, use_part),
    "run": Kind(a_run, use_run),
    "image": Kind(lambda chance: changed_bytes(chance, chance.choice(_pictures())), use_image),
}
"""Every kind of input, by name."""

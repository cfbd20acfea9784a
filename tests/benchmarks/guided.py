"""Inputs that coverage leads to: ``python tests/benchmarks/guided.py notation|table FOLDER [-runs=N]``.

Needs ``pip install atheris``, which marks the branches of the parser of tables and of the notation and mutates the
inputs that reach new ones. They are kept in FOLDER, and begin with what is shipped. libFuzzer watches time (2 s) and
memory (500 MB) itself; an ending that is neither success nor an error of ours stops it, the input written to a file.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parents[1]))

with atheris.instrument_imports(include=["archscope.spec", "archscope.core", "archscope.ops", "archscope.graph"]):
    from archscope import ops
    from archscope.core.errors import ArchscopeError
    from archscope.core.source import Source
    from archscope.graph.lowering import lower
    from archscope.spec.compiler import compile_table, networks
    from archscope.spec.naming import named
    from archscope.spec.notation import read, write
    from archscope.spec.table import read_table

    OPS = len(list(ops.everything()))  # they are imported one by one otherwise, and not marked

from fuzzed import cells, shipped, steers

LIMITS = ("-timeout=2", "-rss_limit_mb=500")


def notation(text: str) -> None:
    """A cell is read; what it is written as reads back as the same op."""
    op = read(text)
    again = read(write(op))
    assert again == op, f"{text!r} is {op}, and reads back as {again}"


def table(text: str) -> None:
    """A table is read, and every network of it compiled and lowered."""
    found = read_table(Source("table.toml", text))
    for name in networks(found):
        lower(named(compile_table(found, name)))


KINDS: dict[str, tuple[Callable[[str], None], Callable[[], list[str]]]] = {
    "notation": (notation, cells),
    "table": (table, shipped),
}


def one_input(use: Callable[[str], None], data: bytes) -> None:
    """Raises for an ending that is not allowed."""
    try:
        use(data.decode("utf-8", "replace"))
    except ArchscopeError as error:
        if steers(str(error)):
            raise RuntimeError("an error that would steer a terminal") from error


def main(kind: str, folder: str, *flags: str) -> None:
    """Fuzzes until libFuzzer is told to stop: ``-runs``, ``-max_total_time`` in seconds."""
    use, begin = KINDS[kind]
    Path(folder).mkdir(parents=True, exist_ok=True)
    for number, text in enumerate(begin()):
        (Path(folder) / f"shipped_{number}").write_text(text, encoding="utf-8")
    atheris.Setup([sys.argv[0], folder, *LIMITS, *flags], lambda data: one_input(use, data))
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])

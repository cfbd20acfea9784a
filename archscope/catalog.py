"""Where tables lie, and what a name means: ``vgg16``, ``./mine.toml``, ``./mine.toml:B``."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from archscope.core.errors import Problem, TableError, UnknownName, nearest
from archscope.spec.compiler import networks
from archscope.spec.table import Table, read_source, read_table


class Entry(NamedTuple):
    """A network of a table file, by the name that was found."""

    table: Table
    network: str


def tables_folder() -> Path:
    """Where the shipped tables lie: inside an installed package, beside it in a checkout."""
    package = Path(__file__).parent
    installed = package / "tables"
    return installed if installed.is_dir() else package.parent / "tables"


def table_files() -> list[Path]:
    """The shipped table files, by name."""
    return sorted(tables_folder().glob("*.toml"))


def shipped_table(path: Path) -> Table:
    """A shipped table, read once per process. Its errors name it ``tables/vgg.toml`` wherever it lies."""
    return _read(path, f"tables/{path.name}")


def table_at(address: str) -> Table:
    """The table that a file name, or a shipped table's name (``vgg``), means."""
    if _is_file(address):
        return _read(Path(address), address)
    for path in table_files():
        if path.stem == _plain(address):
            return shipped_table(path)
    entry = find(address)
    return entry.table


def find(name: str) -> Entry:
    """The table and network that a name means. Raises UnknownName with the nearest names."""
    if _is_file(name):
        return _in_file(name)
    wanted = _plain(name)
    found = [
        entry for path in table_files() if _mentions(path, wanted) for entry in _named(shipped_table(path), wanted)
    ]
    if len(found) > 1:
        files = " and ".join(entry.table.source.name for entry in found)
        raise TableError(Problem("duplicate-network", f"{name!r} is in {files}"))
    if found:
        return found[0]
    known = everything()
    problem = Problem(
        "unknown-network", f"no network is called {name!r}", help=nearest(wanted, known) or "archscope list shows all"
    )
    raise UnknownName(problem)


def everything() -> dict[str, Entry]:
    """Every network of the shipped tables, in the order of files and rows."""
    found: dict[str, Entry] = {}
    for path in table_files():
        table = shipped_table(path)
        for name in networks(table):
            if name in found:
                both = f"{found[name].table.source.name} and {table.source.name}"
                raise TableError(Problem("duplicate-network", f"{name!r} is in {both}"))
            found[name] = Entry(table, name)
    return found


def named_networks(addresses: Iterable[str]) -> list[str]:
    """Addresses with the name of a table replaced by all its networks."""
    stems = {path.stem: path for path in table_files()}
    names: list[str] = []
    for address in addresses:
        stem = _plain(address)
        path = stems.get(stem)
        if path is None or any(stem == _plain(name) for name in networks(shipped_table(path))):
            names.append(address)
        else:
            names.extend(networks(shipped_table(path)))
    return names


def _is_file(address: str) -> bool:
    return ".toml:" in address or address.endswith((".toml", os.sep))


def _in_file(address: str) -> Entry:
    head, colon, column = address.rpartition(".toml:")
    path = f"{head}.toml" if colon else address
    table = _read(Path(path), path)
    known = networks(table)
    if colon:
        by_column = [
            name for name, entry in known.items() if column in {name, entry.get("column"), *entry.get("aliases", ())}
        ]
        if not by_column:
            help_line = nearest(column, known) or f"it has {', '.join(known)}"
            raise UnknownName(Problem("unknown-network", f"{path} has no network {column!r}", help=help_line))
        return Entry(table, by_column[0])
    if len(known) > 1:
        example = f"{path}:{next(iter(known))}"
        message = f"{path} has {len(known)} networks: {', '.join(known)}"
        raise UnknownName(Problem("which-network", message, help=f"name one of them: {example}"))
    return Entry(table, next(iter(known)))


def _named(table: Table, wanted: str) -> list[Entry]:
    for name, entry in networks(table).items():
        if wanted in {_plain(each) for each in (name, *entry.get("aliases", ()))}:
            return [Entry(table, name)]
    return []


def _plain(name: str) -> str:
    """``VGG-16`` and ``vgg_16`` are ``vgg16``; an underscore before a letter stays: ``vgg16_bn``."""
    text = name.lower().replace("-", "_").replace(" ", "_")
    parts = text.split("_")
    joined = parts[0]
    for part in parts[1:]:
        joined += part if part[:1].isdigit() else f"_{part}"
    return joined


def _mentions(path: Path, wanted: str) -> bool:
    """Whether a file can hold the name at all: parsing every table for one name would take too long."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        # The file is broken: reading it as a table says how, in the words of that error.
        return True
    return _squeezed(wanted) in _squeezed(text)


def _squeezed(text: str) -> str:
    return text.lower().replace("_", "").replace("-", "").replace(" ", "")


@lru_cache(maxsize=256)
def _read(path: Path, shown: str) -> Table:
    return read_table(read_source(path, shown))
